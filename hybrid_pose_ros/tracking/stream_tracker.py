# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Common part of the trackers of all tasks: events -> time bins -> network -> results.

`replay.py` compensates the latency of ANN states, and `state_requests.py` decides after each bin
whether to request a state early.
"""

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from hybrid_pose_ros.engine.estimator import EngineState, SpikingEngine
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.model.layout import message_layout
from hybrid_pose_ros.representation.geometry import InputGeometry
from hybrid_pose_ros.representation.hot_pixels import HotPixels
from hybrid_pose_ros.representation.step_counter import Gap, Step, StepCounter
from hybrid_pose_ros.tracking.replay import (
    InitialState, LateStateReplay, NetworkOutput, Seen, TrackerCounts)
from hybrid_pose_ros.tracking.state_requests import StateRequestPolicy
from hybrid_pose_ros.tracking.tracker_params import TrackerParams


class TrackerResult(Protocol):
    """A tracker's output for a time bin: a pose, or a result of another task."""

    @property
    def stamp_us(self) -> int:
        """Sensor time of the end of the bin."""

    @property
    def events(self) -> int:
        """Number of events in the bin."""

    @property
    def skipped_steps(self) -> int:
        """Number of bins without a result since the last one."""

    @property
    def state_age_us(self) -> int:
        """Time since the events of the ANN pass."""

    @property
    def stale(self) -> bool:
        """Whether state_age_us exceeds max_age_us, so the result may have drifted."""

    @property
    def compute_ns(self) -> int:
        """Computing time."""


Result = TypeVar('Result', bound=TrackerResult)


class DelayedState(NamedTuple):
    """A copy of a state that is not used yet, compatible with `replay.InitialState`."""

    sensor_time_us: int
    tensors: dict[str, np.ndarray]

    def is_intact(self) -> bool:
        """Return True, since the tensors are a copy."""
        return True


