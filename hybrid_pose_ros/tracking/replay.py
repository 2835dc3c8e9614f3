# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two runs of a network over the same time bins: a live run, and one that catches up.

An ANN state is as old as its events, and the network has advanced in the meantime. Replacing the
live state immediately would set the pose back in time. Instead, a second run of the network
replays the bins in between, either while the tracker is idle or together with the live bins, and
takes over once it has caught up. It merges many bins into one long step, except for the newest
bin.

    live run     ──●──●──●──●──●──●──●──●──┐
    state of t0        t0 ━━━  ━━━  ━━●──●──●──●──●──   becomes the live run

Runs that cannot keep up (too many events, a busy machine) merge bins into long steps until they
have caught up. A run that lags so far that a new state is ahead of it continues until it reaches
the state or, beyond max_lag_us, skips the bins in between.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from hybrid_pose_ros.engine.estimator import EngineState, SpikingEngine
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.clock import nearest_turn
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.model.layout import REGION
from hybrid_pose_ros.representation.geometry import InputGeometry, RegionGeometries
from hybrid_pose_ros.representation.step_counter import Step, count_steps
from hybrid_pose_ros.tracking.tracker_params import TrackerParams

PATIENCE_US = 20_000
"""Time after which a state that has not caught up during idle time may delay poses."""

AT_ONCE = 2
"""Maximum number of replay steps computed before the pose of a new bin."""


Seen = TypeVar('Seen')
"""Type of the data that a tracker reads from a state on arrival, before its replay."""


class InitialState(Protocol):
    """An ANN state, such as `transport.reader.StateView`."""

    @property
    def sensor_time_us(self) -> int:
        """Sensor time of the end of the ANN pass's events."""

    @property
    def tensors(self) -> Mapping[str, np.ndarray]:
        """Tensors with the names and shapes of `layout.message_layout`."""

    def is_intact(self) -> bool:
        """Return whether the tensors have not been overwritten since they were read."""


@dataclass
class TrackerCounts:
    """Totals since the creation of the tracker."""

    steps: int = 0  # time bins, with or without a pose
    poses: int = 0
    gaps: int = 0  # jumps of the sensor clock; each discards the state
    network_steps: int = 0  # including long and replayed ones
    states: int = 0  # states that took over
    replayed_steps: int = 0
    states_too_old: int = 0  # older than the stored bins
    states_unneeded: int = 0  # received while another one was catching up
    states_torn: int = 0  # overwritten during copying
    states_of_no_region: int = 0  # region not valid for the sensor
    merged_steps: int = 0  # bins merged into long steps because the tracker lagged
    left_out_steps: int = 0  # bins without a pose because the tracker lagged too far


@dataclass
class NetworkRun(Generic[Seen]):
    """One run of the network."""

    state: EngineState
    geometry: InputGeometry  # of its region
    since_us: int  # sensor time of its initialization
    next_index: int  # index of the next bin
    arrival_index: int  # index of the newest bin on arrival
    seen: Seen  # result of `read` for the state on arrival
    counts: np.ndarray | None = None  # events of the last step, (2, H, W) uint8; None: no step yet


@dataclass(slots=True)
class NetworkOutput(Generic[Seen]):
    """Input for a pose: the live run at the end of a time bin."""

    step: Step  # the bin
    counts: np.ndarray  # of the last network step, which may merge several bins
    geometry: InputGeometry  # of the region
    state: EngineState  # contains the heatmaps; overwritten by the next step of the run
    since_us: int  # sensor time of the events of the ANN pass that initialized the run
    seen: Seen  # result of `read` for the state on arrival

    @property
    def age_us(self) -> int:
        """Sensor time since the events of the ANN pass."""
        return self.step.end_us - self.since_us


