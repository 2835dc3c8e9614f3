# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from camchain import CAMCHAIN

from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.pose.rig import project, to_camera
from hybrid_pose_ros.recordings.hdf5 import Hdf5Recording, Hdf5Writer
from hybrid_pose_ros.recordings.rig_files import load_rig, recorded_rig, save_rig
from hybrid_pose_ros.simulation.camera import CAMERAS

CALIBRATION = """
image_width: 346
image_height: 260
camera_name: left
camera_matrix: {rows: 3, cols: 3, data: [330.0, 0.0, 173.0, 0.0, 331.0, 129.0, 0.0, 0.0, 1.0]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.3, 0.1, 0.001, -0.001, 0.0]}
"""
PLACE = {'rotation': [1, 0, 0, 0, 1, 0, 0, 0, 1], 'translation_m': [0, 0, 0]}


@pytest.fixture
def kalibr(tmp_path):
    (tmp_path / 'camchain.yaml').write_text(CAMCHAIN)
    return tmp_path / 'camchain.yaml'


@pytest.fixture
def ours(tmp_path):
    """Return a file with two cameras whose lenses are in a file of camera_calibration's."""
    (tmp_path / 'left.yaml').write_text(CALIBRATION)
    cameras = {name: {'calibration': 'left.yaml', **PLACE} for name in ('left', 'right')}
    cameras['right']['translation_m'] = [-0.5, 0, 0]
    (tmp_path / 'rig.yaml').write_text(yaml.safe_dump({'cameras': cameras}))
    return tmp_path / 'rig.yaml'


def changed(path, **changes):
    """Write a file of ours whose right camera is another; return its path."""
    content = yaml.safe_load(path.read_text())
    content['cameras']['right'] |= changes
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_camchain_of_kalibr_is_a_rig(kalibr):
    rig = load_rig(kalibr)
    assert rig.names == ('left', 'right') and rig.frame_id == 'left'
    left, right = rig.cameras
    assert left.model == 'plumb_bob' and right.model == 'equidistant'
    assert left.matrix.tolist() == [[330.5, 0, 172.5], [0, 331.5, 131.0], [0, 0, 1]]
    # T_cn_cnm1 takes points of the camera before to this one: 1 m ahead of the left, ...
    assert to_camera(right, np.array([0.0, 0.0, 1.0])).tolist() == [-0.5, 0.0, 2.0]


def test_the_third_camera_of_a_chain_hangs_on_the_second(kalibr):
    content = yaml.safe_load(kalibr.read_text())
    content['cam2'] = content['cam1'] | {'rostopic': ''}
    kalibr.write_text(yaml.safe_dump(content))
    third = load_rig(kalibr).cameras[2]
    step = np.array(content['cam1']['T_cn_cnm1'])
    place = step @ step @ [0.1, 0.2, 0.3, 1.0]
    np.testing.assert_allclose(to_camera(third, np.array([0.1, 0.2, 0.3])), place[:3])
    assert third.name == 'cam2'


def test_calibrations_of_camera_calibration_and_places_are_a_rig(ours):
    rig = load_rig(ours)
    assert rig.names == ('left', 'right') and rig.frame_id == 'world'
    assert rig.cameras[0].distortion.tolist() == [-0.3, 0.1, 0.001, -0.001, 0.0]
    np.testing.assert_allclose(rig.cameras[1].center_m, [0.5, 0.0, 0.0])


@pytest.mark.parametrize('cameras', [2, 4])
def test_a_rig_that_was_saved_is_the_same(tmp_path, cameras):
    rig = dhp19_rig(cameras)
    save_rig(rig, tmp_path / 'rig.yaml')
    again = load_rig(tmp_path / 'rig.yaml')
    assert again.names == rig.names
    for one, other in zip(rig.cameras, again.cameras):
        assert all(np.array_equal(first, second) for first, second in zip(one, other))


