# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures by kind of recording, on poses that can be worked out by hand."""

import numpy as np
import pytest

from hybrid_pose_ros.evaluation.kind_figures import (
    GROUPS, ScoredPoses, by_recording, confidence_percentiles, differences, figures)
from hybrid_pose_ros.evaluation.metrics import (
    auc, from_behind, jackknife, present, standard_error, swapped_bodies, swapped_pairs, torso_px)
from hybrid_pose_ros.evaluation.shipping import decide
from hybrid_pose_ros.tasks.skeleton import JOINTS, MIRRORED, PAIRS

BODY = np.array([(0, -30), (-10, -20), (10, -20), (-20, 0), (20, 0), (-10, 20), (10, 20),
                 (-30, 10), (30, 10), (-10, 60), (10, 60), (-10, 90), (10, 90)], float)
"""Seen from the front, the right side on the left of the image; the torso is 40 px long."""


def scored(error_px=0.0, *, instants=4, counted=True, confidence=0.9, presence=0.9, found=None):
    """Return poses that are all off by so much to the right; an array is off joint by joint."""
    joints = np.repeat(BODY[None], instants, axis=0)
    shifted = joints + np.broadcast_to(error_px, joints.shape[:2])[..., None] * [1, 0]
    counted = np.broadcast_to(counted, joints.shape[:2])
    return ScoredPoses(joints, counted, torso_px(joints, counted),
                       shifted if found is None else found,
                       np.broadcast_to(confidence, joints.shape[:2]),
                       np.broadcast_to(presence, instants), 0.2)


def value(figure, *poses):
    return figures(poses)[figure]['value']


def everywhere(shape=(1, len(JOINTS))):
    return np.ones(shape, bool)


def test_the_groups_of_joints_are_those_of_their_names():
    for name, joints in GROUPS.items():
        names = {JOINTS[joint][:-1] if joint else 'head' for joint in joints}
        singular = {'feet': 'foot', 'head': 'head'}.get(name, name.removesuffix('s'))
        assert names == {singular}


def test_the_truth_has_no_error_and_every_joint_within_a_fifth_of_a_torso():
    exact = figures([scored(), scored()])
    assert exact['pck_torso']['value'] == 1
    for name in ('mean_px', 'median_px', 'over_20px', 'mean_torso', 'median_torso',
                 'swapped_pairs', 'swapped_bodies', 'mean_px_hands'):
        assert exact[name] == {'value': 0, 'standard_error': 0, 'recordings': 2}
    assert exact['confidence_auc']['value'] is None  # no joint is wrong


def test_the_torso_is_from_the_middle_of_the_shoulders_to_that_of_the_hips():
    assert torso_px(BODY[None], everywhere()) == 40


def test_the_torso_of_a_recording_is_the_median_of_the_instants_that_show_all_of_it():
    joints = np.stack([BODY, 2 * BODY, 3 * BODY, 100 * BODY])
    counted = everywhere((4, 13))
    counted[3, 5] = False
    assert torso_px(joints, counted) == 80
    assert np.isnan(torso_px(joints[3:], counted[3:]))


def test_ten_px_off_are_a_quarter_of_a_torso_of_40_px():
    found = figures([scored(10.0)])
    assert found['mean_torso']['value'] == found['median_torso']['value'] == 0.25
    assert found['pck_torso']['value'] == 0
    assert value('pck_torso', scored(8.0)) == 1  # the limit itself counts


def test_a_swapped_pair_counts_as_one_of_six():
    found = BODY[None].copy()
    found[0, [1, 2]] = found[0, [2, 1]]
    swapped = swapped_pairs(found, BODY[None], everywhere())
    assert swapped.tolist() == [[1, 0, 0, 0, 0, 0]]
    assert value('swapped_pairs', scored(found=found, instants=1)) == round(1 / 6, 4)


def test_two_hands_on_one_hand_are_not_swapped():
    found = BODY[None].copy()
    found[0, 7] = found[0, 8]
    assert not swapped_pairs(found, BODY[None], everywhere()).any()


