# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluates a recorded run: its own poses, the tracker rerun on its events, and the baselines.

    bag -> events, recorded poses, ground truth -> run_report.py: rates and latencies
                                                -> metrics.py: errors of recorded and rerun poses
                                                -> evaluate.py: the table of all rows

The same bag always yields the same figures: measurements are read from the bag, not repeated. All
times are in the clock period of the bag's events. Long gaps between events are closed
(`recordings/gaps.py`), so they affect neither the computing time nor the figures.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError, RecordingError
from hybrid_pose_ros.evaluation.evaluate import evaluate
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.evaluation.metrics import (MOVING_US, Scores, Truth, counted, distances,
                                                latest, moving, rounded, score, summary)
from hybrid_pose_ros.evaluation.outcome import ASKED_US, ROWS
from hybrid_pose_ros.evaluation.schedule import make_schedule
from hybrid_pose_ros.evaluation.trackers import Trackers
from hybrid_pose_ros.events.event_array import no_events
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.model.checkpoint import Checkpoint, identity
from hybrid_pose_ros.recorded_runs.bag_truth import bag_truth
from hybrid_pose_ros.recorded_runs.run_report import RecordedRun, summarize
from hybrid_pose_ros.recordings.bag_messages import bag_topics
from hybrid_pose_ros.recordings.event_bag import EventBag
from hybrid_pose_ros.recordings.labeled import LabeledRecording, earlier, without_gaps
from hybrid_pose_ros.recordings.pose_topics import POSES, one_of, poses_of
from hybrid_pose_ros.recordings.typed_messages import typed_messages
from hybrid_pose_ros.tasks.skeleton import JOINTS
from hybrid_pose_ros.tracking.offline import PoseTrack

LEAST_US = 500_000
"""Minimum length for a rerun of the tracker: enough for one state and some poses after it."""
IN_BAG = 'in the bag'


class Poses(NamedTuple):
    """N poses of a run in order of sensor time."""

    stamps_us: np.ndarray  # (N,) int64
    joints_px: np.ndarray  # (N, J, 2)
    available_us: np.ndarray  # (N,) sensor time at which each was available


def evaluate_bag(bag: str | Path, checkpoint: Checkpoint,
                 params: EvaluationParams = EvaluationParams(), *,
                 truth: str | Path | None = None, snn_checkpoint: Checkpoint | None = None,
                 rows: Sequence[str] = ROWS, topic: str | None = None, re_run: bool = True,
                 partial: bool = False) -> dict[str, Any]:
    """Return the figures of a recorded run, ready for JSON.

    Args:
        bag: folder or file with event packets, and with poses if recorded by this package.
        checkpoint: weights for the rerun of the tracker.
        params: settings of the rerun.
        truth: recording with labels (.h5) in the bag's sensor time; None: ground truth in the bag.
        snn_checkpoint: as for `evaluate`.
        rows: as for `evaluate`, which is run if there is ground truth.
        topic: topic of the event packets, if the bag has several.
        re_run: rerun the tracker and the baselines; False: evaluate only the recorded poses.
        partial: use the intact part of a truncated bag.

    Raises:
        InputError: there is nothing to evaluate, the ground truth belongs to another run, or the
            bag is truncated and `partial` is not given.
    """
    path = Path(bag)
    source = EventBag(path, topic)
    events = _events(source, partial)
    run = RecordedRun(path, source.topic)
    if not len(run.poses) and not re_run:
        left_out = run.bad.line() and f'; messages left out: {run.bad.line()}'
        raise InputError(f'{path} has no skeletons: nothing to evaluate without a rerun{left_out}')
    unlabeled = _unlabeled(source, events)
    labels, exact, turn = bag_truth(unlabeled, run, truth)
    phase_us = _phase_us(run, params.step_us)
    unlabeled = earlier(without_gaps(unlabeled, run.gaps), phase_us)
    if labels is not None:
        labels = earlier(without_gaps(labels, run.gaps), phase_us)
    found = {}
    if len(run.poses):
        found['recorded'] = _recorded(run, phase_us)
    result = {
        'bag': str(path), 'topic': source.topic,
        'truth': None if labels is None else str(truth or IN_BAG), 'turn_of_truth': turn,
        'seconds_of_events': round(np.ptp(unlabeled.label_us) * 1e-6, 6),
        'run': summarize(run), 'shares': _shares(run)}
    if re_run:
        track = _run_again(checkpoint, unlabeled, params)
        found['re_run'] = Poses(track.stamps_us, track.joints_px,
                                track.stamps_us + params.pose_latency_us)
        result |= {'identity': identity(checkpoint), 'settings': asdict(params),
                   'trained': bool(checkpoint.card.get('trained')), 're_run': _work(track)}
    result['errors'] = {} if labels is None else {
        name: _errors(poses, labels, exact, name) for name, poses in found.items()}
    if len(found) == 2:
        result['same_instants'] = _compared(found, labels, exact)
    if re_run and labels is not None:
        result['evaluation'] = evaluate(checkpoint, [_seen_part(labels)], params,
                                        snn_checkpoint=snn_checkpoint, rows=rows)
        del result['evaluation']['measured_ms']  # times on this machine now, not those in the bag
    return result


