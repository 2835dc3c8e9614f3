# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two runs of one network over the same time bins: the live one, and one that catches up.

A state from the ANN is as old as the events that it has seen, and the network has gone on since.
So it is not put in place of the live one at once, which would throw the pose back in time: a
second run of the network replays the bins in between, while there is nothing else to do, or beside
the live bins, and takes over when it has caught up. It takes many bins in one long step, and the
newest by itself.

    live run     ──●──●──●──●──●──●──●──●──┐
    state of t0        t0 ━━━  ━━━  ━━●──●──●──●──●──   becomes the live run

Runs that cannot keep up (too many events, a busy machine) take bins together in long steps, until
they have caught up. Where they are so far behind that states are ahead of them, they go on until
they meet them, or, where that is too far, leave out the bins in between.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from hybrid_pose_ros.checkpoint import Checkpoint
from hybrid_pose_ros.engine.estimator import EngineState, SpikingEngine
from hybrid_pose_ros.events.clock import nearest_turn
from hybrid_pose_ros.representation.geometry import InputGeometry
from hybrid_pose_ros.representation.step_counter import Step
from hybrid_pose_ros.tracker_params import TrackerParams

PATIENCE_US = 20_000
"""A state that has not caught up in idle times after so long delays the poses."""

AT_ONCE = 2
"""Steps that bring a state to the end of a new bin are taken at once, in front of its pose."""


class InitialState(Protocol):
    """A state from the ANN, as `transport.reader.StateView` is one."""

    sensor_time_us: int  # the state has seen all events before it
    tensors: Mapping[str, np.ndarray]  # names and shapes of `layout.state_layout`

    def is_intact(self) -> bool:
        """Return whether the tensors are still what they were when they were read."""


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
class Run:
    """One run of the network."""

    state: EngineState
    since_us: int  # sensor time of its initialization
    next_index: int  # the bin that it takes next
    arrival_index: int  # the newest bin when it came
    seen: Any = None  # what `read` returned for the state as it came


