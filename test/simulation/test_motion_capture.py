# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.simulation.body import BODY_POINTS, joints_of
from hybrid_pose_ros.simulation.motion_capture import (
    Capture, StagedMotion, StagingSettings, interpolate, load_capture)
from hybrid_pose_ros.simulation.motions import GeneratedMotion

CAPTURES = Path(__file__).parents[3] / 'shared/data/motion'
RIGHT_HIP, LEFT_HIP = BODY_POINTS.index('r_hip'), BODY_POINTS.index('l_hip')
RIGHT_HAND, LEFT_HAND = BODY_POINTS.index('r_hand'), BODY_POINTS.index('l_hand')


@pytest.fixture(scope='module')
def capture():
    points = GeneratedMotion(0, ('box',)).sample(np.arange(0.0, 3.0, 1 / 120))
    return Capture(points, 120.0)


@pytest.fixture
def arrays(capture):
    return {'body': capture.points.astype(np.float32),
            'joints': joints_of(capture.points).astype(np.float32), 'fps': np.float32(120.0)}


def write(path, arrays):
    np.savez(path, **arrays)
    return path


def test_a_motion_file_is_read_back(tmp_path, arrays):
    capture = load_capture(write(tmp_path / 'm.npz', arrays))
    assert capture.rate_hz == 120.0
    assert np.array_equal(capture.points, arrays['body'])


@pytest.mark.parametrize('name', ('body', 'joints', 'fps'))
def test_a_motion_file_that_lacks_an_array_is_refused(tmp_path, arrays, name):
    del arrays[name]
    with pytest.raises(InputError, match=f'lacks {name}'):
        load_capture(write(tmp_path / 'm.npz', arrays))


def test_missing_joints_are_refused_with_the_expected_shape(tmp_path, arrays):
    arrays['joints'] = arrays['joints'][:, :12]
    with pytest.raises(InputError, match=r'joints must be .*\(T, 13, 3\).*\(360, 12, 3\)'):
        load_capture(write(tmp_path / 'm.npz', arrays))


def test_a_damaged_archive_is_refused(tmp_path, arrays):
    """A zlib.error, a TokenError or a NotImplementedError, by the byte that was hit."""
    path = tmp_path / 'm.npz'
    np.savez_compressed(path, **arrays)
    whole = path.read_bytes()
    for at in range(20, 600, 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:])
        try:
            assert load_capture(path).rate_hz == 120.0  # a byte that does not matter
        except InputError as error:
            assert str(path) in str(error)


def test_arrays_that_are_too_large_for_their_file_are_refused(tmp_path, arrays):
    """Some kilobytes of zeros can stand for gigabytes."""
    zeros = {name: np.zeros((10**5, *array.shape[1:]), array.dtype)
             for name, array in arrays.items() if name != 'fps'}
    np.savez_compressed(tmp_path / 'm.npz', **zeros)
    with pytest.raises(InputError, match='too large for the file size'):
        load_capture(tmp_path / 'm.npz')


@pytest.mark.parametrize('rate_hz', ['fast', 120j, None, [120.0], np.nan, 0.0])
def test_a_rate_that_is_not_a_number_is_refused(tmp_path, arrays, rate_hz):
    """Text was a ValueError, a complex number a TypeError."""
    with pytest.raises(InputError):
        load_capture(write(tmp_path / 'm.npz', arrays | {'fps': rate_hz}))


def test_nan_is_refused_with_the_first_bad_sample(tmp_path, arrays):
    arrays['body'][17, 3, 1] = np.nan
    with pytest.raises(InputError, match='1 of 360 samples, first in sample 17'):
        load_capture(write(tmp_path / 'm.npz', arrays))


def test_millimetres_in_place_of_metres_are_refused(tmp_path, arrays):
    arrays['joints'] *= 1000.0
    with pytest.raises(InputError, match='must be in meters'):
        load_capture(write(tmp_path / 'm.npz', arrays))