class StreamTracker(ABC, Generic[Result, Seen]):
    """Computes a result for every time bin after the first ANN state."""

    def __init__(self, checkpoint: Checkpoint, params: TrackerParams, width: int, height: int, *,
                 period_us: int = 0):
        """Lay out the network for a sensor of width x height pixels; ready when it returns.

        `period_us` is the period of the sensor clock; 0: it does not wrap.
        """
        self.counts = TrackerCounts()
        self.trained = bool(checkpoint.card.get('trained'))
        self._params = params
        self._geometry = params.geometry(checkpoint.preset, width, height)
        self._hot = HotPixels(width, height) if params.mask_hot_pixels else None
        self._replay = LateStateReplay(checkpoint, params, self._geometry, self.counts,
                                       read=self._read, period_us=period_us)
        self._counter = StepCounter(self._geometry, params.step_us)
        self._policy = StateRequestPolicy(params, params.step_us)
        self._request: str | None = None
        self._delayed: deque[DelayedState] = deque()
        self._last_number: int | None = None  # of the bin of the last result

    @property
    def engine(self) -> SpikingEngine:
        """The network that processes single bins."""
        return self._replay.engine

    @property
    def layout(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes of the tensors that a state must have."""
        return message_layout(self._replay.engine.layout)

    @property
    def spikes(self) -> np.ndarray:
        """Totals over all network steps: cells with events, then spikes of each layer."""
        return self._replay.spikes

    @property
    def requests(self) -> Mapping[str, int]:
        """Number of requests by reason."""
        return self._policy.counts

    @property
    def hot_pixels(self) -> int:
        """Number of masked hot pixels."""
        return 0 if self._hot is None else self._hot.number

    @property
    def event_counts(self) -> dict[str, int]:
        """Numbers of events that were counted in a later bin or not at all."""
        return {'late_events': self._counter.late_events,
                'outside_events': self._counter.outside_events}

    @property
    def held_joints(self) -> int:
        """Number of held joints; 0 for tasks without joints."""
        return 0

    @property
    def state_age_us(self) -> int | None:
        """Sensor time since the events of the live state's ANN pass; None without a state."""
        return self._replay.state_age_us

    @property
    def spike_counts(self) -> np.ndarray | None:
        """Cells with events, then spikes of each layer, in the last live step."""
        return self._replay.live_spikes

    def set_params(self, params: TrackerParams) -> None:
        """Change live settings, effective from the next bin; the others must be unchanged."""
        self._params = params
        self._policy.set_params(params)

    def update(self, events: np.ndarray, *, waited_us: int = 0) -> Iterator[Result]:
        """Yield the results of the bins that a packet's events complete, each once it is computed.

        Args:
            events: events of the packet.
            waited_us: time for which the packet has waited for the tracker.
        """
        if self._hot is not None:
            events = self._hot.masked(events)
        yield from self._poses(self._counter.update(events), waited_us)

    def advance(self, sensor_us: int) -> Iterator[Result]:
        """Yield the results of the bins that end by a time; all events before it must be known."""
        yield from self._poses(self._counter.advance(sensor_us))

    def _poses(self, facts: Iterable[Step | Gap], waited_us: int = 0) -> Iterator[Result]:
        for fact in facts:
            if isinstance(fact, Gap):
                self.counts.gaps += 1
                self._forget()
                self.mark_events_lost()
                continue
            started_ns = time.perf_counter_ns()
            self.counts.steps += 1
            output = self._replay.advance(fact, waited_us=waited_us)
            result = None if output is None else self._result(output, started_ns)
            self._watch(fact, result)
            if result is not None:
                yield result
            yield from self._start_delayed(fact.end_us)

    def catch_up(self) -> bool:
        """Advance the replay of a new state by one step while the tracker is idle.

        Results then need not wait for the replay.

        Returns:
            Whether more replay steps remain.
        """
        return not self._params.state_delay_us and self._replay.catch_up()

    def mark_events_lost(self) -> None:
        """Record that events were lost and are missing from the bins."""
        self._policy.mark_events_lost()

    def take_request(self) -> str | None:
        """Return the reason for a pending request and clear it; None without a request."""
        reason, self._request = self._request, None
        return reason

    def initialize(self, state: InitialState) -> Result | None:
        """Copy a state and replay the bins since then; it takes over once it has caught up.

        With `state_delay_us`, this starts when that time has passed on the sensor clock.

        Returns:
            The result of the last bin if there was no live run, since nothing is delayed by
            replaying all bins at once; otherwise None.
        """
        if not self._params.state_delay_us:
            return self._start(state)
        tensors = {name: tensor.copy() for name, tensor in state.tensors.items()}
        if state.is_intact():
            self._delayed.append(DelayedState(state.sensor_time_us, tensors))
        else:
            self.counts.states_torn += 1
        return None

    def _start_delayed(self, now_us: int) -> Iterator[Result]:
        """Start from the states whose delay has passed; yield results as `initialize` does."""
        while self._delayed and (self._replay.in_this_turn(self._delayed[0].sensor_time_us)
                                 + self._params.state_delay_us <= now_us):
            result = self._start(self._delayed.popleft())
            if result is not None:
                yield result

    def _start(self, state: InitialState) -> Result | None:
        started_ns = time.perf_counter_ns()
        output = self._replay.start(state)
        return None if output is None else self._result(output, started_ns)

    def restart(self) -> None:
        """Reset after a restart of the sensor clock, even if it caused no gap."""
        self._counter.restart()
        self._forget()

    def _forget(self) -> None:
        """Discard the state after a jump of the sensor clock and wait for the next one."""
        self._replay.forget()
        self._delayed.clear()
        self._policy.restart()
        self._last_number = None

    @abstractmethod
    def _read(self, state: EngineState, geometry: InputGeometry) -> Seen:
        """Return the data that `_result` needs from a state on arrival."""

    @abstractmethod
    def _result(self, output: NetworkOutput[Seen], started_ns: int) -> Result:
        """Return the result of a bin whose computation started at a time of `perf_counter_ns`."""

    @abstractmethod
    def _watch(self, step: Step, result: Result | None) -> None:
        """Call `_ask` with the request criteria derived from a result."""

    def _skipped(self, step: Step) -> int:
        """Return the number of bins without a result between the last result and this bin."""
        last, self._last_number = self._last_number, step.number
        return 0 if last is None else step.number - last - 1

    def _ask(self, step: Step, confidence: float | None, *, quiet: bool) -> None:
        """Request a state if a criterion is met."""
        since_us = self._replay.since_us
        age_us = None if since_us is None else step.end_us - since_us
        reason = self._policy.update(step.end_us, step.events, age_us, confidence, quiet=quiet,
                                     coming=self._replay.is_catching_up)
        self._request = reason or self._request