class Runs:
    """Takes every time bin, from the first state of the ANN on; `live` is the run that counts."""

    def __init__(self, checkpoint: Checkpoint, params: TrackerParams, geometry: InputGeometry,
                 counts: TrackerCounts, *, period_us: int = 0,
                 read: Callable[[EngineState], Any] = lambda state: None):
        """Allocate the network and compile its kernels.

        Args:
            checkpoint: the weights.
            params: of the tracker.
            geometry: of the network's input.
            counts: totals to add to.
            period_us: length of a turn of the sensor's clock; 0: it does not wrap.
            read: is called with each state of the ANN as it was copied, before bins are replayed;
                its result is `seen` of the run.
        """
        self._read = read
        self._period_us = period_us
        self._params = params
        self._counts = counts
        self.kept_steps = max(1, params.history_us // params.step_us)
        self._longest = min(self.kept_steps, max(1, params.replay_step_us // params.step_us))
        self.engine = SpikingEngine(checkpoint, geometry.width, geometry.height, params.step_us,
                                    longest=self._longest, threads=params.snn_threads)
        self.engine.warm_up()
        self._free = [self.engine.initialize(), self.engine.initialize()]
        # Of all steps of the network: cells with events, then spikes of each layer.
        self.spikes = np.zeros(len(self.engine.plan.spikes), np.int64)
        self._history: deque[Step] = deque(maxlen=self.kept_steps)
        self.live: Run | None = None
        self._candidate: Run | None = None
        self._leaving_out = False  # until the candidate takes over
        self._idles = False  # `catch_up` is called

    @property
    def is_catching_up(self) -> bool:
        """Whether a state is on its way to take over."""
        return self._candidate is not None

    def forget(self) -> None:
        """Give up states and bins."""
        self.live = self._release(self.live)
        self._candidate = self._release(self._candidate)
        self._leaving_out = False
        self._history.clear()

    def start(self, state: InitialState) -> Step | None:
        """Copy a state, and let it replay the bins since; it takes over when it has caught up.

        Returns:
            The last bin, where there was no live run that replaying everything at once could have
            held up, so that it is the live one now; else None.
        """
        candidate = self._copy(state)
        if candidate is None or self.live is not None:
            self._candidate = candidate or self._candidate
            return None
        last = self._history[-1]
        self._replay(candidate, last.index, limit=len(self._history))
        if candidate.next_index != last.index + 1:  # the state is ahead of what came until now
            self._candidate = candidate
            return None
        self._take_over(candidate)
        return last

    def advance(self, step: Step, *, waited_us: int = 0) -> np.ndarray | None:
        """Bring the live run to the end of a new bin; a candidate that has caught up becomes it.

        Args:
            step: the bin.
            waited_us: how long its packet has waited.

        Returns:
            The counts that the live run took last; None: it is not there, or not at the bin's end.
        """
        self._history.append(step)
        candidate = self._candidate
        if candidate is not None:
            # A state of the end of this bin is for the bins after it, whenever it has come.
            ahead = candidate.next_index > step.index and self.live and not self._leaving_out
            self._replay(candidate, step.index, limit=self._steps_beside(candidate, step.index))
            if candidate.next_index == step.index + 1 and not ahead:
                if self.live is not None:  # bins that waited for a long step get no pose now
                    self._counts.merged_steps += step.index - self.live.next_index
                self._take_over(candidate)
                return step.counts
        live = self.live
        if live is None:
            return None
        if self._leaving_out:
            self._counts.left_out_steps += 1
            live.next_index = step.index + 1
            return None
        behind = step.index + 1 - live.next_index
        if self._longest > 1 and waited_us > self._params.merge_lag_us:
            if behind < self._longest:
                return None
            self._counts.merged_steps += self._longest
            return self._take_step(live, self._longest)
        for _ in range(behind):
            self._take_step(live)
        return step.counts

    def catch_up(self) -> bool:
        """Let a state that catches up take one step; return whether there is more to do.

        Where this is not called, or not often enough to catch up within PATIENCE_US, `advance`
        replays `replay_steps` beside each live bin.
        """
        self._idles = True
        candidate, live = self._candidate, self.live
        end_index = self._history[-1].index + 1 if self._history else 0
        if candidate is None or live is None or live.next_index != end_index:
            return False
        self._replay(candidate, end_index - 1, limit=1)
        if candidate.next_index == end_index:
            self._take_over(candidate)
        return candidate.next_index < end_index

    def in_this_turn(self, sensor_us: int) -> int:
        """Return a time that another process unwrapped, in the turn of this one's bins.

        It is three quarters of a turn behind at most, as of a process that got no time, and one
        quarter ahead: no more packets wait for this one.
        """
        newest_us = self._history[-1].end_us
        return nearest_turn(sensor_us, newest_us - self._period_us // 4, self._period_us)

    def _copy(self, state: InitialState) -> Run | None:
        """Return a run that starts from a state; None where the state is of no use."""
        if not self._history:
            self._counts.states_too_old += 1
            return None
        since_us = (self.in_this_turn(state.sensor_time_us) if self._params.replay
                    else self._history[-1].end_us)
        first_index = -(-since_us // self._params.step_us)
        if first_index < self._history[0].index:
            self._counts.states_too_old += 1
            return None
        if self._candidate is not None:
            # It would never take over if each newer one replaced it. An older one says that the
            # candidate is of the time before the sensor's clock began anew.
            if since_us >= self._candidate.since_us:
                self._counts.states_unneeded += 1
                return None
            self._candidate, self._leaving_out = self._release(self._candidate), False
        run = Run(self._free.pop(), since_us, first_index, self._history[-1].index)
        run.state.copy_from(state.tensors)
        if not state.is_intact():
            self._counts.states_torn += 1
            self._release(run)
            return None
        run.seen = self._read(run.state)
        ahead = first_index - self._history[-1].index - 1
        self._leaving_out = ahead * self._params.step_us > self._params.max_lag_us
        return run

    def _steps_beside(self, candidate: Run, index: int) -> int:
        """Return how many steps a candidate takes beside a live bin; 0: it waits for idle time."""
        waited_us = (index - candidate.arrival_index) * self._params.step_us
        if not self._idles or waited_us > PATIENCE_US:
            return self._params.replay_steps
        behind, steps = index + 1 - candidate.next_index, 0
        while behind > 0:
            behind, steps = behind - self._length(behind), steps + 1
        return steps if steps <= AT_ONCE else 0

    def _take_over(self, run: Run) -> None:
        self._release(self.live)
        self.live, self._candidate = run, None
        self._leaving_out = False
        self._counts.states += 1

    def _release(self, run: Run | None) -> None:
        if run is not None:
            self._free.append(run.state)

    def _replay(self, run: Run, last_index: int, *, limit: int) -> None:
        """Let a run take bins up to the last one, in no more steps than the limit.

        The last one it takes by itself: its spikes are asked for.
        """
        for _ in range(limit):
            behind = last_index + 1 - run.next_index
            if behind <= 0:
                return
            self._take_step(run, self._length(behind))
            self._counts.replayed_steps += 1

    def _length(self, behind: int) -> int:
        """Return how many bins a run that is so many behind takes next; the last one alone."""
        return max(bins for bins in self.engine.lengths if bins < max(2, behind))

    def _take_step(self, run: Run, bins: int = 1) -> np.ndarray:
        """Let a run take its next bins in one step; return their counts."""
        first = run.next_index - self._history[0].index
        counts = self._history[first].counts
        if bins > 1:
            total = counts.astype(np.uint16)
            for i in range(first + 1, first + bins):
                total += self._history[i].counts
            counts = np.minimum(total, 255).astype(np.uint8)
        self.engine.step(counts, run.state, bins=bins)
        run.next_index += bins
        self._counts.network_steps += 1
        self.spikes += run.state.spike_counts
        return counts