def recorded_step_us(bag: str | Path) -> int | None:
    """Return the length of the time bins of the recorded poses [us]; None without poses."""
    with suppress(RecordingError):  # a truncated bag, which the evaluation reports
        topics = [topic for topic in bag_topics(bag) if one_of(topic, POSES)]
        for topic, _, message in typed_messages(bag, topics):
            return int(poses_of(topic, message)[0].step_us)
    return None


def _events(source: EventBag, partial: bool) -> np.ndarray:
    """Return all events of a bag, sorted by time."""
    stream, pieces = PacketStream(), []
    try:
        for piece in source.pieces(stream):
            pieces.append(piece.events)
    except RecordingError as error:
        if not partial:
            raise InputError(f'{error}; --partial evaluates the intact part') from error
    events = np.concatenate([no_events(), *pieces])
    if not len(events):
        raise InputError(f'{source.path} has packets of {source.topic}, but no events')
    if stream.counts.restarts:
        raise InputError(f'{source.path} has {1 + stream.counts.restarts} runs of the sensor\'s '
                         'clock: expected one, so that an instant has one pose')
    return events[np.argsort(events['t'], kind='stable')]


def _unlabeled(source: EventBag, events: np.ndarray) -> LabeledRecording:
    """Return the events as a recording without known joints."""
    nobody = np.zeros((2, len(JOINTS)), bool)
    return LabeledRecording(source.path.name, source.width, source.height, events,
                            events['t'][[0, -1]].astype(np.int64),
                            np.zeros((*nobody.shape, 2), np.float32), nobody, nobody)


def _seen_part(labels: LabeledRecording) -> LabeledRecording:
    """Return the recording with only the labels within the time span of the events."""
    within = ((labels.label_us >= labels.events['t'][0])
              & (labels.label_us <= labels.events['t'][-1]))
    if within.sum() < 2:
        raise InputError(f'{labels.name}: fewer than two labels are within its events')
    return labels._replace(**{name: getattr(labels, name)[within] for name in
                              ('label_us', 'joints_px', 'visible', 'occluded')})


def _phase_us(run: RecordedRun, step_us: int) -> int:
    """Return the offset of the recorded time bins from multiples of `step_us`.

    A clock period is not a multiple of a bin, so the bins of a tracker in another period than the
    bag's events are offset. The rerun tracker uses the same offset.
    """
    phases_us, counts = np.unique(run.poses.sensor_time_us % step_us, return_counts=True)
    return int(phases_us[counts.argmax()]) if len(counts) else 0


def _recorded(run: RecordedRun, phase_us: int) -> Poses:
    kept = run.poses[~run.gaps.skips(run.poses.sensor_time_us)]
    stamps_us = run.gaps.closed(kept.sensor_time_us) - phase_us
    late_us = np.rint(1e3 * kept.event_latency_ms).astype(np.int64)
    order = np.argsort(stamps_us, kind='stable')
    joints = np.stack([kept.x_px, kept.y_px], axis=-1)
    return Poses(stamps_us[order], joints[order],
                 np.maximum.accumulate((stamps_us + late_us)[order]))


def _shares(run: RecordedRun) -> dict[str, float | None]:
    """Return the fraction of recorded poses that were stale, and of joints that were held."""
    if not len(run.poses):
        return {}
    return {'stale': rounded(run.poses.stale.mean()), 'held': rounded(run.poses.held.mean())}


