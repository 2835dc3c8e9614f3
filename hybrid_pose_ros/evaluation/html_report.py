# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An evaluation as one HTML file that holds its own pictures."""

import base64
from html import escape
from pathlib import Path
from typing import Any

from hybrid_pose_ros.evaluation.plots import plot_result

PIXELS = {'mean': 'mpjpe_px', 'median': 'median_px', 'as available': 'mpjpe_px_latency_aware',
          'moving': 'mpjpe_px_moving', 'resting': 'mpjpe_px_resting',
          'hidden': 'mpjpe_px_occluded', 'in sight': 'mpjpe_px_unoccluded',
          'within 10 px': 'pck_10px', 'within half a head': 'pck_half_head',
          'velocity [px/s]': 'velocity_error_px_s', 'jitter [px/s2]': 'acceleration_error_px_s2'}
STYLE = '''body { font: 15px/1.45 sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0 } td, th { padding: .25em .7em; text-align: right;
border-bottom: 1px solid #ddd } td:first-child, th:first-child { text-align: left }
img { max-width: 100%; display: block; margin: 1em 0 }'''


def write_report(result: dict[str, Any], folder: Path) -> Path:
    """Write report.html and the pictures in it; return its path."""
    pictures = ''.join(picture_html(path) for path in plot_result(result, folder))
    path = folder / 'report.html'
    path.write_text(f'''<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>Evaluation of {escape(result['preset'])}</title><style>{STYLE}</style></head><body>
<h1>Evaluation of {escape(result['preset'])}</h1>
{facts_html(result)}
<h2>Errors</h2>
<p>Means over joints and instants, in pixels unless stated otherwise; joints outside the
image are excluded, occluded ones are included. As available: at each instant the last output
available by then, with a latency of {result['latency_aware_ms']['ann']:g} ms for the ANN and
{result['latency_aware_ms']['pose']:g} ms for a pose.</p>
{_errors(result)}
<h2>Power [mW]</h2>
<p>Arithmetic, counted as the paper does and honestly; saving against the ANN at every step.</p>
{powers_html(result)}
<h2>Hybrid relative to</h2>
{ratios_html(result['ratios'])}
<h2>Pictures</h2>
{pictures}
</body></html>
''', encoding='utf-8')
    return path


def facts_html(result: dict[str, Any]) -> str:
    settings, scored = result['settings'], result['scored']
    trained = '' if result['trained'] else ' <b>The weights are random, not trained.</b>'
    notes = {name: row['note'] for name, row in result['rows'].items() if 'note' in row}
    items = ''.join(f'<li>{escape(name)}: {escape(note)}</li>'
                    for name, note in (notes | result['gaps']).items())
    return (f'<p>{len(result["recordings"])} recordings, {scored["seconds"]:g} s, '
            f'{scored["instants"]} instants every {scored["stride_us"] * 1e-3:g} ms, '
            f'{scored["joints"]} joints ({scored["joints_outside_image"]} outside the image left '
            f'out, {scored["joints_occluded"]} hidden, {scored["joints_moving"]} moving). '
            f'Steps of {settings["step_us"] * 1e-3:g} ms, ANN {settings["ann_rate_hz"]:g} Hz and '
            f'{settings["ann_delay_us"] * 1e-3:g} ms late. Weights '
            f'{escape(result["identity"])}.{trained}</p><ul>{items}</ul>')


def _errors(result: dict[str, Any]) -> str:
    return table_html(['', *PIXELS], [[name, *(number_text(row[key]) for key in PIXELS.values())]
                                  for name, row in result['rows'].items()])


def powers_html(result: dict[str, Any]) -> str:
    kinds = [(count, node) for count in ('paper', 'honest') for node in ('45nm', '7nm')]
    head = ['', *(f'{count}, {node}{what}' for count, node in kinds for what in ('', ' saved'))]
    rows = []
    for name, row in result['rows'].items():
        figures = [row['energy'][count][node] for count, node in kinds]
        rows.append([name, *(text for figure in figures for text in (
            number_text(figure['mw']), f'{100 * figure["saving_against_ann"]:.2f} %'))])
    return table_html(head, rows)


def ratios_html(ratios: dict[str, float]) -> str:
    names = [name for name in ratios if f'{name}_latency_aware' in ratios]
    endings = {'on average': '', 'as available': '_latency_aware',
               'at the last step before an initialization': '_at_last_step'}
    return table_html(['', *endings], [[name.removeprefix('hybrid_to_'), *(
        number_text(ratios.get(name + ending)) for ending in endings.values())] for name in names])


def number_text(value: float | None) -> str:
    return '-' if value is None else f'{value:.4g}'


def table_html(head: list[str], rows: list[list[str]]) -> str:
    def line(cells: list[str], tag: str) -> str:
        return '<tr>' + ''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells) + '</tr>'
    return f'<table>{line(head, "th")}{"".join(line(row, "td") for row in rows)}</table>'


def picture_html(path: Path) -> str:
    content = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{escape(path.stem)}" src="data:image/png;base64,{content}">'
