# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The windows of the paper."""

import numpy as np
import pytest
from hypothesis import given, settings
from labeled_clips import circling_clip
from strategies import event_windows

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.training.windows import Windows

SMALL = preset('paper_small')
CLIP = circling_clip(events_ms=40)  # 600 ms with 7500 events in 190 ms


def test_windows_begin_when_the_ann_has_its_events_and_end_with_the_labels():
    """The last of those that fit is the ANN's alone, as in the published loaders."""
    windows = Windows([CLIP, CLIP], SMALL, 10)
    assert windows.all == [(clip, start) for clip in (0, 1)
                           for start in (200_000, 300_000, 400_000)]
    assert windows.frames == [(clip, start) for clip in (0, 1)
                              for start in (200_000, 300_000, 400_000, 500_000)]


def clip_with_events_at(times_us, *, last_label_us):
    """Return a clip with these event times and a label every 10 ms."""
    clip = circling_clip(duration_ms=1, events_ms=len(times_us))
    label_us = np.arange(0, last_label_us + 1, 10_000)
    events = clip.events.copy()
    events['t'] = np.sort(times_us)
    shape = len(label_us), 13
    return clip._replace(events=events, label_us=label_us, joints_px=np.ones((*shape, 2), 'f4'),
                         visible=np.ones(shape, bool), occluded=np.zeros(shape, bool))


@pytest.mark.parametrize('event_7499_us, event_7500_us, first_us', [
    (150_000, 199_999, 200_000), (150_000, 200_000, 200_000), (150_000, 200_001, 300_000),
    (199_999, 200_000, 200_000), (200_000, 200_000, 300_000)])
def test_the_first_state_is_at_the_100_ms_after_event_7500(event_7499_us, event_7500_us,
                                                           first_us):
    """ceil(t[7500] / 100 ms), counted from 0; and 7500 events lie before it."""
    times_us = [*range(7499), event_7499_us, event_7500_us, 900_000]
    windows = Windows([clip_with_events_at(times_us, last_label_us=990_000)], SMALL, 10)
    assert windows.frames[0].start_us == first_us
    assert windows.frame(windows.frames[0]).sum() == 7500


@pytest.mark.parametrize('last_label_us, sequences, frames', [
    (990_000, 7, 8),  # 1000 ms: floor((1000 - 200 - 100) / 100) and floor((1000 - 200) / 100)
    (980_000, 6, 7),  # 990 ms
    (1_080_000, 7, 8), (1_090_000, 8, 9)])
def test_there_are_as_many_windows_as_the_published_loaders_count(last_label_us, sequences,
                                                                  frames):
    """Of L ms from which t0 is S: (L - S - 100) // 100 sequences, (L - S) // 100 frames."""
    times_us = [*range(7500), 150_000]  # S = 200 ms
    windows = Windows([clip_with_events_at(times_us, last_label_us=last_label_us)], SMALL, 10)
    assert (len(windows.all), len(windows.frames)) == (sequences, frames)


def test_the_ann_sees_its_last_events():
    windows = Windows([CLIP], SMALL, 10)
    frame = windows.frame(windows.all[1])
    assert frame.shape == (20, 48, 64) and frame.sum() == 7500
    later = windows.frame(windows.all[0], later_us=100_000)
    assert np.array_equal(later, frame)


def test_every_event_of_a_window_is_in_one_bin():
    windows = Windows([CLIP], SMALL, 10)
    events = CLIP.events_between(200_000, 300_000)
    counts = windows.counts(windows.all[0])
    assert counts.shape == (10, 2, 48, 64) and counts.sum() == len(events)
    assert counts[:, 1].sum() == events['p'].sum()


def test_bins_cut_the_time_from_the_first_to_the_last_event():
    """Of events in the first half of a window only, half are in the first five bins."""
    events = CLIP.events
    late = (events['t'] >= 250_000) & (events['t'] < 300_000)
    windows = Windows([CLIP._replace(events=events[~late])], SMALL, 10)
    counts = windows.counts(windows.all[0]).sum(axis=(1, 2, 3))
    assert counts[:5].sum() == pytest.approx(counts.sum() / 2, rel=0.1)


def test_a_window_without_events_is_all_zeros():
    events = CLIP.events
    gap = (events['t'] >= 300_000) & (events['t'] < 400_000)
    windows = Windows([CLIP._replace(events=events[~gap])], SMALL, 10)
    assert not windows.counts(windows.all[1]).any()


def test_the_label_of_a_bin_is_that_of_its_beginning():
    windows = Windows([CLIP], SMALL, 10)
    targets = windows.step_targets(windows.all[0])
    joints, visible, _ = CLIP.joints_at(200_000 + 10_000 * np.arange(10))
    assert np.array_equal(targets.cells, np.floor(joints + 0.5))
    assert np.array_equal(targets.pixels, targets.cells)
    assert np.array_equal(targets.shown, visible)
    before = windows.frame_targets(windows.all[0])
    joints, _, _ = CLIP.joints_at(np.array([190_000]))
    assert np.array_equal(before.cells, np.floor(joints + 0.5))


def test_a_joint_outside_the_crop_is_not_shown():
    """Columns 34 to 289 of 346, rows 2 to 257 of 260."""
    clip = circling_clip(events_ms=40)._replace(width=346, height=260)
    for x, y, shown in ((34, 2, True), (33.4, 2, False), (289.4, 257.4, True), (289.5, 9, False),
                        (100, 257.5, False)):
        joints = np.broadcast_to(np.float32([x, y]), clip.joints_px.shape)
        windows = Windows([clip._replace(joints_px=joints)], preset('paper'), 10)
        targets = windows.frame_targets(windows.all[0])
        assert targets.shown.all() == shown, (x, y)
        if shown:
            assert np.array_equal(targets.cells[0, 0], np.floor([x - 33.5, y - 1.5]))


@pytest.mark.parametrize('clip', [circling_clip(events_ms=5), circling_clip(duration_ms=250)])
def test_clips_that_are_too_short_are_refused(clip):
    with pytest.raises(InputError, match='7500 events followed by 200 ms with labels'):
        Windows([clip], SMALL, 10)


@given(event_windows(width=64, height=48, start_us=190_000, duration_us=200_000))
@settings(max_examples=30)
def test_frames_and_bins_hold_every_event_of_theirs_once(events):
    """For any events beside those that the ANN needs first; a bin counts 65535 at most."""
    first = CLIP.events[CLIP.events['t'] < 190_000][-7501:]
    clip = CLIP._replace(events=np.concatenate([first, events]))
    windows = Windows([clip], SMALL, 10)
    assert windows.all == [(0, 200_000), (0, 300_000), (0, 400_000)]
    for window in windows.all:
        counts = windows.counts(window)
        expected = clip.events_between(window.start_us, window.start_us + 100_000)
        assert counts.sum() == len(expected) and counts[:, 1].sum() == expected['p'].sum()
        assert windows.frame(window).sum() == 7500
