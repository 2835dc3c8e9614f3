# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How good weights are on recordings that they have not seen, run as the nodes run them.

`by_age` follows each state of the ANN for some time: what it says of 10 to 30 ms holds for 30
initializations a second, of 10 to 100 ms for 10. `live` runs the tracker itself, its ANN late.
Errors are distances of joints inside the image, hidden behind the body or not, in sensor pixels.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.checkpoint import Checkpoint
from hybrid_pose_ros.engine.estimator import SpikingEngine
from hybrid_pose_ros.layout import spike_maps, state_layout
from hybrid_pose_ros.networks.initializer import StateInitializer
from hybrid_pose_ros.pipeline import Pose, PoseTracker
from hybrid_pose_ros.pose.heatmaps import locate_joints
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import InputGeometry, input_geometry
from hybrid_pose_ros.tracker_params import TrackerParams
from hybrid_pose_ros.training.views import MIN_EVENTS, last_events, whole_view

AGE_US = 10_000
PACKET_US = 4_000
SETTLED_US = 200_000
"""A clip's first part is left out: there are few events to look back on."""


class Ann:
    """The ANN and the heads on the whole input."""

    def __init__(self, checkpoint: Checkpoint, geometry: InputGeometry,
                 initializer: StateInitializer | None = None):
        """Allocate what they write; another initializer has the same ANN and other heads."""
        self._preset, self._view = checkpoint.preset, whole_view(geometry)
        self._geometry = geometry
        self._initializer = initializer or StateInitializer(checkpoint)
        layout = state_layout(checkpoint.preset, geometry.width, geometry.height)
        self.tensors = {name: np.zeros(shape, np.float32) for name, shape in layout.items()}

    def look(self, clip: LabeledRecording, at_us: int) -> np.ndarray | None:
        """Return the joints (J, 2) [px] and leave the state in `tensors`; None: too few events."""
        ann = self._preset.ann
        if len(last_events(clip, at_us, MIN_EVENTS)) < MIN_EVENTS:
            return None
        self._initializer.initialize_into(
            self._view.frame(clip, at_us, ann.window_events, ann.bins), self.tensors)
        cells, _ = locate_joints(self.tensors['heatmap'], self._preset.logits)
        return self._geometry.to_px(cells)


def by_age(checkpoint: Checkpoint, clips: list[LabeledRecording], *, horizon_us: int = 100_000,
           period_us: int = 100_000, steps_us: tuple[int, ...] = (10_000, 1_000),
           initializer: StateInitializer | None = None,
           fresh: bool = True) -> dict[str, Any]:
    """Return errors by the age of the state, every AGE_US, and how often neurons fire.

    Args:
        checkpoint: the weights.
        clips: recordings with labels, of one sensor.
        horizon_us: how long each state is followed.
        period_us: from one initialization to the next; each is followed on its own.
        steps_us: lengths of a time bin to run the SNN with, divisors of AGE_US.
        initializer: with other heads than those of the weights.
        fresh: the ANN at every age, too, which takes most of the time.
    """
    preset = checkpoint.preset
    geometry = input_geometry(preset, clips[0].width, clips[0].height)
    ann, view = Ann(checkpoint, geometry, initializer), whole_view(geometry)
    engines = {step_us: SpikingEngine(checkpoint, geometry.width, geometry.height, step_us)
               for step_us in steps_us}
    states = {step_us: engine.initialize() for step_us, engine in engines.items()}
    ages = horizon_us // AGE_US
    errors, fired = defaultdict(list), defaultdict(list)
    for clip in clips:
        for start_us in range(clip.start_us + SETTLED_US, clip.end_us - horizon_us, period_us):
            start_us = start_us // 1000 * 1000
            held = ann.look(clip, start_us)
            if held is None:
                continue
            tensors = {name: tensor.copy() for name, tensor in ann.tensors.items()}
            stamps = start_us + AGE_US * np.arange(1, ages + 1)
            joints, visible, _ = clip.joints_at(stamps)
            poses = {'ann': _looks(ann, clip, stamps, held)} if fresh else {}
            poses['ann_held'] = np.repeat(held[None], ages, axis=0)
            for step_us, engine in engines.items():
                state = states[step_us]
                state.copy_from(tensors)
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


class LateState(NamedTuple):
    """A state of the ANN, as `runs.InitialState`, and the pose that it shows."""

    sensor_time_us: int
    tensors: dict[str, np.ndarray]
    joints_px: np.ndarray  # (J, 2)

    def is_intact(self) -> bool:
        """Return True: nobody writes over it."""
        return True


