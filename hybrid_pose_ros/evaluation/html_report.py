# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes an evaluation as one HTML file with embedded plots."""

import base64
from pathlib import Path
from typing import Any

import jinja2

from hybrid_pose_ros.evaluation.plots import plot_result

PIXELS = {'mean': 'mpjpe_px', 'median': 'median_px', 'as available': 'mpjpe_px_latency_aware',
          'moving': 'mpjpe_px_moving', 'resting': 'mpjpe_px_resting',
          'hidden': 'mpjpe_px_occluded', 'in sight': 'mpjpe_px_unoccluded',
          'within 10 px': 'pck_10px', 'within half a head': 'pck_half_head',
          'velocity [px/s]': 'velocity_error_px_s', 'jitter [px/s2]': 'acceleration_error_px_s2'}
TEMPLATES = Path(__file__).parents[1]
Table = tuple[list[str], list[list[str]]]
"""Header and rows, as text."""


def write_report(result: dict[str, Any], folder: Path) -> Path:
    """Write report.html and its plots; return the path."""
    return render('evaluation/report.html.jinja', folder / 'report.html', result=result,
                  pictures=plot_result(result, folder), errors=error_table(result),
                  motions=motion_table(result),
                  powers=power_table(result), ratios=ratio_table(result['ratios']))


def render(template: str, path: Path, **values: Any) -> Path:
    """Render a template of the package to a file; return the path."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {'data_url': _data_url, 'number': lambda value: f'{value:g}'}
    path.write_text(environment.get_template(template).render(values), encoding='utf-8')
    return path


def error_table(result: dict[str, Any]) -> Table:
    """Return the errors of each row."""
    return ['', *PIXELS], [[name, *(number_text(row[key]) for key in PIXELS.values())]
                           for name, row in result['rows'].items()]


def motion_table(result: dict[str, Any]) -> Table:
    """Return the motion error of each row by speed, after that of zero motion."""
    motions = {name: row['motion'] for name, row in result['rows'].items() if 'motion' in row}
    first: dict[str, Any] = next(iter(motions.values()), {})
    head = ['', *(f'{speed} ({figures["displacements"]})' for speed, figures in first.items())]
    return head, [
        ['zero motion', *(number_text(figures['zero_motion_px']) for figures in first.values())],
        *([name, *(number_text(figures['error_px']) for figures in motion.values())]
          for name, motion in motions.items())]


def power_table(result: dict[str, Any]) -> Table:
    """Return the power of each row, by count and technology."""
    kinds = [(count, node) for count in ('paper', 'honest') for node in ('45nm', '7nm')]
    head = ['', *(f'{count}, {node}{what}' for count, node in kinds for what in ('', ' saved'))]
    rows = []
    for name, row in result['rows'].items():
        figures = [row['energy'][count][node] for count, node in kinds]
        rows.append([name, *(text for figure in figures for text in (
            number_text(figure['mw']), f'{100 * figure["saving_against_ann"]:.2f} %'))])
    return head, rows


def ratio_table(ratios: dict[str, float]) -> Table:
    """Return the ratios of the hybrid's error to those of the other rows."""
    names = [name for name in ratios if f'{name}_latency_aware' in ratios]
    endings = {'on average': '', 'as available': '_latency_aware',
               'at the last step before an initialization': '_at_last_step'}
    return ['', *endings], [[name.removeprefix('hybrid_to_'), *(
        number_text(ratios.get(name + ending)) for ending in endings.values())] for name in names]


def number_text(value: float | None) -> str:
    """Return a number with four digits; '-' for None."""
    return '-' if value is None else f'{value:.4g}'


def _data_url(path: Path) -> str:
    """Return an image as a data URL for <img>."""
    return f'data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}'
