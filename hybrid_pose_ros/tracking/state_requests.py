# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decides after each bin whether the tracker requests a state before the next one is due."""

import math
from dataclasses import dataclass

from hybrid_pose_ros.settings import param

REASONS = ('lost_events', 'no_state', 'old_state', 'rate_jump', 'low_confidence', 'quiet_joints')
"""Reasons for a request; if several apply, the first is reported."""

CONFIDENCE_US = 20_000
"""Averaging time of the confidence, long enough that short dips cause no request."""

RECENT_US, USUAL_US = 10_000, 200_000
"""Averaging times of the current event rate and of the baseline."""

EARLY = 0.7
"""Fraction of max_age_us at which a state is requested, to leave time for the ANN."""

LEAST_JUMP = 50
"""Minimum number of events within RECENT_US for a rate jump, so that noise causes none."""


@dataclass(frozen=True)
class StateRequestParams:
    """Thresholds for requests."""

    max_age_us: int = param(250_000, 'Age of a state above which its poses are stale [us]; a new '
                            'state is requested at 70 % of this age.',
                            low=1_000, high=60_000_000, live=True)
    least_confidence: float = param(0.3, 'Mean confidence of the moving joints below which a '
                                    'state is requested; 0: never.', low=0.0, high=1.0,
                                    live=True)
    rate_jump: float = param(4.0, 'Ratio of the event rate over the last 10 ms to that over the '
                             'last 200 ms above which a state is requested.', low=1.0, high=1e6,
                             live=True)
    request_interval_us: int = param(100_000, 'Minimum interval between requests [us].',
                                     low=1_000, high=60_000_000, live=True)


class StateRequestPolicy:
    """Monitors the bins of one stream; times are sensor times."""

    def __init__(self, params: StateRequestParams, step_us: int):
        """Start without history."""
        self.counts = dict.fromkeys(REASONS, 0)  # requests by reason
        self._params = params
        self._kept = {length_us: math.exp(-step_us / length_us)
                      for length_us in (CONFIDENCE_US, RECENT_US, USUAL_US)}
        self._step_us = step_us
        self._lost = False
        self.restart()

    def set_params(self, params: StateRequestParams) -> None:
        """Change the settings, effective from the next bin."""
        self._params = params

    def restart(self) -> None:
        """Reset after a restart of the sensor clock."""
        self._asked_us: int | None = None
        self._recent = self._usual = self._confidence = -1.0  # averages; negative: none yet
        self._quiet = False

    def mark_events_lost(self) -> None:
        """Record that events were lost, so that a state is requested as soon as possible."""
        self._lost = True

    def update(self, end_us: int, events: int, age_us: int | None, confidence: float | None, *,
               quiet: bool = False, coming: bool = False) -> str | None:
        """Return the reason for a request in this bin, or None.

        Args:
            end_us: end of the next bin.
            events: number of events in the bin.
            age_us: age of the state; None without a state.
            confidence: mean confidence of the moving joints; None if no joint moves.
            quiet: a joint has just become quiet.
            coming: a state is already catching up, so no other is needed.
        """
        self._recent = self._average(self._recent, events, RECENT_US)
        self._usual = self._average(self._usual, events, USUAL_US)
        if confidence is not None:
            self._confidence = self._average(self._confidence, confidence, CONFIDENCE_US)
        self._quiet |= quiet
        if self._asked_us is None:  # the first state is due anyway
            self._asked_us = end_us
        if coming or end_us - self._asked_us < self._params.request_interval_us:
            return None
        reason = self._reason(age_us, confidence is not None)
        if reason is not None:
            self._asked_us, self._lost, self._quiet = end_us, False, False
            self.counts[reason] += 1
        return reason

    def _average(self, average: float, value: float, length_us: int) -> float:
        kept = self._kept[length_us] if average >= 0 else 0.0
        return kept * average + (1 - kept) * value

    def _reason(self, age_us: int | None, moving: bool) -> str | None:
        if self._lost:
            return 'lost_events'
        if age_us is None:
            return 'no_state'
        if age_us > EARLY * self._params.max_age_us:
            return 'old_state'
        jumped = self._recent > self._params.rate_jump * self._usual
        if jumped and self._recent * RECENT_US >= LEAST_JUMP * self._step_us:
            return 'rate_jump'
        if moving and self._confidence < self._params.least_confidence:
            return 'low_confidence'
        return 'quiet_joints' if self._quiet else None