class LateAnn:
    """The ANN as a node beside the tracker: so many states a second, each some time late."""

    def __init__(self, ann: Ann, *, rate_hz: float, delay_us: int, step_us: int):
        """Look at nothing yet."""
        self._ann = ann
        self._period_us, self._delay_us, self._step_us = 1e6 / rate_hz, delay_us, step_us
        self._underway: deque[LateState] = deque()
        self._next_us = 0.0

    def look(self, clip: LabeledRecording, now_us: int) -> None:
        """Look at the events until now, if it is time to."""
        at_us = now_us // self._step_us * self._step_us
        if now_us >= self._next_us and (joints_px := self._ann.look(clip, at_us)) is not None:
            tensors = {name: tensor.copy() for name, tensor in self._ann.tensors.items()}
            self._underway.append(LateState(at_us, tensors, joints_px))
            self._next_us = now_us + self._period_us

    def arrived(self, now_us: int) -> Iterator[LateState]:
        """Yield the states that have come since the last call."""
        while self._underway and self._underway[0].sensor_time_us + self._delay_us <= now_us:
            yield self._underway.popleft()


def live(checkpoint: Checkpoint, clips: list[LabeledRecording], *, step_us: int = 1_000,
         rate_hz: float = 30.0, delay_us: int = 30_000) -> dict[str, Any]:
    """Return errors of the tracker, fed packets, with a state every 1 / rate that comes late.

    With and without fusion, and those of the last pose of the ANN that had come by then.
    """
    errors = defaultdict(list)
    for clip in clips:
        geometry = input_geometry(checkpoint.preset, clip.width, clip.height)
        trackers = {row: PoseTracker(checkpoint, TrackerParams(step_us=step_us, fusion=fusion),
                                     clip.width, clip.height)
                    for row, fusion in (('hybrid', True), ('hybrid_unfused', False))}
        ann = LateAnn(Ann(checkpoint, geometry), rate_hz=rate_hz, delay_us=delay_us,
                      step_us=step_us)
        held = None
        for start_us in range(clip.start_us, clip.end_us, PACKET_US):
            for state in ann.arrived(start_us):
                for tracker in trackers.values():
                    tracker.initialize(state)
                held = state.joints_px
            events = clip.events_between(start_us, start_us + PACKET_US)
            for row, tracker in trackers.items():
                for stamp_us, joints_px in _settled(tracker.update(events), clip):
                    joints, visible, _ = clip.joints_at(np.array([stamp_us]))
                    errors[row].append(_errors(joints_px, joints, visible))
                    if row == 'hybrid':
                        errors['ann_held'].append(_errors(held, joints, visible))
            ann.look(clip, start_us + PACKET_US)
    return {'poses': len(errors['hybrid']), 'rate_hz': rate_hz, 'delay_us': delay_us,
            'step_us': step_us,
            'rows': {name: {'mpjpe_px': _rounded(np.nanmean(values)),
                            'median_px': _rounded(np.nanmedian(values))}
                     for name, values in errors.items()}}


def _settled(poses: Iterable[Pose], clip: LabeledRecording) -> Iterator[tuple[int, np.ndarray]]:
    """Yield stamp and joints of the poses behind a clip's first part."""
    for pose in poses:
        if pose.stamp_us >= clip.start_us + SETTLED_US:
            yield pose.stamp_us, pose.skeleton.joints_px


def _looks(ann: Ann, clip: LabeledRecording, stamps_us: np.ndarray,
           before: np.ndarray) -> np.ndarray:
    """Return the ANN's joints (A, J, 2) [px], those before where there are too few events."""
    poses = []
    for stamp_us in map(int, stamps_us):
        found = ann.look(clip, stamp_us)
        before = before if found is None else found
        poses.append(before)
    return np.stack(poses)


def _follow(engine: SpikingEngine, state, counts: np.ndarray, every: int,
            geometry: InputGeometry) -> tuple[np.ndarray, np.ndarray]:
    """Return the joints (A, J, 2) [px] after each `every` bins, and spikes of all (T, 1 + L)."""
    poses, spikes = [], []
    for index, bin_counts in enumerate(np.minimum(counts, 255).astype(np.uint8), start=1):
        heatmap = engine.step(np.ascontiguousarray(bin_counts), state)
        spikes.append(state.spike_counts)
        if index % every == 0:
            cells, _ = locate_joints(heatmap, engine.preset.logits)
            poses.append(geometry.to_px(cells + state.offset))
    return np.stack(poses), np.stack(spikes)


def _errors(found: np.ndarray, joints: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Return distances (T, J) [px], NaN where a joint is out of sight."""
    return np.where(visible, np.linalg.norm(found - joints, axis=-1), np.nan)


def _row(errors: np.ndarray) -> dict[str, Any]:
    """Return figures of the distances (windows, ages, J)."""
    by_age = np.nanmean(errors, axis=(0, 2))
    return {'mpjpe_px': _rounded(np.nanmean(errors)), 'median_px': _rounded(np.nanmedian(errors)),
            'mpjpe_px_to_30ms': _rounded(np.nanmean(errors[:, :3])),
            'mpjpe_px_by_age': [_rounded(value) for value in by_age],
            'mpjpe_px_by_joint': [_rounded(value) for value in np.nanmean(errors, axis=(0, 1))]}


def _rounded(value: float) -> float | None:
    """Return three digits; None for the mean of no joints, which JSON has no number for."""
    return None if np.isnan(value) else round(float(value), 3)