class LateStateReplay(Generic[Seen]):
    """Processes every time bin after the first state; the live run yields the input for poses."""

    def __init__(self, checkpoint: Checkpoint, params: TrackerParams, geometry: InputGeometry,
                 counts: TrackerCounts, *, read: Callable[[EngineState, InputGeometry], Seen],
                 period_us: int = 0):
        """Allocate the network and compile its kernels.

        Args:
            checkpoint: the weights.
            params: parameters of the tracker.
            geometry: geometry of the largest region.
            counts: totals to update.
            read: called with each copied state and its geometry before the replay; the result is
                the run's `seen`.
            period_us: period of the sensor clock; 0: it does not wrap.
        """
        self._read = read
        self._period_us = period_us
        self._params = params
        self._counts = counts
        self._geometries = RegionGeometries(geometry)
        self.kept_steps = max(1, params.history_us // params.step_us)
        self._longest = min(self.kept_steps, max(1, params.replay_step_us // params.step_us))
        self.engine = SpikingEngine(checkpoint, geometry.width, geometry.height, params.step_us,
                                    longest=self._longest, threads=params.snn_threads)
        self.engine.warm_up()
        self._free = [self.engine.initialize(), self.engine.initialize()]
        # Totals over all network steps: cells with events, then spikes of each layer.
        self.spikes = np.zeros(len(self.engine.plan.spikes), np.int64)
        self._history: deque[Step] = deque(maxlen=self.kept_steps)
        self._live: NetworkRun[Seen] | None = None
        self._candidate: NetworkRun[Seen] | None = None
        self._leaving_out = False  # skip bins until the candidate takes over
        self._idles = False  # whether `catch_up` is called

    @property
    def is_catching_up(self) -> bool:
        """Whether a state is catching up."""
        return self._candidate is not None

    @property
    def since_us(self) -> int | None:
        """Sensor time of the live state's ANN pass; None without a state."""
        return None if self._live is None else self._live.since_us

    @property
    def state_age_us(self) -> int | None:
        """Time from since_us to the end of the live run's last step; None without a state."""
        live = self._live
        return None if live is None else live.next_index * self._params.step_us - live.since_us

    @property
    def live_spikes(self) -> np.ndarray | None:
        """Cells with events, then spikes of each layer, in the last step of the live run."""
        return None if self._live is None else self._live.state.spike_counts

    def forget(self) -> None:
        """Discard states and bins."""
        self._release(self._live)
        self._release(self._candidate)
        self._live = self._candidate = None
        self._leaving_out = False
        self._history.clear()

    def start(self, state: InitialState) -> NetworkOutput[Seen] | None:
        """Copy a state and replay the bins since then; it takes over once it has caught up.

        Returns:
            The input for the pose of the last bin if there was no live run, because the replay is
            then completed immediately and the state becomes the live one; otherwise None.
        """
        candidate = self._copy(state)
        if candidate is None or self._live is not None:
            self._candidate = candidate or self._candidate
            return None
        last = self._history[-1]
        self._replay(candidate, last.number, limit=len(self._history))
        if candidate.next_index != last.number + 1:  # the state is ahead of the newest bin
            self._candidate = candidate
            return None
        self._take_over(candidate)
        return _output(candidate, last)

    def advance(self, step: Step, *, waited_us: int = 0) -> NetworkOutput[Seen] | None:
        """Advance the live run by a new bin; a candidate that has caught up replaces it.

        Args:
            step: the bin.
            waited_us: time for which its packet waited.

        Returns:
            The input for the pose of the bin; None without a live run, or if it lags.
        """
        self._history.append(step)
        candidate = self._candidate
        if candidate is not None:
            # A state at the end of this bin is used from the next bin on, whenever it arrived.
            ahead = candidate.next_index > step.number and self._live and not self._leaving_out
            self._replay(candidate, step.number, limit=self._steps_beside(candidate, step.number))
            if candidate.next_index == step.number + 1 and not ahead:
                if self._live is not None:  # bins waiting for a long step have no pose
                    self._counts.merged_steps += step.number - self._live.next_index
                self._take_over(candidate)
                return _output(candidate, step)
        live = self._live
        if live is None:
            return None
        if self._leaving_out:
            self._counts.left_out_steps += 1
            live.next_index = step.number + 1
            return None
        behind = step.number + 1 - live.next_index
        if self._longest > 1 and waited_us > self._params.merge_lag_us:
            if behind < self._longest:
                return None
            self._counts.merged_steps += self._longest
            self._take_step(live, self._longest)
            return _output(live, step)
        for _ in range(behind):
            self._take_step(live)
        return _output(live, step)

    def catch_up(self) -> bool:
        """Advance the replay by one step; return whether more steps remain.

        If this is not called, or too rarely to catch up within PATIENCE_US, `advance` executes
        `replay_steps` steps per live bin.
        """
        self._idles = True
        candidate, live = self._candidate, self._live
        end_index = self._history[-1].number + 1 if self._history else 0
        if candidate is None or live is None or live.next_index != end_index:
            return False
        self._replay(candidate, end_index - 1, limit=1)
        if candidate.next_index == end_index:
            self._take_over(candidate)
        return candidate.next_index < end_index

    def in_this_turn(self, sensor_us: int) -> int:
        """Return a time unwrapped by another process in the clock period of this process's bins.

        The time may be up to three quarters of a period behind, if the other process was starved,
        and up to one quarter ahead, since fewer packets are queued for the other process.
        """
        newest_us = self._history[-1].end_us
        return nearest_turn(sensor_us, newest_us - self._period_us // 4, self._period_us)

    def _copy(self, state: InitialState) -> NetworkRun[Seen] | None:
        """Return a run that starts from a state; None if the state cannot be used."""
        if not self._history:
            self._counts.states_too_old += 1
            return None
        since_us = (self.in_this_turn(state.sensor_time_us) if self._params.replay
                    else self._history[-1].end_us)
        first_index = -(-since_us // self._params.step_us)
        if first_index < self._history[0].number:
            self._counts.states_too_old += 1
            return None
        if self._candidate is not None:
            # If each newer state replaced the candidate, none would ever take over. An older state
            # means that the candidate precedes a restart of the sensor clock.
            if since_us >= self._candidate.since_us:
                self._counts.states_unneeded += 1
                return None
            self._release(self._candidate)
            self._candidate, self._leaving_out = None, False
        region = np.array(state.tensors.get(REGION, (0, 0, 0, 0)))
        copied = self._free.pop()
        copied.copy_from(state.tensors)
        if not state.is_intact():
            self._counts.states_torn += 1
            self._free.append(copied)
            return None
        try:
            geometry = self._geometries.read(region)
        except InputError:
            self._counts.states_of_no_region += 1
            self._free.append(copied)
            return None
        run = NetworkRun(copied, geometry, since_us, first_index, self._history[-1].number,
                         self._read(copied, geometry))
        ahead = first_index - self._history[-1].number - 1
        self._leaving_out = ahead * self._params.step_us > self._params.max_lag_us
        return run

    def _steps_beside(self, candidate: NetworkRun[Seen], index: int) -> int:
        """Return the number of replay steps for a live bin; 0: wait until the tracker is idle."""
        waited_us = (index - candidate.arrival_index) * self._params.step_us
        if not self._idles or waited_us > PATIENCE_US:
            return self._params.replay_steps
        behind, steps = index + 1 - candidate.next_index, 0
        while behind > 0:
            behind, steps = behind - self._length(behind), steps + 1
        return steps if steps <= AT_ONCE else 0

    def _take_over(self, run: NetworkRun[Seen]) -> None:
        self._release(self._live)
        self._live, self._candidate = run, None
        self._leaving_out = False
        self._counts.states += 1

    def _release(self, run: NetworkRun[Seen] | None) -> None:
        if run is not None:
            self._free.append(run.state)

    def _replay(self, run: NetworkRun[Seen], last_index: int, *, limit: int) -> None:
        """Advance a run up to the last bin in at most `limit` steps.

        The last bin is always a separate step, since its spikes are needed.
        """
        for _ in range(limit):
            behind = last_index + 1 - run.next_index
            if behind <= 0:
                return
            self._take_step(run, self._length(behind))
            self._counts.replayed_steps += 1

    def _length(self, behind: int) -> int:
        """Return the number of bins in the next step of a run that lags by `behind` bins."""
        return max(bins for bins in self.engine.lengths if bins < max(2, behind))

    def _take_step(self, run: NetworkRun[Seen], bins: int = 1) -> None:
        """Advance a run by one step over its next bins."""
        first = run.next_index - self._history[0].number
        run.counts = count_steps((self._history[first + i] for i in range(bins)), run.geometry,
                                 run.counts)
        self.engine.step(run.counts, run.state, bins=bins)
        run.next_index += bins
        self._counts.network_steps += 1
        self.spikes += run.state.spike_counts


def _output(run: NetworkRun[Seen], step: Step) -> NetworkOutput[Seen]:
    counts = step.counts(run.geometry) if run.counts is None else run.counts
    return NetworkOutput(step, counts, run.geometry, run.state, run.since_us, run.seen)
