# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of late states compares what it says that it does."""

from functools import cache, partial

import numpy as np
import pytest
from labeled_clips import circling_clip

from hybrid_pose_ros.benchmarks import replay as benchmark
from hybrid_pose_ros.benchmarks.replay import WAYS, replay_benchmark
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.checkpoint import shipped
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.tracking.pose_tracker import PoseTracker

pytestmark = pytest.mark.timing

pytest.importorskip('torch')

STEP_US, PERIOD_US = 1_000, 100_000
WEIGHTS = shipped('edge')


def recording(**changes) -> LabeledRecording:
    """Return a second of a small sensor."""
    clip = circling_clip(**{'duration_ms': 900, 'events_ms': 20, **changes})
    nobody = np.zeros(clip.visible.shape, bool)
    return LabeledRecording(clip.name, clip.width, clip.height, clip.events, clip.label_us,
                            clip.joints_px, clip.visible, nobody)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('replay') / 'new'


@pytest.fixture(scope='module')
def result(folder):
    """Return the benchmark's result on the small recording, with a plot."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, 'simulated_person', lambda duration_s: recording())
        patch.setattr(benchmark, 'BACKLOGS', 3)
        return replay_benchmark(output=str(folder))


@cache
def errors(delay_us: int):
    """Return the errors of all ways, and the times since the arrival of a state."""
    return benchmark._errors(WEIGHTS, recording(), delay_us, PERIOD_US, STEP_US)


def test_without_a_delay_all_ways_are_one():
    found, _ = errors(0)
    for way in WAYS:
        np.testing.assert_array_equal(found[way], found['zero_delay'])


def test_what_has_been_replayed_is_as_if_it_had_come_at_once():
    """Of 30 bins, 3 more are replayed beside each live one: from the 10th on, all are equal."""
    found, since_us = errors(30_000)
    caught_up = (since_us >= 10_000) & (since_us <= PERIOD_US - 30_000)
    assert caught_up.sum() > 300
    np.testing.assert_array_equal(found['replay_of_bins'][caught_up],
                                  found['zero_delay'][caught_up])
    assert (found['naive'][caught_up] != found['zero_delay'][caught_up]).any()
    waiting = since_us < 10_000
    assert (found['replay_of_bins'][waiting] != found['zero_delay'][waiting]).any()


def test_times_since_arrival_go_from_one_step_to_one_period():
    _, since_us = errors(30_000)
    assert set(since_us.tolist()) == set(range(STEP_US, PERIOD_US + 1, STEP_US))


def test_the_result_has_every_figure_and_a_plot(result, folder):
    assert set(result['mpjpe_px']) == set(result['mpjpe_px_by_ms_since_arrival']) == set(WAYS)
    assert all(len(curve) == 100 for curve in result['mpjpe_px_by_ms_since_arrival'].values())
    mean = result['mpjpe_px']
    assert result['ratios']['naive_to_replay'] == pytest.approx(mean['naive'] / mean['replay'],
                                                                abs=1e-3)
    assert result['plot'] == str(folder / 'replay.png')
    assert (folder / 'replay.png').stat().st_size > 10_000


def test_a_backlog_is_replayed_while_packets_are_waited_for(result):
    backlog = result['backlog']
    assert 4 <= backlog['live_bins_meanwhile']
    assert 4 < backlog['caught_up_ms'] <= backlog['caught_up_ms_p95']


@pytest.fixture
def no_idle_time(monkeypatch):
    """Let the tracker never wait for a packet."""
    monkeypatch.setattr(PoseTracker, 'catch_up', lambda tracker: False)


def test_without_idle_time_60_bins_are_replayed_within_a_packet(no_idle_time):
    """4 long steps, then one, then single bins: with the second or third live bin."""
    assert benchmark._backlog(WEIGHTS, recording(), STEP_US)['live_bins_meanwhile'] == 4


def test_without_long_steps_either_it_takes_five_packets(no_idle_time, monkeypatch):
    monkeypatch.setattr(benchmark, 'TrackerParams',
                        partial(benchmark.TrackerParams, replay_step_us=STEP_US))
    backlog = benchmark._backlog(WEIGHTS, recording(), STEP_US)
    assert backlog['live_bins_meanwhile'] == 20


def test_a_recording_that_is_too_short_is_refused():
    with pytest.raises(InputError, match='too short: states come every 100000 us'):
        benchmark._errors(WEIGHTS, recording(duration_ms=300), 50_000, PERIOD_US, STEP_US)


def test_a_recording_with_too_few_events_is_refused():
    with pytest.raises(InputError, match='too few events for the ANN'):
        benchmark._errors(WEIGHTS, recording(events_ms=1), 50_000, PERIOD_US, STEP_US)