def test_a_pair_with_one_end_outside_the_image_is_not_counted():
    counted = everywhere()
    counted[0, 1] = False
    swapped = swapped_pairs(BODY[None, MIRRORED], BODY[None], counted)
    assert np.isnan(swapped[0, 0]) and (swapped[0, 1:] == 1).all()


def test_a_body_is_swapped_if_most_of_its_known_pairs_are():
    rows = [[1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 0, 0], [1, 1, 0, np.nan, np.nan, np.nan],
            [1, 1, np.nan, np.nan, np.nan, np.nan]]
    np.testing.assert_array_equal(swapped_bodies(np.array(rows)), [1, 0, 1, np.nan])


@pytest.mark.parametrize('roll_deg', (0, 30, 180))
def test_a_person_is_seen_from_behind_whichever_way_the_camera_is_rolled(roll_deg):
    turn = np.deg2rad(roll_deg)
    roll = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    profile = BODY * [0.1, 1]
    joints = np.stack([BODY, BODY[list(MIRRORED)], profile, profile[list(MIRRORED)]]) @ roll
    assert from_behind(joints, everywhere((4, 13))).tolist() == [False, True, False, False]


def test_bodies_seen_from_behind_are_scored_apart():
    behind = np.stack([BODY, BODY[list(MIRRORED)]])
    found = figures([scored(instants=2)._replace(joints_px=behind, found_px=behind[[0, 0]])])
    assert found['swapped_bodies']['value'] == 0.5
    assert found['swapped_bodies_behind']['value'] == 1


def test_a_perfect_ranking_has_an_area_of_1_a_reversed_one_of_0_and_ties_count_half():
    wrong = np.array([True, True, False, False])
    assert auc(np.array([0.1, 0.2, 0.3, 0.4]), wrong) == 1
    assert auc(np.array([0.4, 0.3, 0.2, 0.1]), wrong) == 0
    assert auc(np.array([0.5, 0.5, 0.5, 0.5]), wrong) == 0.5
    assert auc(np.array([0.1, 0.3, 0.2, 0.4]), wrong) == 0.75  # 3 of 4 pairs in order
    assert np.isnan(auc(np.array([0.1, 0.2]), np.array([False, False])))


def test_joints_that_are_sure_of_an_error_over_half_a_torso_cost_area():
    off = np.zeros(13)
    off[7] = 21.0
    sure, unsure = np.full(13, 0.5), np.full(13, 0.5)
    sure[7], unsure[7] = 0.9, 0.1
    assert value('confidence_auc', scored(off, confidence=unsure)) == 1
    assert value('confidence_auc', scored(off, confidence=sure)) == 0
    off[7] = 20.0  # half a torso itself is not wrong
    assert value('confidence_auc', scored(off, confidence=sure)) is None


def test_a_mean_counts_a_long_recording_as_much_as_a_short_one_a_median_every_joint():
    short, long = scored(10.0, instants=1), scored(30.0, instants=9)
    assert value('mean_px', short, long) == 20
    assert value('median_px', short, long) == 30


def test_the_standard_error_of_a_mean_is_that_of_the_means_of_recordings():
    found = figures([scored(error) for error in (1.0, 2.0, 6.0)])
    assert found['mean_px']['standard_error'] == pytest.approx(
        standard_error([1, 2, 6]), abs=1e-4)
    assert figures([scored(1.0)])['mean_px']['standard_error'] is None


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    assert jackknife(lambda some: values[some].mean(), 5) == pytest.approx(standard_error(values))


def test_a_recording_without_a_torso_has_pixels_only():
    above_the_hips = np.arange(13) < 5
    found = figures([scored(10.0, counted=above_the_hips), scored(10.0)])
    assert found['mean_px']['recordings'] == 2
    assert found['mean_torso'] == {'value': 0.25, 'standard_error': None, 'recordings': 1}


