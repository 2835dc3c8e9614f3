# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Validates weights on held-out recordings.

`by_age` follows each ANN state: ages of 10 to 30 ms occur with 30 initializations per second, ages
of 10 to 100 ms with 10. `live` runs the code of both nodes (`tracking/offline.py`) with delayed
states. Errors are distances in sensor pixels for joints inside the image, including occluded ones.
"""

from collections import defaultdict
from typing import Any

import numpy as np

from hybrid_pose_ros.engine.estimator import EngineState, SpikingEngine
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.model.layout import spike_maps
from hybrid_pose_ros.networks.initializer import StateInitializer
from hybrid_pose_ros.pose.heatmaps import locate_joints
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import InputGeometry, input_geometry
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.offline import (
    OfflineInitializer, OfflineTracker, RecordingAnn, pieces, play)
from hybrid_pose_ros.tracking.tracker_params import TrackerParams
from hybrid_pose_ros.training.views import whole_view

AGE_US = 10_000
SETTLED_US = 200_000
"""The first part of a clip is not scored, since it has too few events for the ANN."""


def by_age(checkpoint: Checkpoint, clips: list[LabeledRecording], *, horizon_us: int = 100_000,
           period_us: int = 100_000, steps_us: tuple[int, ...] = (10_000, 1_000),
           initializer: StateInitializer | None = None,
           fresh: bool = True) -> dict[str, Any]:
    """Return the errors by age of the state, every AGE_US, and the firing rates of neurons.

    Args:
        checkpoint: the weights.
        clips: labeled recordings of one sensor.
        horizon_us: time for which each state is followed.
        period_us: interval between initializations, which are followed independently.
        steps_us: lengths of time bins to run the SNN with; divisors of AGE_US.
        initializer: initializer with other heads than those of the weights.
        fresh: also run the ANN at every age, which takes most of the time.
    """
    preset = checkpoint.preset
    geometry = input_geometry(preset, clips[0].width, clips[0].height)
    initializer, view = initializer or StateInitializer(checkpoint), whole_view(geometry)
    engines = {step_us: SpikingEngine(checkpoint, geometry.width, geometry.height, step_us)
               for step_us in steps_us}
    states = {step_us: engine.initialize() for step_us, engine in engines.items()}
    ages = horizon_us // AGE_US
    errors, fired = defaultdict(list), defaultdict(list)
    for clip in clips:
        ann = RecordingAnn(checkpoint, clip, network=initializer)
        for start_us in range(clip.start_us + SETTLED_US, clip.end_us - horizon_us, period_us):
            start_us = start_us // 1000 * 1000
            seen = ann.state_at(start_us)
            if seen is None:
                continue
            held = seen.joints_px
            stamps = start_us + AGE_US * np.arange(1, ages + 1)
            joints, visible, _ = clip.joints_at(stamps)
            poses = {'ann': _poses_of(ann, stamps, held)} if fresh else {}
            poses['ann_held'] = np.repeat(held[None], ages, axis=0)
            for step_us, engine in engines.items():
                state = states[step_us]
                state.copy_from(seen.tensors)
                found, spikes = _follow(engine, state, view.counts(
                    clip, start_us, step_us, horizon_us // step_us), AGE_US // step_us, geometry)
                poses[f'hybrid_{step_us}us'] = found
                fired[step_us].append(spikes)
            for name, found in poses.items():
                errors[name].append(_errors(found, joints, visible))
    sizes = [np.prod(shape) for shape in spike_maps(preset, geometry.width,
                                                    geometry.height).values()]
    return {
        'windows': len(errors.get('ann_held', ())),
        'rows': {name: _row(np.stack(values)) for name, values in errors.items()},
        'spikes_percent_of_neurons_a_step': {
            f'{step_us}us': {layer.name: _rounded(100 * rate) for layer, rate in zip(
                preset.spiking, np.mean(values, axis=(0, 1))[1:] / sizes, strict=True)}
            for step_us, values in fired.items()},
    }


def live(checkpoint: Checkpoint, clips: list[LabeledRecording], *, step_us: int = 1_000,
         rate_hz: float = 30.0, delay_us: int = 30_000) -> dict[str, Any]:
    """Return the errors of the tracker when ANN states are used with a delay.

    The errors are given with and without fusion, and for the last ANN pose that had arrived.
    """
    network = None
    of_clips: dict[str, list[np.ndarray]] = defaultdict(list)
    settings = InitializerParams(preset=checkpoint.preset.name, step_us=step_us, rate_hz=rate_hz)
    for clip in clips:
        trackers = {row: OfflineTracker(
            checkpoint, TrackerParams(step_us=step_us, state_delay_us=delay_us, fusion=fusion),
            clip.width, clip.height) for row, fusion in (('hybrid', True),
                                                         ('hybrid_unfused', False))}
        initializer = OfflineInitializer(checkpoint, settings, clip.width, clip.height,
                                         network=network)
        network = initializer.network
        events = clip.events_between(clip.start_us, clip.end_us)
        seen = [(state.sensor_time_us, state.joints_px) for state in play(
            pieces(events), initializer, list(trackers.values()), end_us=clip.end_us)]
        for row, found in _settled_errors(trackers, seen, delay_us, clip).items():
            of_clips[row].append(found)
    errors = {row: np.concatenate(values) for row, values in of_clips.items()}
    return {'poses': len(errors.get('hybrid', ())), 'rate_hz': rate_hz, 'delay_us': delay_us,
            'step_us': step_us,
            'rows': {name: {'mpjpe_px': _rounded(np.nanmean(values)),
                            'median_px': _rounded(np.nanmedian(values))}
                     for name, values in errors.items()}}


def _settled_errors(trackers: dict[str, OfflineTracker], seen: list[tuple[int, np.ndarray]],
                    delay_us: int, clip: LabeledRecording) -> dict[str, np.ndarray]:
    """Return the errors of the trackers and of held ANN poses after SETTLED_US."""
    errors = {}
    for row, tracker in trackers.items():
        track = tracker.track()
        settled = track.stamps_us >= clip.start_us + SETTLED_US
        stamps_us = track.stamps_us[settled]
        joints, visible, _ = clip.joints_at(stamps_us)
        errors[row] = _errors(track.joints_px[settled], joints, visible)
    if seen:
        times_us, joints_px = (np.stack(values) for values in zip(*seen))
        last = np.searchsorted(times_us + delay_us, stamps_us) - 1
        errors['ann_held'] = _errors(joints_px[last], joints, visible)
    return errors


def _poses_of(ann: RecordingAnn, stamps_us: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the ANN's joints (A, J, 2) [px]; with too few events, the previous ones."""
    poses = []
    for stamp_us in map(int, stamps_us):
        state = ann.state_at(stamp_us)
        before = before if state is None else state.joints_px
        poses.append(before)
    return np.stack(poses)


