# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""README's install lines: on an externally managed Python, with rosdep, pip and colcon."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

APT_OF_ROSDEP = {
    'python3-h5py': 'h5py', 'python3-jinja2': 'jinja2', 'python3-matplotlib': 'matplotlib',
    'python3-numba': 'numba', 'python3-numpy': 'numpy', 'python3-opencv': 'opencv-python-headless',
    'python3-psutil': 'psutil', 'python3-rich': 'rich', 'python3-scipy': 'scipy',
    'python3-yaml': 'pyyaml'}
"""Keys of rosdep/python.yaml that Ubuntu and Debian answer by a package of their own, and the name
of the same on PyPI. rosdep has no key for the packages in requirements-pip.txt but for two, which
run pip outside of a virtual environment, which an externally managed Python refuses
(python3-rosbags-pip, python3-pytorch-pip), and python3-torch, whose version depends on the
distribution while the weights' figures are those of one version."""

TOOLS_OF_ROSDEP = {
    'python3-venv': 'makes the environment of the next lines',
    'python3-hypothesis': 'tests', 'python3-pytest': 'tests', 'python3-pytest-xdist': 'tests'}
"""Keys of the same file that no module of ours imports, and what each is for."""

ROS_PACKAGES = {
    'ament_cmake', 'ament_cmake_pytest', 'ament_cmake_python', 'rosidl_default_generators',
    'rosidl_default_runtime', 'builtin_interfaces', 'diagnostic_msgs', 'domain_coordinator',
    'event_camera_msgs', 'geometry_msgs', 'launch', 'launch_ros', 'lifecycle_msgs',
    'rcl_interfaces', 'rclpy', 'sensor_msgs', 'std_msgs', 'visualization_msgs'}
"""Packages of Jazzy's distribution file: names of released packages are keys of rosdep too."""


def names(file: str) -> set[str]:
    """Return the packages that a requirements file names, without versions."""
    lines = (ROOT / file).read_text().splitlines()
    return {re.split(r'[=<>\[]', line)[0] for line in lines
            if line and not line.startswith(('#', '-'))}


def install_lines() -> list[str]:
    """Return the commands of README's first block for robots, without comments."""
    section = (ROOT / 'README.md').read_text().partition('## On a robot\n')[2]
    block = re.search(r'```sh\n(.*?)```', section, re.DOTALL)[1]
    return [line.partition('  #')[0].strip() for line in block.splitlines()]


def index(lines: list[str], text: str) -> int:
    """Return which line, the only one, contains a text."""
    found = [number for number, line in enumerate(lines) if text in line]
    assert len(found) == 1, (text, lines)
    return found[0]


def test_rosdep_knows_every_key_of_the_package():
    root = ElementTree.parse(ROOT / 'package.xml').getroot()
    keys = {element.text for element in root if element.tag.endswith('depend')}
    assert keys <= {*APT_OF_ROSDEP, *TOOLS_OF_ROSDEP, *ROS_PACKAGES}


def test_rosdep_and_pip_each_install_their_part_of_the_requirements():
    root = ElementTree.parse(ROOT / 'package.xml').getroot()
    keys = {element.text for element in root.iter('exec_depend')}
    assert names('requirements.txt') == {APT_OF_ROSDEP[key] for key in keys & {*APT_OF_ROSDEP}}
    assert '-r requirements-pip.txt' in (ROOT / 'requirements.txt').read_text().splitlines()
    assert not names('requirements.txt') & names('requirements-pip.txt')


def test_install_lines_use_an_environment_that_sees_the_packages_of_the_system():
    lines = install_lines()
    venv, pip = index(lines, 'venv --system-site-packages'), index(lines, 'pip install')
    assert index(lines, 'rosdep install') < venv < pip < index(lines, 'colcon build')
    assert 'activate' in lines[venv]
    assert lines[pip].endswith('/requirements-pip.txt')
    assert not re.search('sudo pip|break-system-packages', '\n'.join(lines))


def test_install_lines_build_with_the_interpreter_of_the_environment():
    """/usr/bin/colcon is run by the system's interpreter, which has no torch."""
    lines = install_lines()
    assert lines[index(lines, 'colcon build')].startswith('python3 -m colcon build')


