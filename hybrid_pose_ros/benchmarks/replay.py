# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measures the benefit and the cost of replaying past bins when states arrive late.

Four trackers get the same states of the same ANN on a simulated person: immediately
(`zero_delay`); late with replay, in long steps (`replay`) or bin by bin (`replay_of_bins`); or
late without replay (`naive`), as if the states were from the time of their arrival. Then a tracker
gets states that are BACKLOG_US old while packets keep arriving in real time, on a clock that
advances only with the tracker's own computing time.
"""

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.benchmarks.simulated_person import simulated_person
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.checkpoint import Checkpoint, shipped
from hybrid_pose_ros.recordings.labeled import LabeledRecording, load_seen
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.offline import (
    AnnState, OfflineInitializer, OfflineTracker, RecordingAnn, pieces, play, too_few_events)
from hybrid_pose_ros.tracking.pose_tracker import Pose, PoseTracker
from hybrid_pose_ros.tracking.state_producer import next_due_us
from hybrid_pose_ros.tracking.tracker_params import TrackerParams

WAYS = ('zero_delay', 'replay', 'replay_of_bins', 'naive')
SETTLED_US = 200_000
"""Time before the first pass, since the ANN needs some events."""
BACKLOG_US = 60_000
PACKET_US = 4_000
"""Interval of a driver that sends 250 packets per second."""
BACKLOGS = 30
"""Number of states whose replay is timed."""


class Lag(NamedTuple):
    """How a tracker processed one backlog, on the clock that advances with its computing time."""

    caught_up_ms: float  # from the arrival of the state until its first pose
    bins: int  # live bins that arrived in the meantime
    latest_pose_ms: float  # maximum delay of a live pose after its packet during this time
    latest_pose_ms_before: float  # likewise, for the preceding packets


def replay_benchmark(*, checkpoint: str = '', recording: str | None = None,
                     output: str | None = None, duration_s: float = 10.0,
                     delay_us: int = 50_000, ann_rate_hz: float = 10.0,
                     step_us: int = 1_000) -> dict[str, Any]:
    """Return the mean errors of the four variants, their ratios, and the time that a replay takes.

    Args:
        checkpoint: weights of `edge` (.safetensors); empty: the shipped ones.
        recording: recording with labels (.h5); None: simulate a person for duration_s.
        output: folder for a plot of the error over the time since the arrival of a state.
        duration_s: length of the simulated recording.
        delay_us: time from the last event in the ANN input to the arrival of its state.
        ann_rate_hz: ANN states per second.
        step_us: length of a time bin.

    Raises:
        InputError: the recording cannot be used.
    """
    weights = shipped('edge', checkpoint)
    person = load_seen(recording) if recording else simulated_person(duration_s)
    period_us = round(1e6 / ann_rate_hz / step_us) * step_us
    errors, since_us = _errors(weights, person, delay_us, period_us, step_us)
    curves = {way: [round(float(np.nanmean(error[since_us == since])), 3)
                    for since in range(step_us, period_us + 1, step_us)]
              for way, error in errors.items()}
    mean = {way: float(np.nanmean(error)) for way, error in errors.items()}
    result = {
        'ratios': {'replay_to_zero_delay': round(mean['replay'] / mean['zero_delay'], 4),
                   'replay_of_bins_to_zero_delay': round(
                       mean['replay_of_bins'] / mean['zero_delay'], 4),
                   'naive_to_zero_delay': round(mean['naive'] / mean['zero_delay'], 4),
                   'naive_to_replay': round(mean['naive'] / mean['replay'], 4)},
        'mpjpe_px': {way: round(value, 3) for way, value in mean.items()},
        'saw_tooth_px': {way: round(max(curve) - min(curve), 3) for way, curve in curves.items()},
        'backlog': _backlog(weights, person, step_us),
        'trained': bool(weights.card.get('trained')), 'recording': person.name,
        'delay_us': delay_us, 'period_us': period_us, 'step_us': step_us,
        'poses': len(since_us), 'mpjpe_px_by_ms_since_arrival': curves}
    if output is not None:
        result['plot'] = str(_plot(result, Path(output)))
    return result


def _errors(weights: Checkpoint, person: LabeledRecording, delay_us: int,
            period_us: int, step_us: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the error of each variant at each pose (N, J) [px]; NaN for joints not visible.

    Also returns the time since the newest late state arrived, (N,) [us], 1 step to 1 period.
    """
    end_us = int(person.label_us[-1]) // step_us * step_us
    settings = InitializerParams(preset=weights.preset.name, step_us=step_us,
                                 rate_hz=1e6 / period_us)
    first_us = next_due_us(int(person.label_us[0]) + SETTLED_US - 1, settings.rate_hz, step_us)
    # Holding joints would mask how the state evolves.
    params = TrackerParams(preset=weights.preset.name, step_us=step_us, quiet_events_per_s=0.0)
    late = replace(params, state_delay_us=delay_us)
    trackers = {way: OfflineTracker(weights, of_way, person.width, person.height)
                for way, of_way in zip(WAYS, (params, late, replace(late, replay_step_us=step_us),
                                              replace(late, replay=False)), strict=True)}
    initializer = OfflineInitializer(weights, settings, person.width, person.height)
    events = person.events_between(int(person.label_us[0]), end_us)
    seen_us = [state.sensor_time_us for state in play(
        pieces(events), initializer, list(trackers.values()), end_us=end_us)]
    if not set(range(first_us, end_us, period_us)) <= set(seen_us):
        raise InputError(too_few_events(person, settings))
    tracks = {way: tracker.track() for way, tracker in trackers.items()}
    # When compared, all have a live state and, except zero_delay, have had an earlier one.
    stamps_us = np.arange(first_us + delay_us + period_us + step_us, end_us, step_us)
    if not len(stamps_us):
        raise InputError(f'{person.name} is too short: states come every {period_us} us')
    truth, visible, _ = person.joints_at(stamps_us)
    errors = {}
    for way, track in tracks.items():
        poses = track.joints_px[np.searchsorted(track.stamps_us, stamps_us)]
        errors[way] = np.where(visible, np.linalg.norm(poses - truth, axis=-1), np.nan)
    return errors, (stamps_us - first_us - delay_us - step_us) % period_us + step_us


