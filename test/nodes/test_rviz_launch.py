# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch file starts RViz with; a stand-in for the package rviz2 is enough."""

from pathlib import Path

import pytest
import yaml
from launch_file import install, launch_config, parameters_of, visited

from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.recordings.rig_files import save_rig


@pytest.fixture
def rviz2(tmp_path, monkeypatch):
    """Install a package rviz2, and let launch write its files into a folder of the test."""
    install(tmp_path / 'prefix', monkeypatch, 'rviz2', 'rviz2')
    monkeypatch.setattr(launch_config, '_log_dir', str(tmp_path))


def shown(nodes: list) -> tuple[str, set[str]]:
    """Return the fixed frame and the topics of the configuration that RViz is started with."""
    rviz, = (node for node in nodes if node.node_package == 'rviz2')
    flag, path = rviz._Node__arguments
    assert flag == '-d'
    manager = yaml.safe_load(Path(path).read_text())['Visualization Manager']
    return manager['Global Options']['Fixed Frame'], {
        display['Topic']['Value'] for display in manager['Displays'] if 'Topic' in display}


@pytest.mark.parametrize('arguments, frame, prefix', (
    ({}, 'event_camera', ''),
    ({'camera': 'left/eye'}, 'eye', ''),
    ({'namespace': 'left', 'frame_id': 'lens', 'camera': 'eye'}, 'lens', '/left')))
def test_rviz_shows_the_frame_and_the_topics_of_the_markers(rviz2, arguments, frame, prefix):
    nodes = visited(rviz='true', **arguments)
    assert shown(nodes) == (frame, {f'{prefix}/skeleton_markers/markers',
                                    f'{prefix}/skeleton_markers/overlay'})
    assert parameters_of(nodes, 'skeleton_markers')['frame_id'] == frame


def test_a_frame_and_depth_of_the_parameter_file_are_rviz_s_too(rviz2, tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text('/**/skeleton_markers:\n'
                    '  ros__parameters: {frame_id: base_optical, depth_m: 5.0}\n')
    nodes = visited(rviz='true', namespace='left', params_file=str(file))
    assert shown(nodes)[0] == 'base_optical'
    parameters = parameters_of(nodes, 'skeleton_markers')
    assert (parameters['frame_id'], parameters['depth_m']) == ('base_optical', 5.0)


def test_rviz_shows_the_world_of_a_rig(rviz2, tmp_path):
    save_rig(dhp19_rig(2)._replace(frame_id='hall'), tmp_path / 'rig.yaml')
    assert shown(visited(rviz='true', rig=str(tmp_path / 'rig.yaml'))) == (
        'hall', {'/triangulator/markers'})


def test_without_rviz_the_markers_keep_the_frame_of_the_packets():
    assert 'frame_id' not in parameters_of(visited(), 'skeleton_markers')


@pytest.mark.parametrize('arguments, encoding', (
    ({}, 'libcaer'), ({'encoding': 'libcaer_cmp'}, 'libcaer_cmp')))
def test_the_driver_of_a_davis_gets_the_encoding(tmp_path, monkeypatch, arguments, encoding):
    install(tmp_path, monkeypatch, 'libcaer_driver', 'driver_node')
    assert parameters_of(visited(driver='libcaer', **arguments), 'driver_node')[
        'encoding'] == encoding