def _follow(engine: SpikingEngine, state: EngineState, counts: np.ndarray, every: int,
            geometry: InputGeometry) -> tuple[np.ndarray, np.ndarray]:
    """Return joints (A, J, 2) [px] every `every` bins, and the spikes of all bins (T, 1 + L)."""
    poses, spikes = [], []
    for index, bin_counts in enumerate(np.minimum(counts, 255).astype(np.uint8), start=1):
        heatmap = engine.step(np.ascontiguousarray(bin_counts), state)
        spikes.append(state.spike_counts)
        if index % every == 0:
            cells, _ = locate_joints(heatmap, engine.preset.logits)
            poses.append(geometry.to_px(cells + state.offset))
    return np.stack(poses), np.stack(spikes)


def _errors(found: np.ndarray, joints: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Return distances (T, J) [px]; NaN for joints that are not visible."""
    return np.where(visible, np.linalg.norm(found - joints, axis=-1), np.nan)


def _row(errors: np.ndarray) -> dict[str, Any]:
    """Return the metrics of distances (windows, ages, J)."""
    by_age = np.nanmean(errors, axis=(0, 2))
    return {'mpjpe_px': _rounded(np.nanmean(errors)), 'median_px': _rounded(np.nanmedian(errors)),
            'mpjpe_px_to_30ms': _rounded(np.nanmean(errors[:, :3])),
            'mpjpe_px_by_age': [_rounded(value) for value in by_age],
            'mpjpe_px_by_joint': [_rounded(value) for value in np.nanmean(errors, axis=(0, 1))]}


def _rounded(value: float) -> float | None:
    """Round to three decimals; None for NaN (a mean of no joints), which JSON cannot represent."""
    return None if np.isnan(value) else round(float(value), 3)