@pytest.mark.parametrize('content', (b'', b'no zip at all', b'PK\x03\x04 cut short'))
def test_what_is_no_motion_file_is_refused(tmp_path, content):
    (tmp_path / 'm.npz').write_bytes(content)
    with pytest.raises(InputError, match='is not a motion file'):
        load_capture(tmp_path / 'm.npz')


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match='is not a motion file'):
        load_capture(tmp_path / 'nowhere.npz')


def test_interpolation_meets_the_samples():
    points = np.random.default_rng(0).normal(size=(9, 2, 3))
    assert np.allclose(interpolate(points, np.arange(9.0)), points)


@given(st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3), st.floats(1.0, 7.0))
def test_interpolation_is_exact_for_a_parabola(coefficients, at):
    samples = np.polyval(coefficients, np.arange(9.0))[:, None]
    assert np.allclose(interpolate(samples, np.array([at])), np.polyval(coefficients, at))


def test_interpolation_has_no_kink_at_a_sample():
    points = np.random.default_rng(1).normal(size=(9, 1))
    left, middle, right = interpolate(points, np.array([3.999, 4.0, 4.001]))[:, 0]
    assert abs((right - middle) - (middle - left)) < 1e-4


def test_a_turned_capture_faces_the_camera(capture):
    turned = Capture(capture.points @ np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0],
                                                [0.0, 0.0, 1.0]]), 120.0)
    points = StagedMotion(turned).sample(np.array([1.0]))
    right = points[0, RIGHT_HIP] - points[0, LEFT_HIP]
    assert right[0] < 0.0 and abs(right[1]) < 0.1


def test_mirroring_swaps_the_hands(capture):
    times_s = np.array([1.0])
    plain = StagedMotion(capture).sample(times_s)[0]
    mirrored = StagedMotion(capture, StagingSettings(mirror=True)).sample(times_s)[0]
    assert np.allclose(mirrored[LEFT_HAND, 1:], plain[RIGHT_HAND, 1:], atol=1e-6)
    assert np.allclose(mirrored[LEFT_HAND, 0], -plain[RIGHT_HAND, 0], atol=0.05)


def test_a_stop_freezes_the_person(capture):
    settings = StagingSettings(stops_hz=2.0, stop_s=2.0)
    motion = StagedMotion(capture, settings, seed=1, duration_s=10.0)
    step = np.abs(np.diff(motion.sample(np.arange(0.0, 10.0, 0.01)), axis=0)).max(axis=(1, 2))
    assert (step < 1e-9).sum() > 50 and (step > 1e-3).sum() > 50


def test_a_capture_that_is_too_short_is_played_back_and_forth_without_a_jump(capture):
    motion = StagedMotion(capture, duration_s=20.0)
    points = motion.sample(np.arange(0.0, 20.0, 0.001))
    assert np.linalg.norm(np.diff(points, axis=0), axis=-1).max() < 0.015  # 15 m/s


def test_somebody_enters_from_the_side_and_leaves_again(capture):
    motion = StagedMotion(capture, StagingSettings(enter_s=0.5, leave_s=0.5))
    pelvis = motion.sample(np.array([0.0, 1.5, motion.duration_s]))[:, 0]
    assert np.abs(pelvis[:, 0]).round(1).tolist() == [4.0, 0.0, 4.0]
    assert pelvis[0, 0] * pelvis[2, 0] < 0.0


def test_speed_shortens_the_motion(capture):
    assert np.isclose(StagedMotion(capture, StagingSettings(speed=2.0)).duration_s,
                      0.5 * capture.duration_s)


@pytest.mark.data
@pytest.mark.skipif(not CAPTURES.exists(), reason='no motion capture beside the checkout')
def test_every_shared_capture_is_accepted_and_faces_the_camera():
    for path in sorted(CAPTURES.glob('*/*.npz'))[::5]:
        motion = StagedMotion(load_capture(path))
        points = motion.sample(np.linspace(0.0, motion.duration_s, 50))
        assert (points[:, LEFT_HIP, 0] - points[:, RIGHT_HIP, 0]).mean() > 0.0