def test_instants_without_a_pose_have_no_error():
    poses = scored(10.0)
    poses.found_px[0] = np.nan
    assert value('mean_px', poses) == 10


def test_differences_that_every_recording_shares_have_no_standard_error():
    ours, theirs = [[scored(error + more) for error in (1.0, 5.0, 30.0)] for more in (0, 2)]
    found = differences(ours, theirs)
    assert found['mean_px'] == {'difference': -2, 'standard_error': 0, 'recordings': 3}
    assert figures(ours)['mean_px']['standard_error'] > 5


def test_a_person_is_present_with_head_and_a_shoulder_or_with_both_hips():
    counted = np.zeros((5, 13), bool)
    for instant, joints in enumerate(([0, 2], [5, 6], [0], [1, 2], [5])):
        counted[instant, joints] = True
    assert present(counted).tolist() == [True, True, False, False, False]


def test_a_person_is_reported_by_the_presence_where_one_is_present():
    counted = np.array([[True] * 13, [True] * 13, [False] * 13])
    poses = scored(instants=3, counted=counted, presence=np.array([0.2, 0.1, 0.9]))
    assert value('person_reported', poses) == 0.5


def test_where_nobody_is_every_instant_with_a_person_is_a_false_alarm_and_nothing_has_an_error():
    nobody = scored(counted=False, confidence=np.array([[0.1], [0.1], [0.1], [0.3]]),
                    presence=np.array([0.1, 0.1, 0.1, 0.3]))
    found = figures([nobody])
    assert found['person_reported']['value'] == 0.25
    assert found['mean_px']['value'] is None and found['mean_torso']['value'] is None
    assert confidence_percentiles([nobody])['50'] == 0.1


def test_each_recording_has_figures_of_its_own():
    assert [one['mean_px'] for one in by_recording([scored(1.0), scored(3.0)])] == [1, 3]


def judged(value_px, other_px, error_px):
    return {'mean_px': {'value': value_px, 'other': other_px, 'standard_error': error_px,
                        'difference': value_px - other_px}}


def nobody(difference, error):
    nothing = {'value': None, 'other': None, 'difference': None, 'standard_error': None}
    return {'mean_px': nothing,
            'person_reported': {'difference': difference, 'standard_error': error}}


def test_weights_that_are_better_and_worse_nowhere_are_shipped():
    decision = decide({'front': judged(5.0, 10.0, 1.0), 'close': judged(10.5, 10.0, 0.6)})
    assert decision['ship']
    assert decision['mean_log_ratio'] == pytest.approx((np.log(0.5) + np.log(1.05)) / 2, abs=1e-4)
    assert decision['line'] == ('ship: mean log ratio -0.322 over 2 kinds, worse on no kind')


@pytest.mark.parametrize('kinds, worse', (
    ({'front': judged(5.0, 10.0, 1.0), 'close': judged(11.0, 10.0, 0.6)}, ['close']),
    ({'front': judged(10.1, 10.0, 1.0)}, []),
    ({'front': judged(10.0, 10.0, 0.0)}, []),
    ({'front': judged(5.0, 10.0, 1.0), 'nobody': nobody(0.2, 0.1)}, ['nobody']),
    ({'front': judged(5.0, 10.0, 1.0), 'close': judged(10.1, 10.0, None)}, ['close']),
    ({'nobody': nobody(-0.2, 0.1)}, [])),
    ids=('a kind is worse', 'worse on average', 'no better', 'false alarms', 'one recording',
         'no errors'))
def test_weights_are_not_shipped_that_are_worse_on_a_kind_or_no_better_over_all(kinds, worse):
    decision = decide(kinds)
    assert not decision['ship'] and decision['worse'] == worse
    assert decision['line'].startswith('do not ship: ')


def test_each_pair_is_a_right_and_a_left_joint():
    assert [(JOINTS[right][-1], JOINTS[left][-1]) for right, left in PAIRS] == [('R', 'L')] * 6
