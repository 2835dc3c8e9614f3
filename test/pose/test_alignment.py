# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.pose.alignment import Aligner, TimedPose

SPEED_PX_US = 0.001


def pose(stamp_us, confidence=1.0):
    """Return a pose whose joints all move to the right at a steady speed."""
    joints = np.full((13, 2), 50.0)
    joints[:, 0] += SPEED_PX_US * stamp_us
    return TimedPose(stamp_us, joints, np.full(13, confidence))


def aligner(cameras=2, step_us=1_000, max_age_us=30_000, wait_us=20_000):
    return Aligner(cameras, step_us=step_us, max_age_us=max_age_us, wait_us=wait_us)


def fed(aligner, *streams):
    """Feed streams of stamps, the earliest first; return the instants that were due."""
    found = []
    for stamp, camera in sorted((stamp, camera) for camera, stamps in enumerate(streams)
                                for stamp in stamps):
        aligner.add(camera, pose(stamp))
        found += aligner.due()
    return found


@given(st.integers(0, 999), st.integers(300, 3_000), st.integers(300, 3_000))
def test_cameras_out_of_step_are_brought_to_the_same_instants(phase_us, first_us, second_us):
    found = fed(aligner(), range(0, 60_000, first_us), range(phase_us, 60_000, second_us))
    stamps = [one.stamp_us for one in found]
    assert stamps == list(range(0, 1_000 * len(stamps), 1_000)) and len(stamps) > 50
    for one in found:
        if one.stamp_us < phase_us:
            assert one.missing.tolist() == [False, True]
            continue
        assert not one.missing.any()
        np.testing.assert_allclose(one.joints_px[:, :, 0], 50.0 + SPEED_PX_US * one.stamp_us)


def test_an_instant_waits_for_the_camera_that_is_behind():
    two = aligner()
    two.add(0, pose(0))
    two.add(1, pose(0))
    assert [one.stamp_us for one in two.due()] == [0]
    two.add(0, pose(5_000))
    assert two.due() == []
    two.add(1, pose(3_500))
    assert [one.stamp_us for one in two.due()] == [1_000, 2_000, 3_000]


def test_a_camera_that_dies_is_held_for_a_while_and_then_missing():
    two = aligner()
    found = fed(two, range(0, 101_000, 1_000), range(0, 51_000, 1_000))
    assert [one.stamp_us for one in found] == list(range(0, 101_000, 1_000))
    assert [one.stamp_us for one in found if one.missing[1]] == list(range(81_000, 101_000, 1_000))
    held = next(one for one in found if one.stamp_us == 60_000)
    assert held.age_us.tolist() == [0, 10_000]
    np.testing.assert_array_equal(held.joints_px[1], pose(50_000).joints_px)
    missing = found[-1]
    assert np.isnan(missing.joints_px[1]).all() and not missing.confidence[1].any()
    assert not missing.missing[0]


def test_a_camera_that_comes_back_is_used_again():
    two = aligner()
    late = [*range(0, 20_000, 1_000), *range(100_000, 151_000, 1_000)]
    found = fed(two, range(0, 151_000, 1_000), late)
    missing = [one.stamp_us for one in found if one.missing[1]]
    assert missing == list(range(50_000, 101_000, 1_000))  # it is not waited for
    assert [one.stamp_us for one in found] == list(range(0, 151_000, 1_000))


def test_a_camera_that_never_comes_holds_nobody_up():
    found = fed(aligner(3), range(0, 101_000, 1_000), range(0, 101_000, 1_000))
    assert found[-1].stamp_us >= 80_000
    assert all(one.missing.tolist() == [False, False, True] for one in found)


def test_a_gap_that_is_too_long_is_not_bridged():
    two = aligner(max_age_us=5_000)
    found = fed(two, range(0, 31_000, 1_000), [0, 1_000, 15_000, 16_000, 30_000])
    missing = [one.stamp_us for one in found if one.missing[1]]
    assert missing == [*range(2_000, 15_000, 1_000), *range(17_000, 30_000, 1_000)]


def test_a_clock_that_begins_anew_begins_the_instants_anew():
    two = aligner()
    fed(two, range(5_000_000, 5_010_000, 1_000), range(5_000_000, 5_010_000, 1_000))
    found = fed(two, range(0, 10_000, 1_000), range(0, 10_000, 1_000))
    assert [one.stamp_us for one in found] == list(range(0, 10_000, 1_000))
    assert two.out_of_order == 1


def test_a_pose_that_is_not_newer_is_dropped_and_counted():
    two = aligner()
    for stamp in (0, 1_000, 1_000, 500):
        two.add(0, pose(stamp))
    assert two.out_of_order == 2


def test_after_a_pause_of_all_cameras_nothing_between_is_told():
    two = aligner()
    fed(two, [0, 1_000], [0, 1_000])
    found = fed(two, [60_000_000, 60_001_000], [60_000_000, 60_001_000])
    assert len(found) < 600 and found[-1].stamp_us == 60_001_000


def test_the_less_sure_of_two_poses_says_how_sure_the_joint_is_between_them():
    two = aligner(1)
    two.add(0, pose(500, confidence=0.9))
    two.add(0, pose(1_500, confidence=0.2))
    assert two.due()[0].confidence.tolist() == [[0.2] * 13]