def test_ros2_launch_describes_the_graph_without_the_packages_that_pip_installed():
    """/opt/ros/jazzy/bin/ros2 is run by the system's interpreter, which sees rosdep's alone."""
    launched = re.findall(r'^\s*from (hybrid_pose_ros\S*) import',
                          (ROOT / 'launch' / 'hybrid_pose.launch.py').read_text(), re.MULTILINE)
    assert 'hybrid_pose_ros.graph.description' in launched
    program = (f'import sys; sys.modules.update(dict.fromkeys({names("requirements-pip.txt")}));'
               f'import {", ".join(launched)}')
    subprocess.run([sys.executable, '-c', program], check=True, cwd=ROOT)


@pytest.mark.parametrize(('tools', 'missing'), [
    (['c++'], 'cmake'), (['cmake'], 'g++'), ([], 'cmake g++')])
def test_make_names_in_one_line_what_to_install(tools, missing, tmp_path):
    links = tmp_path / 'bin'
    links.mkdir()
    for tool in ('make', 'sh', 'find', 'nproc', *tools):
        (links / tool).symlink_to(shutil.which(tool))
    done = subprocess.run(
        ['make', '--no-print-directory', 'build', f'VENV={tmp_path}/venv',
         f'PYTHON={sys.executable}'],
        cwd=ROOT, env={'PATH': str(links)}, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == (
        f'error: {missing} missing: sudo apt install {missing}')
    assert not (tmp_path / 'venv').exists()


def test_make_refuses_a_python_without_ros_wheels(monkeypatch):
    spec = importlib.util.spec_from_file_location('check', ROOT / 'tools/check_prerequisites.py')
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    monkeypatch.setattr(sys, 'version_info', (3, 13, 0))
    assert 'expected Python 3.10 to 3.12' in check.main()


@pytest.mark.slow
@pytest.mark.skipif(not any(Path('/usr/lib').glob('python3.1[012]/EXTERNALLY-MANAGED')),
                    reason='no externally managed Python 3.10 to 3.12 of Debian or Ubuntu')
def test_install_lines_work_on_an_externally_managed_python(tmp_path):
    """Each as written, but for what needs ROS from apt: its wheels go into the environment."""
    lines = install_lines()
    clone, ros = index(lines, 'git clone'), index(lines, '/opt/ros/jazzy')
    rosdep, pip = index(lines, 'rosdep install'), index(lines, 'pip install')
    lines[clone] = lines[clone].replace('URL', str(ROOT))
    lines[ros] = lines[rosdep] = ':'
    source = 'src/hybrid_pose_ros'
    lines[pip:pip] = [
        f'grep -v "^-" {source}/requirements.txt > rosdep.txt',
        f'pip install -q -r rosdep.txt -r {source}/requirements-ros.txt',
        f'python3 {source}/tools/mend_cmake_paths.py',
        'export AMENT_PREFIX_PATH=$PWD/.venv CMAKE_PREFIX_PATH=$PWD/.venv',
        'pip freeze | sort > before.txt']
    build = index(lines, 'colcon build')
    lines[build:build] = [
        'pip freeze | sort > after.txt',
        f'python3 -m colcon --log-base /dev/null build --merge-install --install-base .venv'
        f' --base-paths {source}/interfaces/event_camera_msgs']
    environment = {'HOME': str(tmp_path), 'PATH': '/usr/bin:/bin',
                   'PIP_CACHE_DIR': os.environ.get('PIP_CACHE_DIR',
                                                   str(Path.home() / '.cache' / 'pip'))}
    environment |= {name: value for name, value in os.environ.items()
                    if name.startswith(('PIP_', 'SSL_', 'HTTP', 'http'))}
    workspace = tmp_path / 'ws'

    def bash(*commands: str) -> str:
        done = subprocess.run(['bash', '-e', '-c', '\n'.join(commands)], env=environment,
                              capture_output=True, text=True)
        assert done.returncode == 0, f'{done.stdout[-3000:]}\n{done.stderr[-3000:]}'
        return done.stdout

    bash(*lines)
    before, after = ({*(workspace / name).read_text().split()} for name in
                     ('before.txt', 'after.txt'))
    assert before <= after  # pip changed nothing that rosdep or ROS had installed
    for path in ('bin/hybrid-pose', 'lib/hybrid_pose_ros/snn_tracker'):
        shebang = (workspace / 'install' / 'hybrid_pose_ros' / path).read_text().splitlines()[0]
        assert f'{workspace}/.venv/bin/python' in shebang
    bash(f'. {workspace}/install/setup.bash', 'hybrid-pose --help',
         f'{workspace}/install/hybrid_pose_ros/lib/hybrid_pose_ros/event_player --ros-args '
         '-p duration_s:=0.1 -p subscribers:=0')
