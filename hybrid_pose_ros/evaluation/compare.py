# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compares weights on recordings of several kinds and on clips of real people.

    recordings -> poses of all weights at the same instants -> kind_figures.py -> shipping.py

The ANN runs as in the initializer node. The hybrid, if requested, runs as in the two nodes, with
fusion and without delay. Sensors and networks may have any size.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.ann_at import ann_at
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.evaluation.kind_figures import (
    ScoredPoses, by_recording, confidence_percentiles, differences, figures)
from hybrid_pose_ros.evaluation.metrics import torso_px
from hybrid_pose_ros.evaluation.schedule import Schedule, make_schedule
from hybrid_pose_ros.evaluation.shipping import decide
from hybrid_pose_ros.evaluation.trackers import at_times, initializer_params
from hybrid_pose_ros.model.checkpoint import Checkpoint, identity
from hybrid_pose_ros.parallel import as_done, one_torch_thread
from hybrid_pose_ros.pose.presence import presence_of
from hybrid_pose_ros.pose.ros4hri_params import Ros4hriParams
from hybrid_pose_ros.recordings.labeled import (
    LabeledRecording, load_with_events, skipping_gaps)
from hybrid_pose_ros.tracking.offline import (
    OfflineInitializer, OfflineTracker, RecordingAnn, pieces, play)
from hybrid_pose_ros.tracking.tracker_params import TrackerParams

STRIDE_US = 107_000
"""Interval between instants: about 100 ms, but not a multiple of the interval between
initializations, so that the hybrid is scored at every age of its state."""
REAL = 'real'
"""Name of the clips of real people among the kinds."""
ROWS = ('ann', 'hybrid')


@dataclass(frozen=True)
class _Task:
    """Input of a worker process for one recording."""

    kind: str
    path: Path
    checkpoints: Mapping[str, Checkpoint]
    params: EvaluationParams
    rows: tuple[str, ...]


class _Found(NamedTuple):
    """Results of one recording."""

    kind: str
    name: str
    sensor: str
    gaps: str  # one-line report; empty: no gaps
    poses: dict[tuple[str, str], ScoredPoses]  # by weights and row


def find_kinds(folder: Path) -> dict[str, list[Path]]:
    """Return the recordings of each kind, keyed by the name of its folder.

    Raises:
        InputError: there are no recordings.
    """
    kinds = {inner.name: sorted(inner.glob('*.h5')) for inner in sorted(folder.glob('*/'))}
    kinds = {name: paths for name, paths in kinds.items() if paths}
    if not kinds:
        raise InputError(f'no recordings (.h5) in the folders of {folder}: expected a folder for '
                         'each kind, as `hybrid-pose simulate --corpus DIR --kind front '
                         '--output KINDS/front` makes')
    return kinds