def test_recordings_say_where_their_cameras_were(tmp_path):
    """In labels pixel i covers [i, i + 1), in a rig its center is i."""
    for number in (2, 3):
        Hdf5Writer(tmp_path / f'dhp19_{number}.h5', width=346, height=260,
                   camera=CAMERAS[f'dhp19-{number}']).close()
    recordings = [Hdf5Recording(path) for path in sorted(tmp_path.iterdir())]
    point = np.array([0.1, -0.2, 1.3])
    for camera, known in zip(recorded_rig(recordings).cameras, dhp19_rig(2).cameras):
        assert camera.name == known.name
        np.testing.assert_allclose(project(camera, point), project(known, point), atol=1e-9)
        label = CAMERAS[camera.name.replace('_', '-')].project(point)
        np.testing.assert_allclose(project(camera, point), label - 0.5, atol=1e-9)


def test_a_recording_without_its_camera_makes_no_rig(tmp_path):
    Hdf5Writer(tmp_path / 'r.h5', width=346, height=260).close()
    with pytest.raises(InputError, match='r.h5 has no camera pose'):
        recorded_rig([Hdf5Recording(tmp_path / 'r.h5')])


@pytest.mark.parametrize('changes, words', [
    ({'rotation': [1, 0, 0, 0, 1, 0, 0, 0, 2]}, 'camera right: not a valid rotation'),
    ({'rotation': [1, 0, 0, 0, 1, 0, 0, 0, -1]}, 'camera right: not a valid rotation'),
    ({'rotation': [1, 0, 0]}, 'is not a rig: expected `cameras`'),
    ({'translation_m': [0.0, float('nan'), 0.0]}, 'translation is not finite'),
    ({'translation_m': 'far'}, 'is not a rig: expected `cameras`'),
    ({'calibration': 'other.yaml'}, 'no calibration at .*other.yaml')])
def test_a_mistake_in_a_rig_is_told(ours, changes, words):
    with pytest.raises(InputError, match=words):
        load_rig(changed(ours, **changes))


@pytest.mark.parametrize('text, words', [
    ('cameras: {}', 'needs at least two cameras'), ('[1, 2]', 'expected a mapping'),
    ('a: [', 'is not a YAML file'), ('cameras: 3', 'is not a rig'), ('cam0: 3', 'is not a rig'),
    ('cam0: 2001-99-99', 'is not a YAML file: month'), ('[' * 5000, 'nested too deeply'),
    (CAMCHAIN.replace('radtan', 'fov'), 'cam0: unknown distortion fov'),
    (CAMCHAIN.replace('pinhole', 'omni'), 'only pinhole'),
    (CAMCHAIN.replace('330.5', '-1.0'), 'focal lengths must be positive'),
    (CAMCHAIN.replace('[346, 260]', '[]'), 'is not a rig'),
    (CAMCHAIN.replace('[346, 260]', '[-346, 260]'), 'image side of -346 px: expected a whole'),
    (CAMCHAIN.replace('[346, 260]', '[.inf, 260]'), 'image side of inf px'),
    (CAMCHAIN.replace('/right', '/left'), 'with different names'),
    (CAMCHAIN.replace('/right', '/2nd'), "camera '2nd' is not a valid ROS name"),
    (CAMCHAIN.replace('[-0.02, 0.01, 0.0, 0.0]', '[1.0]'), '4 coefficients, not 1')])
def test_a_file_that_is_no_rig_is_refused(tmp_path, text, words):
    (tmp_path / 'rig.yaml').write_text(text)
    with pytest.raises(InputError, match=words):
        load_rig(tmp_path / 'rig.yaml')


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner,
                                                                max_size=3), max_leaves=8)


@given(st.sampled_from(['camchain', 'ours']), st.integers(0, 2 ** 31), junk)
def test_whatever_stands_in_a_file_it_is_a_rig_or_refused(kind, place, value):
    with TemporaryDirectory() as folder:
        path = Path(folder, 'rig.yaml')
        save_rig(dhp19_rig(2), path)
        content = yaml.safe_load(CAMCHAIN if kind == 'camchain' else path.read_text())
        camera = list((content if kind == 'camchain' else content['cameras']).values())[1]
        keys = [None, *camera]
        key = keys[place % len(keys)]
        if key is None:
            content[list(content)[-1]] = value
        else:
            camera[key] = value
        path.write_text(yaml.safe_dump(content))
        try:
            rig = load_rig(path)
        except InputError as error:
            assert str(path.parent) in str(error)
        else:
            assert all(np.isfinite(camera.projection).all() for camera in rig.cameras)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match='no rig at .*rig.yaml: No such file'):
        load_rig(tmp_path / 'rig.yaml')
