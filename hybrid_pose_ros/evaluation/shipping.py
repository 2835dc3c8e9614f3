# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether weights may replace others: better over all kinds of recordings, and worse on none."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hybrid_pose_ros.evaluation.metrics import rounded

ERROR, FALSE_ALARMS = 'mean_px', 'person_reported'


def decide(kinds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return whether to ship, and why, ready for JSON.

    Weights are shipped when the mean over kinds of log(error / error of the others) is below 0
    and no kind is worse by more than the standard error of the difference. Of a kind without a
    person the share of instants with one takes the place of the error, and has no logarithm.

    Args:
        kinds: of each kind, by the name of the figure: 'value', 'other' and, as
            `kind_figures.differences` returns them, 'difference' and 'standard_error'.
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
    """Return if a difference is above its standard error; one of a single recording has none."""
    return (found['difference'] or 0) > (found['standard_error'] or 0)
