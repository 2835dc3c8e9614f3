# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`pip install .`: command line and core without ROS. With ROS, colcon uses CMakeLists.txt."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def requirements() -> list[str]:
    """Return the requirements of both files; requirements.txt includes the other one."""
    lines = [line for name in ('requirements.txt', 'requirements-pip.txt')
             for line in (HERE / name).read_text().splitlines()]
    return [line for line in lines if line and not line.startswith(('#', '-'))]


def files(folder: str, pattern: str) -> list[str]:
    """Return the files of a folder, relative to this one."""
    return [str(path.relative_to(HERE)) for path in sorted((HERE / folder).glob(pattern))]


setup(
    name='hybrid_pose_ros',
    version='0.1.0',
    description='Human pose from event cameras: a slow ANN initializes a fast spiking network',
    license='Apache-2.0',
    packages=find_packages(include=['hybrid_pose_ros', 'hybrid_pose_ros.*']),
    package_data={'hybrid_pose_ros': ['weights/*', '*/*.jinja']},
    data_files=[('share/hybrid_pose_ros/msg', files('msg', '*.msg')),
                ('share/hybrid_pose_ros/config', files('config', '*')),
                ('share/event_camera_msgs/msg', files('interfaces/event_camera_msgs/msg',
                                                      '*.msg'))],
    python_requires='>=3.10',
    install_requires=requirements(),
    extras_require={'train': ['tensorboard']},
    entry_points={'console_scripts': ['hybrid-pose = hybrid_pose_ros.cli.main:main']},
)
