# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tracker's whole path on one page: events -> time bins -> spikes -> heatmaps -> skeletons.

A state from the ANN is as old as the events that it has seen, and the network has gone on since.
So it is not put in place of the live one at once, which would throw the pose back in time: a second
run of the network replays the bins in between, some beside each live bin, and takes over when it
has caught up. Far behind, it takes many bins in one long step.

    live run     ──●──●──●──●──●──●──●──●──┐
    state of t0        t0 ━━━  ━━━  ━●●  ●●●●──●──●──   becomes the live run

A tracker that cannot keep up (too many events, a busy machine) takes bins together in long steps,
with a pose each, until it has caught up. Where it is so far behind that states are ahead of it, it
goes on until it meets them, or, where that is too far, leaves out the bins in between.

Each bin is also asked whether the ANN should look again before its time (`demand.py`).
"""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from hybrid_pose_ros.checkpoint import Checkpoint
from hybrid_pose_ros.demand import Demand, DemandParams
from hybrid_pose_ros.engine.estimator import EngineState, SpikingEngine
from hybrid_pose_ros.pose.heatmaps import locate_joints
from hybrid_pose_ros.pose.holding import JointHolder
from hybrid_pose_ros.pose.skeleton import JOINTS, Skeleton
from hybrid_pose_ros.pose.velocity import VelocityState, velocity_step
from hybrid_pose_ros.presets import PRESETS, Preset
from hybrid_pose_ros.representation.geometry import InputGeometry, input_geometry
from hybrid_pose_ros.representation.hot_pixels import HotPixels
from hybrid_pose_ros.representation.lens import load_lens
from hybrid_pose_ros.representation.step_counter import Gap, Step, StepCounter
from hybrid_pose_ros.settings import check, param

PATIENCE_US = 50_000
"""A state that has not caught up in idle times after so long delays the poses."""


@dataclass(frozen=True)
class NetworkParams:
    """What the two nodes of the network must have in common."""

    preset: str = param('edge', 'Network: edge (1000 steps a second on a CPU) or paper.',
                        choices=tuple(PRESETS))
    checkpoint: str = param('', 'Weights (.safetensors). Empty: those that ship with the preset, '
                            'or random ones, marked as untrained, where none do.')
    step_us: int = param(1_000, 'Length of a time bin of the spiking network [us].',
                         low=100, high=100_000)
    calibration: str = param('', 'YAML of camera_calibration: events and joints are those of a '
                             'camera without distortion. Empty: as the sensor sees them.')
    mask_hot_pixels: bool = param(True, 'Leave out pixels that fire alone at 100 Hz or more '
                                  'without end.')
    autostart: bool = param(True, 'Configure and activate the node at its start; off: a lifecycle '
                            'manager does.')

    def __post_init__(self):
        check(self)

    def geometry(self, preset: Preset, width: int, height: int) -> InputGeometry:
        """Return where a sensor's pixels lie in the network's input.

        Raises:
            InputError: the sensor is too small for the preset, or the calibration not for it.
        """
        lens = load_lens(self.calibration, width, height) if self.calibration else None
        return input_geometry(preset, width, height, lens=lens)


@dataclass(frozen=True)
class TrackerParams(DemandParams, NetworkParams):
    """Parameters of the snn_tracker node."""

    replay_steps: int = param(4, 'Steps of the replay beside each live bin where a new state '
                              'does not catch up in idle times.', low=2, high=1_000)
    replay_step_us: int = param(10_000, 'The replay takes past bins together in steps of up to '
                                'this length [us], 10 ms at most as trained; step_us or less: one '
                                'by one.', low=100, high=100_000)
    history_us: int = param(1_000_000, 'How far back bins are kept for the replay [us]; an older '
                            'state is refused.', low=1_000, high=5_000_000)
    merge_lag_us: int = param(100_000, 'Packets that waited longer than this are taken in long '
                              'steps of replay_step_us, with a pose for each [us].',
                              low=1_000, high=60_000_000)
    max_lag_us: int = param(200_000, 'A tracker that is further behind than this leaves out bins '
                            'up to the newest state [us].', low=10_000, high=60_000_000)
    quiet_events_per_s: float = param(300.0, 'A joint with fewer events round it (5 % of the '
                                      'height to each side) is held where it was, and marked; '
                                      '0: none is.', low=0.0, high=1e6)
    snn_threads: int = param(1, 'Threads of the spiking network; more than one is worth it for paper '
                         'only.', low=1, high=64)
    throttle_hz: float = param(30.0, 'Poses a second on ~/skeleton_throttle [Hz].',
                               low=0.1, high=1000.0)
    realtime_priority: int = param(0, 'Of the process, among those that go before all others '
                                   '(SCHED_RR); needs the right to (ulimit -r). 0: like others, '
                                   'at nice -10 where permitted.', low=0, high=99)


class InitialState(Protocol):
    """A state from the ANN, as `transport.reader.StateView` is one."""

    sensor_time_us: int  # the state has seen all events before it
    tensors: Mapping[str, np.ndarray]  # names and shapes of `layout.state_layout`

    def is_intact(self) -> bool:
        """Return whether the tensors are still what they were when they were read."""


class Pose(NamedTuple):
    """A skeleton and how it came about."""

    skeleton: Skeleton
    held: np.ndarray  # (J,) bool: no events near the joint, so it was left where it was
    events: int  # in the time bin
    skipped_steps: int  # bins since the last pose for which there is none
    state_age_us: int  # since the events that the ANN saw
    stale: bool  # that is more than max_age_us: the pose may have drifted away
    compute_ns: int

    @property
    def stamp_us(self) -> int:
        """Sensor time of the end of the bin."""
        return self.skeleton.stamp_us


@dataclass
class TrackerCounts:
    """Totals since the tracker was made."""

    steps: int = 0  # time bins, with or without a pose
    poses: int = 0
    gaps: int = 0  # jumps of the sensor's clock, behind which the state is given up
    network_steps: int = 0  # steps of the network, long ones and those of a replay included
    states: int = 0  # states that took over
    replayed_steps: int = 0
    states_too_old: int = 0  # older than the kept bins
    states_unneeded: int = 0  # came while the one before was still catching up
    states_torn: int = 0  # overwritten while they were copied
    merged_steps: int = 0  # bins that were taken in long steps, since the tracker was behind
    left_out_steps: int = 0  # bins without a pose, since the tracker was too far behind


@dataclass
class _Run:
    """One run of the network."""

    state: EngineState
    since_us: int  # sensor time of its initialization
    next_index: int  # the bin that it takes next
    arrival_index: int  # the newest bin when it came
    merging: bool = False  # several bins in a step; its state is of such steps


class PoseTracker:
    """Makes a pose of every time bin, from the first state of the ANN on."""

    def __init__(self, checkpoint: Checkpoint, params: TrackerParams, width: int, height: int):
        """Lay out the network for a sensor of width x height pixels; ready when it returns."""
        self.counts = TrackerCounts()
        self.trained = bool(checkpoint.card.get('trained'))
        self._params = params
        self._logits = checkpoint.preset.logits
        self._geometry = params.geometry(checkpoint.preset, width, height)
        kept = max(1, params.history_us // params.step_us)
        self._kept_steps = kept
        self._hot = HotPixels(width, height) if params.mask_hot_pixels else None
        self._counter = self._new_counter()
        self._engine = SpikingEngine(checkpoint, self._geometry.width, self._geometry.height,
                                     params.step_us, threads=params.snn_threads)
        self._engine.warm_up()
        self._merged = min(kept, max(1, params.replay_step_us // params.step_us))  # in a long step
        if self._merged > 1:
            self._long_engine = SpikingEngine(checkpoint, self._geometry.width,
                                              self._geometry.height,
                                              self._merged * params.step_us,
                                              threads=params.snn_threads)
            self._free_long = [self._long_engine.initialize(), self._long_engine.initialize()]
        # Of all steps of the network: cells with events, then spikes of each layer.
        self.spikes = np.zeros(len(self._engine.plan.spikes), np.int64)
        self.layout = self._engine.layout  # shapes of the tensors that a state must have
        self._history: deque[Step] = deque(maxlen=kept)
        self._live: _Run | None = None
        self._candidate: _Run | None = None
        self._leaving_out = False  # until the candidate takes over
        self._hurried = False  # packets wait: bins are taken together
        self._idles = False  # `catch_up` is called
        self._free = [self._engine.initialize(), self._engine.initialize()]
        self._demand = Demand(params, params.step_us)
        self._request: str | None = None
        self._forget()

    @property
    def engine(self) -> SpikingEngine:
        """The network that takes the bins one by one."""
        return self._engine

    @property
    def requests(self) -> Mapping[str, int]:
        """How often an early state was asked for, by reason."""
        return self._demand.counts

    @property
    def hot_pixels(self) -> int:
        """Number of pixels that are left out."""
        return 0 if self._hot is None else self._hot.number

    @property
    def held_joints(self) -> int:
        """Number of joints that are held."""
        return len(JOINTS) - self._moving

    @property
    def state_age_us(self) -> int | None:
        """Sensor time since the events that the live state's ANN saw; None without a state."""
        if self._live is None:
            return None
        return self._live.next_index * self._params.step_us - self._live.since_us

    @property
    def spike_counts(self) -> np.ndarray | None:
        """Cells with events, then spikes of each layer, of the last live step."""
        return None if self._live is None else self._live.state.spike_counts

    def update(self, events: np.ndarray, *, waited_us: int = 0) -> Iterator[Pose]:
        """Yield the poses of the bins that a packet's events complete, each as it is computed.

        Args:
            events: of the packet.
            waited_us: how long the packet has waited for the tracker.
        """
        self._hurried = self._merged > 1 and waited_us > self._params.merge_lag_us
        if self._hot is not None:
            events = self._hot.leave_out(events)
        for fact in self._counter.update(events):
            if isinstance(fact, Gap):
                self.counts.gaps += 1
                self._forget()
                self.lose()
                continue
            started_ns = time.perf_counter_ns()
            self.counts.steps += 1
            self._history.append(fact)
            counts = self._advance(fact)
            pose = None if counts is None else self._pose(fact, counts, started_ns)
            self._watch(fact, pose)
            if pose is not None:
                yield pose

    def catch_up(self) -> bool:
        """Let a state that catches up take one step, while there is nothing else to do.

        Poses need not wait for its replay then. Where this is not called, or not often enough to
        catch up within PATIENCE_US, `update` replays `replay_steps` beside each live bin.

        Returns:
            Whether there is more to do before the next packet.
        """
        self._idles = True
        candidate, live = self._candidate, self._live
        end_index = self._history[-1].index + 1 if self._history else 0
        if candidate is None or live is None or live.next_index != end_index:
            return False
        self._replay(candidate, end_index - 1, limit=1)
        if candidate.next_index == end_index:
            self._take_over(candidate)
        return candidate.next_index < end_index

    def lose(self) -> None:
        """Note that events were lost on the way; the bins in between are without them."""
        self._demand.lose()

    def take_request(self) -> str | None:
        """Return why the ANN should look again at once, each time once; None where it need not."""
        reason, self._request = self._request, None
        return reason

    def initialize(self, state: InitialState) -> Pose | None:
        """Copy a state and replay the bins since; it takes over in `update`, when it has caught up.

        Returns:
            The pose of the last bin, where there was no live run that replaying everything at
            once could have held up; else None.
        """
        started_ns = time.perf_counter_ns()
        candidate = self._copy(state)
        if candidate is None or self._live is not None:
            self._candidate = candidate or self._candidate
            return None
        last = self._history[-1]
        self._replay(candidate, last.index, limit=len(self._history))
        if candidate.next_index != last.index + 1:  # the state is ahead of what came until now
            self._candidate = candidate
            return None
        self._take_over(candidate)
        return self._pose(last, last.counts, started_ns)

    def _copy(self, state: InitialState) -> _Run | None:
        """Return a run that starts from a state; None where the state is of no use."""
        first_index = -(-state.sensor_time_us // self._params.step_us)
        if not self._history or first_index < self._history[0].index:
            self.counts.states_too_old += 1
            return None
        if self._candidate is not None:
            # It would never take over if each newer one replaced it. An older one says that the
            # candidate is of the time before the sensor's clock began anew.
            if state.sensor_time_us >= self._candidate.since_us:
                self.counts.states_unneeded += 1
                return None
            self._candidate, self._leaving_out = self._release(self._candidate), False
        merging = self._history[-1].index + 1 - first_index > self._merged > 1
        run = _Run((self._free_long if merging else self._free).pop(), state.sensor_time_us,
                   first_index, self._history[-1].index, merging)
        run.state.copy_from(state.tensors)
        if not state.is_intact():
            self.counts.states_torn += 1
            self._release(run)
            return None
        ahead = first_index - self._history[-1].index - 1
        self._leaving_out = ahead * self._params.step_us > self._params.max_lag_us
        return run

    def restart(self) -> None:
        """Begin anew, as the sensor's clock has: by little, maybe, so that no gap would show it."""
        self._counter = self._new_counter()
        self._forget()

    def _new_counter(self) -> StepCounter:
        return StepCounter(self._geometry, self._params.step_us, kept_steps=self._kept_steps)

    def _forget(self) -> None:
        """Give up the state: the sensor's clock jumped. The next state of the ANN is waited for."""
        self._live = self._release(self._live)
        self._candidate = self._release(self._candidate)
        self._leaving_out = False
        self._history.clear()
        self._demand.restart()
        self._holder = JointHolder(self._geometry, self._params.step_us,
                                   self._params.quiet_events_per_s)
        self._moving = len(JOINTS)  # joints that are not held
        self._held_since_us: int | None = None  # of the state that last looked at the joints
        self._velocity: VelocityState | None = None
        self._last_pose_index: int | None = None

    def _advance(self, step: Step) -> np.ndarray | None:
        """Bring the live run to the end of a bin; return the counts that it took last, if it did.

        A candidate that has caught up becomes the live run.
        """
        candidate = self._candidate
        if candidate is not None:
            if self._is_due(candidate, step.index):
                self._replay(candidate, step.index, limit=self._params.replay_steps)
            if candidate.next_index == step.index + 1:
                if self._live is not None:  # bins that waited for a long step get no pose now
                    self.counts.merged_steps += step.index - self._live.next_index
                self._take_over(candidate)
                return step.counts
        live = self._live
        if live is None:
            return None
        if self._leaving_out:
            self.counts.left_out_steps += 1
            live.next_index = step.index + 1
            return None
        behind = step.index + 1 - live.next_index
        if self._hurried:
            if behind < self._merged:
                return None
            self.counts.merged_steps += self._merged
            return self._take_long_step(live)
        for _ in range(behind):
            self._take_step(live)
        return step.counts

    def _is_due(self, candidate: _Run, index: int) -> bool:
        """Return whether a candidate replays beside a live bin, and does not wait for idle time."""
        waited_us = (index - candidate.arrival_index) * self._params.step_us
        return (not self._idles or waited_us > PATIENCE_US
                or index - candidate.next_index < self._params.replay_steps)  # it is there at once

    def _take_over(self, run: _Run) -> None:
        self._release(self._live)
        self._live, self._candidate = run, None
        self._leaving_out = False
        self.counts.states += 1

    def _release(self, run: _Run | None) -> None:
        if run is not None:
            (self._free_long if run.merging else self._free).append(run.state)

    def _replay(self, run: _Run, last_index: int, *, limit: int) -> None:
        """Let a run take bins up to the last one, in no more steps than the limit.

        The last one it takes by itself: its spikes are asked for.
        """
        for _ in range(limit):
            behind = last_index + 1 - run.next_index
            if behind <= 0:
                return
            if run.merging and behind > self._merged:
                self._take_long_step(run)
            else:
                self._take_step(run)
            self.counts.replayed_steps += 1

    def _take_step(self, run: _Run) -> None:
        """Let a run take its next bin."""
        self._set_merging(run, False)
        self._engine.step(self._history[run.next_index - self._history[0].index].counts, run.state)
        run.next_index += 1
        self._count_work(run)

    def _count_work(self, run: _Run) -> None:
        self.counts.network_steps += 1
        self.spikes += run.state.spike_counts

    def _take_long_step(self, run: _Run) -> np.ndarray:
        """Let a run take its next bins together; return their counts."""
        self._set_merging(run, True)
        first = run.next_index - self._history[0].index
        bins = [self._history[first + i].counts for i in range(self._merged)]
        counts = np.minimum(np.sum(bins, axis=0, dtype=np.uint16), 255).astype(np.uint8)
        self._long_engine.step(counts, run.state)
        run.next_index += self._merged
        self._count_work(run)
        return counts

    def _set_merging(self, run: _Run, merging: bool) -> None:
        """Make the state of a run one of long steps, or of short ones."""
        if run.merging != merging:
            state = (self._free_long if merging else self._free).pop()
            state.take(run.state)
            self._release(run)
            run.state, run.merging = state, merging

    def _pose(self, step: Step, counts: np.ndarray, started_ns: int) -> Pose:
        """Return what the live run says; a tracker of another task reads its maps otherwise."""
        cells, confidence = locate_joints(self._live.state.maps, self._logits, len(JOINTS))
        joints_px = self._geometry.to_px(cells + self._live.state.offset).astype(np.float32)
        skipped = self._skipped(step)
        held = self._holder.hold_into(joints_px, counts, steps=skipped + 1,
                                      moved=self._live.since_us != self._held_since_us)
        self._held_since_us = self._live.since_us
        velocity, self._velocity = velocity_step(joints_px, confidence, step.end_us,
                                                 self._velocity)
        skeleton = Skeleton(step.end_us, joints_px, confidence, velocity)
        age_us = step.end_us - self._live.since_us
        self.counts.poses += 1
        return Pose(skeleton, held, step.events, skipped, age_us,
                    age_us > self._params.max_age_us, time.perf_counter_ns() - started_ns)

    def _skipped(self, step: Step) -> int:
        """Return how many bins had no pose since the last that had; this one has."""
        last, self._last_pose_index = self._last_pose_index, step.index
        return 0 if last is None else step.index - last - 1

    def _watch(self, step: Step, pose: Pose | None) -> None:
        """Look at a pose for whether the ANN should look again."""
        confidence, quiet = None, False
        if pose is not None:
            moving = len(pose.held) - np.count_nonzero(pose.held)
            if moving:
                confidence = float(pose.skeleton.confidence @ ~pose.held) / moving
            quiet = moving < self._moving
            self._moving = moving
        self._ask(step, confidence, quiet=quiet)

    def _ask(self, step: Step, confidence: float | None, *, quiet: bool) -> None:
        """Ask for an early state where one is wanted."""
        age_us = None if self._live is None else step.end_us - self._live.since_us
        reason = self._demand.update(step.end_us, step.events, age_us, confidence, quiet=quiet,
                                     coming=self._candidate is not None)
        self._request = reason or self._request