def compare(checkpoints: Mapping[str, Checkpoint], kinds: Mapping[str, Sequence[Path]],
            params: EvaluationParams = EvaluationParams(), *, rows: Sequence[str] = ('ann',),
            executor: Executor | None = None,
            progress: Callable[[str], None] = lambda name: None) -> dict[str, Any]:
    """Return the figures of all weights on each kind, ready for JSON.

    Args:
        checkpoints: weights by their name in the result; the first is compared with each of the
            others. Their networks may differ.
        kinds: labeled recordings; those of kind REAL do not affect the decision to ship.
        params: settings of the graph and of the instants.
        rows: some of ROWS.
        executor: executor for the recordings; None: run them sequentially in this process.
        progress: called with the name of each finished recording.

    Raises:
        InputError: a recording cannot be used.
    """
    stride_us = params.stride_us or -(-STRIDE_US // params.step_us) * params.step_us
    params = replace(params, stride_us=stride_us, ann_latency_us=0)
    tasks = [_Task(kind, path, checkpoints, params, tuple(rows))
             for kind, paths in kinds.items() for path in paths]
    found = []
    for one in as_done(_poses_of, tasks, executor):
        progress(f'{one.kind} {one.name}')
        found.append(one)
    found.sort(key=lambda one: one.name)
    tables = {kind: _kind([one for one in found if one.kind == kind], list(checkpoints), rows)
              for kind in kinds}
    return {
        'weights': {name: {'preset': checkpoint.preset.name, 'identity': identity(checkpoint),
                           'trained': bool(checkpoint.card.get('trained'))}
                    for name, checkpoint in checkpoints.items()},
        'settings': asdict(params), 'rows': list(rows),
        'least_presence': Ros4hriParams().least_confidence, 'kinds': tables,
        'shipping': {row: _shipping(tables, list(checkpoints), row) for row in rows}}


def _poses_of(task: _Task) -> _Found:
    """Return the poses of one recording."""
    recording, gaps = skipping_gaps(load_with_events(task.path))
    schedule = make_schedule(recording, task.params)
    joints, counted, _ = recording.joints_at(schedule.instants_us)
    torso = torso_px(recording.joints_px, recording.visible)
    poses = {}
    with one_torch_thread():  # other recordings use the other cores
        for name, checkpoint in task.checkpoints.items():
            ann = RecordingAnn(checkpoint, recording,
                               params=initializer_params(checkpoint, task.params))
            for row in task.rows:
                if row == 'ann':
                    px, confidence = ann_at(ann, schedule.instants_us)
                    presence = confidence.mean(axis=1)
                else:
                    px, confidence, presence = _hybrid_at(checkpoint, recording, ann, schedule,
                                                          task.params)
                poses[name, row] = ScoredPoses(
                    joints, counted, torso, px, np.nan_to_num(confidence),
                    np.nan_to_num(presence), Ros4hriParams().least_confidence)
    return _Found(task.kind, recording.name, f'{recording.width}x{recording.height}', gaps, poses)


def _hybrid_at(checkpoint: Checkpoint, recording: LabeledRecording, ann: RecordingAnn,
               schedule: Schedule, params: EvaluationParams
               ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the tracker's joints (T, J, 2) [px], confidence (T, J) and presence (T,).

    The values are NaN before the first pose.
    """
    tracker = TrackerParams(step_us=params.step_us, quiet_events_per_s=params.quiet_events_per_s)
    size, end_us = (recording.width, recording.height), int(schedule.instants_us[-1])
    initializer = OfflineInitializer(checkpoint, initializer_params(checkpoint, params), *size,
                                     network=ann.network)
    run = OfflineTracker(checkpoint, tracker, *size)
    events = recording.events_between(schedule.start_us, end_us)
    for _ in play(pieces(events), initializer, [run], end_us=end_us):
        pass
    track = run.track()
    return (at_times(track, schedule.instants_us, track.joints_px),
            at_times(track, schedule.instants_us, track.confidence),
            at_times(track, schedule.instants_us,
                     presence_of(track.confidence, track.stamps_us)))


def _kind(found: Sequence[_Found], names: Sequence[str], rows: Sequence[str]) -> dict[str, Any]:
    """Return the figures of all weights on one kind, and the differences to the first."""
    def poses(name: str, row: str) -> list[ScoredPoses]:
        return [one.poses[name, row] for one in found]
    first, *others = names
    return {
        'recordings': [one.name for one in found],
        'sensors': sorted({one.sensor for one in found}),
        'gaps': {one.name: one.gaps for one in found if one.gaps},
        'instants': sum(len(one.poses[first, rows[0]].counted) for one in found),
        'figures': {row: {name: figures(poses(name, row)) for name in names} for row in rows},
        'by_recording': {row: {name: by_recording(poses(name, row)) for name in names}
                         for row in rows},
        'confidence_percentiles': {row: {name: confidence_percentiles(poses(name, row))
                                         for name in names} for row in rows},
        'differences': {row: {name: differences(poses(first, row), poses(name, row))
                              for name in others} for row in rows}}


def _shipping(tables: Mapping[str, Any], names: Sequence[str], row: str) -> dict[str, Any]:
    """Return, for each of the other weights, whether the first may replace them."""
    first, *others = names
    judged = {kind: table for kind, table in tables.items() if kind != REAL}

    def changes(table: Mapping[str, Any], other: str) -> dict[str, Any]:
        of = table['figures'][row]
        return {figure: apart | {'value': of[first][figure]['value'],
                                 'other': of[other][figure]['value']}
                for figure, apart in table['differences'][row][other].items()}
    return {other: decide({kind: changes(table, other) for kind, table in judged.items()})
            for other in others if judged}