def _backlog(weights: Checkpoint, person: LabeledRecording,
             step_us: int) -> dict[str, float]:
    """Return how long replays of BACKLOG_US take while live poses continue."""
    ann = RecordingAnn(weights, person)
    params = TrackerParams(preset=weights.preset.name, step_us=step_us)
    starts_us = np.linspace(int(person.label_us[0]) + SETTLED_US,
                            int(person.label_us[-1]) - 4 * BACKLOG_US, BACKLOGS)
    lags = [_work_off(weights, person, ann, params, round(start_us / PACKET_US) * PACKET_US)
            for start_us in starts_us]
    values = {name: np.array([getattr(lag, name) for lag in lags]) for name in Lag._fields}
    return {'backlog_ms': BACKLOG_US * 1e-3, 'replay_steps': params.replay_steps,
            'replay_step_us': params.replay_step_us,
            'live_bins_meanwhile': int(np.median(values['bins'])),
            'caught_up_ms': round(float(np.median(values['caught_up_ms'])), 2),
            'caught_up_ms_p95': round(float(np.percentile(values['caught_up_ms'], 95)), 2),
            'latest_pose_ms': round(float(np.median(values['latest_pose_ms'])), 2),
            'latest_pose_ms_before': round(float(np.median(values['latest_pose_ms_before'])), 2)}


def _work_off(weights: Checkpoint, person: LabeledRecording, ann: RecordingAnn,
              params: TrackerParams, start_us: int) -> Lag:
    """Run a tracker from one state, then give it another one that is BACKLOG_US old."""
    tracker = PoseTracker(weights, params, person.width, person.height)
    at_us = start_us + 2 * BACKLOG_US
    for end_us in range(start_us, at_us - BACKLOG_US + 1, PACKET_US):
        _run(tracker.update(person.events_between(end_us - PACKET_US, end_us)))
    tracker.initialize(_state(ann, start_us))
    free_us, before_us = float(at_us - BACKLOG_US), 0.0
    for end_us in range(at_us - BACKLOG_US + PACKET_US, at_us + 1, PACKET_US):
        free_us, _ = _packet(tracker, person, end_us, free_us)
        before_us = max(before_us, free_us - end_us)
    late = _state(ann, at_us - BACKLOG_US)
    began_ns = time.perf_counter_ns()
    tracker.initialize(late)
    free_us = max(free_us, at_us) + (time.perf_counter_ns() - began_ns) * 1e-3
    took_over_us, bins, latest_us, end_us = None, tracker.counts.steps, 0.0, at_us
    while took_over_us is None:
        end_us += PACKET_US
        free_us, took_over_us = _packet(tracker, person, end_us, free_us)
        latest_us = max(latest_us, free_us - end_us)
    return Lag((took_over_us - at_us) * 1e-3, tracker.counts.steps - bins, latest_us * 1e-3,
               before_us * 1e-3)


def _packet(tracker: PoseTracker, person: LabeledRecording, end_us: int,
            free_us: float) -> tuple[float, float | None]:
    """Process the packet that arrives at end_us once the tracker is free; replay while idle.

    Returns:
        The time at which the tracker is free again, and the time of a state's first pose, or None.
    """
    events, states = person.events_between(end_us - PACKET_US, end_us), tracker.counts.states
    idle = True
    while idle and free_us < end_us:
        began_ns = time.perf_counter_ns()
        idle = tracker.catch_up()
        free_us += (time.perf_counter_ns() - began_ns) * 1e-3
    start_us, began_ns, took_over_us = max(free_us, end_us), time.perf_counter_ns(), None
    for _ in tracker.update(events):
        if took_over_us is None and tracker.counts.states > states:
            took_over_us = start_us + (time.perf_counter_ns() - began_ns) * 1e-3
    return start_us + (time.perf_counter_ns() - began_ns) * 1e-3, took_over_us


def _state(ann: RecordingAnn, at_us: int) -> AnnState:
    state = ann.state_at(at_us)
    if state is None:
        raise InputError(ann.too_few_events())
    return state


def _run(poses: Iterable[Pose]) -> None:
    for _ in poses:
        pass


def _plot(result: dict[str, Any], folder: Path) -> Path:
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(7.5, 4.5), layout='constrained')
    for way, color in zip(WAYS, ('black', 'tab:red', 'tab:orange', 'tab:gray')):
        curve = result['mpjpe_px_by_ms_since_arrival'][way]
        since_ms = result['step_us'] * 1e-3 * np.arange(1, len(curve) + 1)
        # Plotted twice, since the jump of the sawtooth would otherwise be at the edge of the plot.
        axes.plot(np.concatenate([since_ms - since_ms[-1], since_ms]), [*curve, *curve],
                  color=color, label=f'{way}: mean {result["mpjpe_px"][way]:.2f} px')
    axes.axvline(0, color='tab:blue', linewidth=0.8, linestyle=':')
    axes.set(xlabel='time since the arrival of a state [ms]', ylabel='mean error [px]',
             title=f'States that are {result["delay_us"] * 1e-3:g} ms old on arrival',
             ylim=(0, None))
    axes.legend(loc='lower right')
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / 'replay.png'
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return path