def _run_again(checkpoint: Checkpoint, recording: LabeledRecording,
               params: EvaluationParams) -> PoseTrack:
    """Return the tracker's poses, with the rate and delay of states given by the parameters."""
    import torch
    if np.ptp(recording.label_us) < LEAST_US:
        raise InputError(f'{recording.name} has events of {np.ptp(recording.label_us) * 1e-6:g} '
                         f's: a rerun of the tracker needs {LEAST_US * 1e-6:g} s')
    schedule = make_schedule(recording, params)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so that sums do not depend on the number of cores
    try:
        trackers = Trackers(checkpoint, checkpoint, recording, params, ('hybrid',), schedule)
        trackers.play()
    finally:
        torch.set_num_threads(threads)
    return trackers.work()['hybrid']


def _work(track: PoseTrack) -> dict[str, Any]:
    poses = len(track.stamps_us)
    seconds = np.ptp(track.stamps_us) * 1e-6
    return {'poses': poses, 'poses_per_sensor_s': rounded((poses - 1) / seconds),
            'steps_per_pose': rounded(track.steps_per_pose),
            'spikes_per_pose': rounded(track.spikes[1:].sum() / poses)}


def _errors(poses: Poses, labels: LabeledRecording, exact: bool, name: str) -> dict[str, Any]:
    """Return the errors of the poses at instants with ground truth, and the number of these."""
    at = _scored(poses, labels, exact)
    if not at.any():
        raise InputError(f'{labels.name}: no {name.replace("_", "-")} pose is at an instant with '
                         'ground truth')
    instants_us = poses.stamps_us[at]
    truth = _truth(labels, instants_us)
    asked_us = np.arange(instants_us[0], instants_us[-1] + 1, ASKED_US)
    last = latest(poses.available_us, asked_us)
    available = np.where((last >= 0)[:, None, None], poses.joints_px[last], np.nan)
    steps_us = np.diff(instants_us)
    stride_us = int(np.median(steps_us)) if len(steps_us) else 1
    evenly = truth._replace(stamps_us=stride_us * np.arange(len(instants_us)))
    scores = score(evenly, poses.joints_px[at], _truth(labels, asked_us), available)
    return (summary(truth, _without_gaps(scores, steps_us == stride_us)) | counted(truth)
            | {'stride_us': stride_us})


def _without_gaps(scores: Scores, even: np.ndarray) -> Scores:
    """Return the scores without differences between instants that are not one stride apart."""
    velocity, acceleration = scores.velocity_px_s.copy(), scores.acceleration_px_s2.copy()
    velocity[1:][~even] = np.nan
    acceleration[2:][~(even[1:] & even[:-1])] = np.nan
    return scores._replace(velocity_px_s=velocity, acceleration_px_s2=acceleration)


def _scored(poses: Poses, labels: LabeledRecording, exact: bool) -> np.ndarray:
    """Return which poses are scored, (N,)."""
    if exact:
        return np.isin(poses.stamps_us, labels.label_us)
    return (poses.stamps_us >= labels.start_us) & (poses.stamps_us <= labels.end_us)


def _truth(labels: LabeledRecording, instants_us: np.ndarray) -> Truth:
    """Return the ground truth at the instants."""
    joints, visible, occluded = labels.joints_at(instants_us)
    before, *_ = labels.joints_at(instants_us - MOVING_US)
    return Truth(instants_us, joints, visible, occluded, moving(joints, before),
                 np.zeros(len(instants_us), np.int64))


def _compared(found: dict[str, Poses], labels: LabeledRecording | None, exact: bool
              ) -> dict[str, Any]:
    """Return the distance between recorded and rerun poses of equal instants, and both errors."""
    recorded, again = found['recorded'], found['re_run']
    shared, here, there = np.intersect1d(recorded.stamps_us, again.stamps_us, return_indices=True)
    apart = np.linalg.norm(recorded.joints_px[here] - again.joints_px[there], axis=-1)
    result = {'instants': len(shared),
              'apart_px': rounded(apart.mean()) if len(shared) else None,
              'apart_median_px': rounded(np.median(apart)) if len(shared) else None}
    if labels is None:
        return result
    at = _scored(Poses(shared, recorded.joints_px[here], shared), labels, exact)
    if at.any():
        truth = _truth(labels, shared[at])
        for name, joints in (('recorded', recorded.joints_px[here]),
                             ('re_run', again.joints_px[there])):
            errors = distances(joints[at], truth.joints_px, truth.counted)
            result[f'{name}_mpjpe_px'] = rounded(np.nanmean(errors))
    return result
