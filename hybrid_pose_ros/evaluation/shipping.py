# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decides whether weights may replace others: better over all kinds, and worse on none."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hybrid_pose_ros.evaluation.metrics import rounded

ERROR, FALSE_ALARMS = 'mean_px', 'person_reported'


def decide(kinds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the decision with its reasons, ready for JSON.

    Weights are shipped if the mean over kinds of log(error / error of the others) is below 0 and
    no kind is worse by more than the standard error of the difference. For a kind without a
    person, the fraction of instants at which a person is reported replaces the error; it does not
    enter the mean.

    Args:
        kinds: for each kind and figure, 'value', 'other', and 'difference' and 'standard_error' as
            returned by `kind_figures.differences`.
    """
    ratios = {kind: math.log(found[ERROR]['value'] / found[ERROR]['other'])
              for kind, found in kinds.items() if found[ERROR]['difference'] is not None}
    worse = [kind for kind, found in kinds.items()
             if _worse(found[ERROR if kind in ratios else FALSE_ALARMS])]
    mean = float(np.mean(list(ratios.values()))) if ratios else float('nan')
    ship = mean < 0 and not worse
    reasons = [f'mean log ratio {mean:+.3f} over {len(ratios)} kinds']
    reasons.append('worse on ' + ', '.join(worse) if worse else 'worse on no kind')
    return {'ship': ship, 'mean_log_ratio': rounded(mean), 'worse': worse,
            'line': f'{"ship" if ship else "do not ship"}: ' + ', '.join(reasons)}


def _worse(found: Mapping[str, Any]) -> bool:
    """Return whether a difference exceeds its standard error (0 for a single recording)."""
    return (found['difference'] or 0) > (found['standard_error'] or 0)
