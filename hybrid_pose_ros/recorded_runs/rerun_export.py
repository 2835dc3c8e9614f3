# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exports a bag as a recording (.rrd) for the Rerun viewer, as an alternative to RViz.

The only timeline is `sensor_time`. `camera/events` is the image, with `camera/skeleton` and
`camera/truth` drawn over it; `plots/...` are the metrics of each pose.
"""

from pathlib import Path
from typing import Any

import numpy as np

from hybrid_pose_ros.errors import InputError, RecordingError
from hybrid_pose_ros.recorded_runs.run_moments import run_moments, skeleton_of
from hybrid_pose_ros.recordings.bag_messages import bag_topics
from hybrid_pose_ros.recordings.event_packet_cdr import EVENT_TYPES
from hybrid_pose_ros.recordings.event_times import EventTimes
from hybrid_pose_ros.recordings.faults import Faults
from hybrid_pose_ros.recordings.pose_topics import POSES, TRUTH as TRUTH_TOPIC, one_of
from hybrid_pose_ros.recordings.typed_messages import (
    MessageReader, TypedMessage, typed_messages)
from hybrid_pose_ros.tasks.skeleton import BONES, JOINTS, Skeleton
from hybrid_pose_ros.visualization.overlay import confidence_bgr, draw_events

CAMERA, SKELETON, TRUTH, PLOTS = 'camera', 'camera/skeleton', 'camera/truth', 'plots'
SCALARS = {'state_age_ms': lambda pose: pose.state_age_us * 1e-3,
           'latency_ms': lambda pose: pose.packet_latency_ms,
           'compute_ms': lambda pose: pose.compute_ms,
           'events': lambda pose: pose.events,
           'confidence': lambda pose: float(pose.confidence.mean())}
"""Metrics of each pose; each has its own plot."""
TRUTH_RGB = (235, 235, 235)
LEAST_CONFIDENCE = 0.05


def export_rerun(bag: Path, path: Path, *, fps: int = 25) -> dict[str, Any]:
    """Write a recording with every pose and `fps` images per second.

    Returns:
        The numbers of poses and images, a line about skipped messages, and a line about unreadable
        parts of the bag.

    Raises:
        InputError: rerun-sdk is not installed, or the file cannot be written.
        RecordingError: the path is not a bag, or the bag contains nothing readable to show.
    """
    rr, topics = _rerun(), bag_topics(bag)
    if not any(kind in EVENT_TYPES or one_of(topic, POSES) for topic, kind in topics.items()):
        raise RecordingError(f'{bag} contains neither events nor poses: there is nothing to show')
    recording = rr.RecordingStream('hybrid_pose_ros', recording_id=f'{bag.resolve().name}')
    try:
        recording.save(path, default_blueprint=_blueprint())
    except (OSError, RuntimeError) as error:
        raise InputError(f'{path} cannot be written: {error}') from error
    recording.log(CAMERA, rr.AnnotationContext(
        [(index, name) for index, name in enumerate(JOINTS)]), static=True)
    counts: dict[str, Any] = {'poses': 0, 'pictures': 0}
    times, reader, faults = EventTimes(), MessageReader(), Faults()
    columns: dict[str, list[float]] = {name: [] for name in SCALARS}
    times_s: list[float] = []
    with faults.collected():
        for moment in run_moments(bag, period_us=1_000_000 // fps, times=times, reader=reader):
            time_s = moment.sensor_time_us * 1e-6
            recording.set_time('sensor_time', duration=time_s)
            if moment.events is not None:
                counts['pictures'] += 1
                recording.log(f'{CAMERA}/events', rr.Image(
                    draw_events(moment.events, moment.width, moment.height), color_model='BGR'
                    ).compress(jpeg_quality=85))
            if moment.pose is not None:
                counts['poses'] += 1
                _log_skeleton(rr, recording, SKELETON, skeleton_of(moment.pose),
                              trained=moment.pose.trained)
                times_s.append(time_s)
                for name, number in SCALARS.items():
                    columns[name].append(number(moment.pose))
    if not (counts['poses'] or counts['pictures']):
        faults.raise_any()
    _log_columns(rr, recording, times_s, columns)
    truth: list[TypedMessage] = []
    truth_topics = [topic for topic in topics if one_of(topic, [TRUTH_TOPIC])]
    with faults.collected():
        truth.extend(typed_messages(bag, truth_topics, reader))
    counts['truth'] = _log_truth(rr, recording, truth, times)
    recording.flush()
    return counts | {'bad_messages': reader.bad.line(), 'damage': faults.line()}


def _rerun() -> Any:
    try:
        import rerun
    except ImportError as error:
        raise InputError('this needs the Rerun SDK: pip install rerun-sdk') from error
    return rerun


def _blueprint() -> Any:
    """Return the initial layout of the viewer: image on the left, plots on the right."""
    from rerun import blueprint
    return blueprint.Blueprint(blueprint.Horizontal(
        blueprint.Spatial2DView(origin=CAMERA, name='events and skeleton'),
        blueprint.Vertical(*(blueprint.TimeSeriesView(origin=f'{PLOTS}/{name}', name=name)
                             for name in SCALARS)),
        column_shares=[3, 2]), collapse_panels=True)


def _log_skeleton(rr: Any, recording: Any, entity: str, skeleton: Skeleton, *,
                  trained: bool = True, rgb: tuple[int, int, int] | None = None) -> None:
    """Log joints and bones, except those with low confidence."""
    shown = (skeleton.confidence >= LEAST_CONFIDENCE) & np.isfinite(
        skeleton.joints_px).all(axis=1)
    # Pixel coordinates refer to corners in the viewer and to centers in this package.
    points = skeleton.joints_px + np.float32(0.5)
    colors = [rgb or confidence_bgr(float(confidence), trained)[::-1]
              for confidence in skeleton.confidence]
    joints, order = np.flatnonzero(shown), 10.0 if rgb else 30.0  # the ground truth is drawn below
    recording.log(f'{entity}/joints', rr.Points2D(
        points[joints], colors=[colors[joint] for joint in joints], radii=1.0 if rgb else 2.0,
        class_ids=joints, show_labels=False, draw_order=order + 1))
    bones = [(a, b) for a, b in BONES if shown[a] and shown[b]]
    weaker = [min(bone, key=lambda joint: skeleton.confidence[joint]) for bone in bones]
    recording.log(f'{entity}/bones', rr.LineStrips2D(
        [points[list(bone)] for bone in bones], colors=[colors[joint] for joint in weaker],
        radii=0.4 if rgb else 0.8, draw_order=order))


def _log_truth(rr: Any, recording: Any, messages: list[TypedMessage], times: EventTimes) -> int:
    """Log the bag's ground truth on the clock of the events; return the number of poses."""
    times_us = times.in_turn(np.array([one.message.sensor_time_us for one in messages]),
                             np.array([one.log_time_ns for one in messages]))
    for time_us, message in zip(times_us, messages):
        recording.set_time('sensor_time', duration=time_us * 1e-6)
        _log_skeleton(rr, recording, TRUTH, skeleton_of(message.message), rgb=TRUTH_RGB)
    return len(messages)


def _log_columns(rr: Any, recording: Any, times_s: list[float],
                 columns: dict[str, list[float]]) -> None:
    for name, numbers in columns.items():
        if numbers:
            recording.send_columns(
                f'{PLOTS}/{name}', indexes=[rr.TimeColumn('sensor_time', duration=times_s)],
                columns=rr.Scalars.columns(scalars=numbers))
