# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long does an ANN state last, and how sparse may the events be?

Each state is followed for HORIZON_US without a new state, on all events and on random fractions of
them. A state lasts until the mean error exceeds LASTS times the ANN's own mean error. The latter
is measured on all events, so that sparse events do not raise the limit.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.disturbances import scaled
from hybrid_pose_ros.model.checkpoint import shipped
from hybrid_pose_ros.studies.options import Options
from hybrid_pose_ros.training.validation import AGE_US, SETTLED_US, by_age

HORIZON_US = 600_000
PERIOD_US = 200_000
"""Interval between states; each is followed independently."""
STEP_US = 1_000
SHARES = (0.5, 0.25, 0.1, 0.05)
"""Fractions of the events that are kept, in addition to all of them."""
LASTS = 1.5
SHOWN_MS = (30, 100, 200)
NETWORKS = {'hybrid': f'hybrid_{STEP_US}us', 'held': 'ann_held'}


def study(options: Options, *, shares: tuple[float, ...] = SHARES, horizon_us: int = HORIZON_US,
          period_us: int = PERIOD_US) -> dict[str, Any]:
    """Return the errors by age and fraction of events, and the lifetimes of states."""
    weights, clips = shipped('edge', options.checkpoint), options.clips()

    def followed(share: float, *, fresh: bool) -> dict[str, Any]:
        options.tell(f'{share:.0%} of the events')
        rng = np.random.default_rng([options.seed, 12])
        thinned = [clip._replace(events=scaled(clip.events, share, rng)) for clip in clips]
        return by_age(weights, thinned, horizon_us=horizon_us, period_us=period_us,
                      steps_us=(STEP_US,), fresh=fresh)

    whole = followed(1.0, fresh=True)
    if not whole['windows']:
        raise InputError('no state could be followed: a recording must be longer than '
                         f'{(SETTLED_US + horizon_us) * 1e-6:g} s and have events for the ANN')
    results = [whole, *(followed(share, fresh=False) for share in shares)]
    # There are no errors if no state has enough events.
    errors: dict[str, list[list[float | None]]] = {
        name: [result['rows'][row]['mpjpe_px_by_age'] if result['windows']
               else [None] * (horizon_us // AGE_US) for result in results]
        for name, row in NETWORKS.items()}
    ann_px = whole['rows']['ann']['mpjpe_px']
    limit_px = LASTS * ann_px
    ages_ms = [AGE_US * 1e-3 * age for age in range(1, horizon_us // AGE_US + 1)]
    rate = sum(len(clip.events) for clip in clips) / sum(
        (clip.end_us - clip.start_us) * 1e-6 for clip in clips)
    rows = [_row(share, round(share * rate), ages_ms,
                 {name: of[index] for name, of in errors.items()}, limit_px)
            for index, share in enumerate((1.0, *shares))]
    return {'rows': rows, 'ann_px': ann_px, 'limit_px': round(limit_px, 3),
            'windows': whole['windows'], 'recordings': len(clips), 'ages_ms': ages_ms,
            'shares': [1.0, *shares], 'errors_px': errors}


def _row(share: float, events_per_s: int, ages_ms: list[float],
         errors: dict[str, list[float | None]], limit_px: float) -> dict[str, Any]:
    row: dict[str, Any] = {'events kept': share, 'events/s': events_per_s}
    if errors['held'][0] is None:
        return row
    row['held at 10 ms [px]'] = errors['held'][0]
    for name in ('hybrid', 'held'):
        end_ms = lasts(ages_ms, errors[name], limit_px)
        row[f'{name} lasts [ms]'] = f'over {ages_ms[-1]:g}' if end_ms is None else end_ms
    for age_ms in SHOWN_MS:
        if age_ms in ages_ms:
            row[f'hybrid at {age_ms} ms [px]'] = errors['hybrid'][ages_ms.index(age_ms)]
    return row


def lasts(ages_ms: Sequence[float], errors_px: Sequence[float | None], limit_px: float
          ) -> float | None:
    """Return the first age at which the error exceeds a limit; None if it stays below.

    The error is interpolated linearly between two ages at which it is known.
    """
    known = [(age_ms, error_px) for age_ms, error_px in zip(ages_ms, errors_px)
             if error_px is not None]
    above = [index for index, (_, error_px) in enumerate(known) if error_px > limit_px]
    if not above:
        return None
    first = above[0]
    if first == 0:
        return known[0][0]
    (before_ms, before_px), (after_ms, after_px) = known[first - 1:first + 1]
    share = (limit_px - before_px) / (after_px - before_px)
    return round(before_ms + share * (after_ms - before_ms), 1)


def draw(result: dict[str, Any], folder: Path) -> Path:
    """Plot maps of the error over age and fraction of events, for the hybrid and held poses."""
    from hybrid_pose_ros.evaluation.plots import new_figure, save
    figure, (panels,) = new_figure(2)
    ages_ms, shares = result['ages_ms'], result['shares']
    worst = 3 * result['limit_px'] / LASTS
    rows = np.arange(len(shares))
    for axes, name in zip(panels, ('hybrid', 'held')):
        errors_px = result['errors_px'][name]
        image = axes.pcolormesh(ages_ms, rows, np.array(errors_px, np.float64),
                                cmap='viridis_r', shading='nearest',
                                vmin=result['limit_px'] / LASTS, vmax=worst)
        for row, of_share in enumerate(errors_px):
            end = lasts(ages_ms, of_share, result['limit_px'])
            if end is not None:  # also None without errors
                axes.plot([end, end], [row - 0.5, row + 0.5], color='red', linewidth=2.5)
        axes.set_yticks(rows, [f'{share:.0%}' for share in shares])
        axes.set(xlabel='age of the state [ms]', ylabel='fraction of the events',
                 title=f'{name}: mean error [px]')
    figure.colorbar(image, ax=panels, extend='max',
                    label=f'red: {LASTS:g} times the ANN\'s, {result["limit_px"]:.1f} px')
    return save(figure, folder / 'lifetime.png')
