# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What RViz is given: the frame and topics of the graph, and a view that the person fills."""

import math
from pathlib import Path

import numpy as np
import pytest
import yaml

from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.graph.description import TOPICS, TOPICS_3D
from hybrid_pose_ros.graph.marker_params import MarkerParams
from hybrid_pose_ros.graph.parameter_files import parameters_in_file
from hybrid_pose_ros.pose.rig import Rig
from hybrid_pose_ros.visualization.rviz_config import plane_view, rig_view, rviz_config

CONFIG = Path(__file__).parents[2] / 'config'
TEMPLATES = sorted(CONFIG.glob('*.rviz'))
FIELD_OF_VIEW_RAD = math.radians(45)  # of RViz, vertical
DEPTH_M = MarkerParams().depth_m


def viewer(view: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where the viewer of an Orbit view is, and its directions right and up.

    The viewer is on a sphere around the focal point, at an angle `Yaw` around z and `Pitch` above
    the plane of x and y. Right is horizontal: the view is never rolled.
    """
    yaw, pitch = view['Yaw'], view['Pitch']
    away = np.array([math.cos(yaw) * math.cos(pitch), math.sin(yaw) * math.cos(pitch),
                     math.sin(pitch)])
    right = np.array([-math.sin(yaw), math.cos(yaw), 0.0])
    focus = np.array([view['Focal Point'][axis] for axis in 'XYZ'])
    return focus + view['Distance'] * away, right, np.cross(away, right)


@pytest.mark.parametrize('path', TEMPLATES, ids=lambda path: path.name)
def test_the_window_state_names_every_dock_and_leaves_most_of_the_width_to_the_3d_view(path):
    config = yaml.safe_load(path.read_text())
    window = config['Window Geometry']
    state = bytes.fromhex(window['QMainWindow State'])
    docks = [panel['Name'] for panel in config['Panels']]
    docks += [display['Name'] for display in config['Visualization Manager']['Displays']
              if display['Class'].endswith('/Image')]
    for name in [*docks, 'Tools']:
        assert name.encode('utf-16-be') in state
    # Qt writes: marker 0xff, version, 0xfd, number of dock areas; for each its side and size.
    areas = int.from_bytes(state[9:13], 'big')
    side, width_px = (int.from_bytes(state[at:at + 4], 'big') for at in (13, 17))
    assert (state[3], state[8], areas, side) == (0xff, 0xfd, 1, 0)  # one area, at the left
    assert 1 - width_px / window['Width'] >= 0.6
    assert window['Hide Left Dock'] is window['Hide Right Dock'] is False


@pytest.mark.parametrize('path', TEMPLATES, ids=lambda path: path.name)
def test_frame_and_topics_are_those_of_the_graph(path):
    text = rviz_config(path, frame_id='lens', namespace='/left', view=plane_view(2.0))
    manager = yaml.safe_load(text)['Visualization Manager']
    assert manager['Global Options']['Fixed Frame'] == 'lens'
    topics = {display['Topic']['Value'] for display in manager['Displays'] if 'Topic' in display}
    assert topics and {topic.removeprefix('/left') for topic in topics} <= {*TOPICS, *TOPICS_3D}
    assert all(topic.startswith('/left/') for topic in topics)
    assert manager['Views']['Current']['Focal Point'] == {'X': 0.0, 'Y': 0.0, 'Z': 2.0}


@pytest.mark.parametrize('path', TEMPLATES, ids=lambda path: path.name)
def test_nothing_else_of_the_shipped_file_changes(path):
    shipped = yaml.safe_load(path.read_text())
    manager = shipped['Visualization Manager']
    assert shipped == yaml.safe_load(rviz_config(
        path, frame_id=manager['Global Options']['Fixed Frame'], namespace='', view={}))


def test_the_shipped_view_is_that_of_the_default_depth():
    current = yaml.safe_load((CONFIG / 'hybrid_pose.rviz').read_text())[
        'Visualization Manager']['Views']['Current']
    view = plane_view(DEPTH_M)
    assert current['Focal Point'] == view['Focal Point']
    assert [current[name] for name in ('Distance', 'Pitch', 'Yaw')] == pytest.approx(
        [view[name] for name in ('Distance', 'Pitch', 'Yaw')], abs=1e-3)


@pytest.mark.parametrize('depth_m', (0.5, DEPTH_M, 20.0))
def test_the_camera_s_picture_is_upright_and_fills_the_view(depth_m):
    eye, right, up = viewer(plane_view(depth_m))
    assert right == pytest.approx([1, 0, 0], abs=1e-2)  # of the optical frame: x right, y down
    assert up == pytest.approx([0, -1, 0], abs=1e-2)
    height_m = depth_m * 2 * math.tan(math.radians(55 / 2)) * 260 / 346  # a DAVIS346
    visible_m = 2 * (depth_m - eye[2]) * math.tan(FIELD_OF_VIEW_RAD / 2)
    assert 0.9 < height_m / visible_m <= 1.0


def test_the_axes_are_behind_the_viewer():
    displays = yaml.safe_load((CONFIG / 'hybrid_pose.rviz').read_text())[
        'Visualization Manager']['Displays']
    length_m, = (display['Length'] for display in displays if 'Length' in display)
    assert 0 < length_m < viewer(plane_view(DEPTH_M))[0][2]


@pytest.mark.parametrize('cameras', (2, 4))
def test_the_person_of_a_rig_is_seen_whole_from_its_first_camera_s_side(cameras):
    rig = dhp19_rig(cameras)  # around the origin of a world whose z is up
    eye, _, up = viewer(rig_view(rig))
    assert up[2] > 0.5
    assert eye[:2] @ rig.cameras[0].center_m[:2] > 0
    visible_m = 2 * rig_view(rig)['Distance'] * math.tan(FIELD_OF_VIEW_RAD / 2)
    assert 0.6 < 1.75 / visible_m < 0.8
    focus_m = rig_view(rig)['Focal Point']
    assert math.hypot(focus_m['X'], focus_m['Y']) < 0.3 and 0.5 < focus_m['Z'] < 1.2


def test_a_world_that_is_the_frame_of_its_first_camera_is_seen_upright():
    cameras = dhp19_rig(2).cameras
    first = cameras[0]._replace(rotation=np.eye(3), translation_m=np.zeros(3))
    second = first._replace(name='second', translation_m=np.array([-0.2, 0.0, 0.0]))
    eye, right, up = viewer(rig_view(Rig((first, second), 'first')))
    assert right == pytest.approx([1, 0, 0], abs=0.05)
    assert up == pytest.approx([0, -1, 0], abs=0.05)
    assert eye[2] == pytest.approx(0.0, abs=0.05)  # at the cameras, which look ahead


SECTIONS = """
/**:
  ros__parameters: {depth_m: 1.0, frame_id: any}
/**/skeleton_markers:
  ros__parameters: {depth_m: 2.0}
/left/skeleton_markers:
  ros__parameters: {depth_m: 4.0}
skeleton_markers:
  ros__parameters: {frame_id: root}
/*/snn_tracker:
  ros__parameters: {step_us: 2000}
"""


@pytest.mark.parametrize('node, parameters', (
    ('/skeleton_markers', {'depth_m': 2.0, 'frame_id': 'root'}),
    ('/left/skeleton_markers', {'depth_m': 4.0, 'frame_id': 'any'}),
    ('/a/b/skeleton_markers', {'depth_m': 2.0, 'frame_id': 'any'}),
    ('/left/snn_tracker', {'depth_m': 1.0, 'frame_id': 'any', 'step_us': 2000}),
    ('/snn_tracker', {'depth_m': 1.0, 'frame_id': 'any'})))
def test_a_parameter_file_sets_what_its_matching_sections_say(tmp_path, node, parameters):
    (tmp_path / 'file.yaml').write_text(SECTIONS)
    assert parameters_in_file(tmp_path / 'file.yaml', node) == parameters
