# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When the tracker asks the ANN to look again before its time, decided bin by bin."""

import math
from dataclasses import dataclass

from hybrid_pose_ros.settings import param

REASONS = ('lost_events', 'no_state', 'old_state', 'rate_jump', 'low_confidence', 'quiet_joints')
"""Why a state is asked for; where several hold, the first is given."""

CONFIDENCE_US = 20_000
"""Confidence is averaged over about that long: it must stay low, not only dip."""

RECENT_US, USUAL_US = 10_000, 200_000
"""The event rate of now, and the one that it is compared with, are averages over that long."""

EARLY = 0.7
"""Of max_age_us: a state is asked for at that age, for the ANN takes time."""

LEAST_JUMP = 50
"""Events within RECENT_US below which there is no jump: single noisy pixels make none."""


@dataclass(frozen=True)
class DemandParams:
    """When the tracker asks for a state."""

    max_age_us: int = param(250_000, 'A pose is stale when its state is older than this [us]; the '
                            'ANN is asked for another one at 70 % of it.',
                            low=1_000, high=60_000_000, live=True)
    least_confidence: float = param(0.3, 'Mean confidence of the moving joints below which the '
                                    'ANN is asked for a state; 0: never.', low=0.0, high=1.0,
                                    live=True)
    rate_jump: float = param(4.0, 'Event rate of the last 10 ms relative to that of the last 200 '
                             'ms above which the ANN is asked for a state.', low=1.0, high=1e6,
                             live=True)
    request_interval_us: int = param(100_000, 'Time between two requests, at least [us].',
                                     low=1_000, high=60_000_000, live=True)


class Demand:
    """Watches the bins of one stream; times are sensor times."""

    def __init__(self, params: DemandParams, step_us: int):
        """Start with nothing seen."""
        self.counts = dict.fromkeys(REASONS, 0)  # requests by reason
        self._params = params
        self._kept = {length_us: math.exp(-step_us / length_us)
                      for length_us in (CONFIDENCE_US, RECENT_US, USUAL_US)}
        self._step_us = step_us
        self._lost = False
        self.restart()

    def set_params(self, params: DemandParams) -> None:
        """Use other settings from the next bin on."""
        self._params = params

    def restart(self) -> None:
        """Begin anew, as the sensor's clock has."""
        self._asked_us: int | None = None
        self._recent = self._usual = self._confidence = -1.0  # averages; nothing seen yet
        self._quiet = False

    def lose(self) -> None:
        """Note that events were lost: a state is asked for as soon as may be."""
        self._lost = True

    def update(self, end_us: int, events: int, age_us: int | None, confidence: float | None, *,
               quiet: bool = False, coming: bool = False) -> str | None:
        """Return why a state is wanted now; None where it is not.

        Args:
            end_us: end of the next bin.
            events: in the bin.
            age_us: of the state; None without one.
            confidence: mean of the joints that move; None where there are none.
            quiet: a joint has just gone quiet.
            coming: a state is catching up, so that no other is wanted.
        """
        self._recent = self._average(self._recent, events, RECENT_US)
        self._usual = self._average(self._usual, events, USUAL_US)
        if confidence is not None:
            self._confidence = self._average(self._confidence, confidence, CONFIDENCE_US)
        self._quiet |= quiet
        if self._asked_us is None:  # the ANN is about to look by itself
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
