# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Human-readable report of `run`: tables with the published figures for comparison, and a plot."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

COLORS = {'ann': 'black', 'ann_held': 'tab:gray', 'snn': 'tab:cyan', 'rnn': 'tab:green',
          'hybrid_rnn': 'tab:purple', 'hybrid_snn': 'tab:red',
          'hybrid_snn_no_state_init': 'tab:orange', 'hybrid_snn_no_output_init': 'tab:pink',
          'hybrid_rnn_no_state_init': 'tab:brown'}


def markdown(report: dict[str, Any]) -> str:
    """Return the tables of means, errors by step, and ratios."""
    rows = report['rows']
    notes = [f'{name}: {row["note"]}' for name, row in rows.items() if 'note' in row]
    return '\n'.join([
        f'Preset {report["preset"]}: trained on {report["train"]["windows"]} windows, evaluated '
        f'on {report["test"]["windows"]} of other recordings. Mean errors in sensor pixels, '
        'firing in percent of neurons per step, power as counted in the paper, at 7 nm.', '',
        *_table(['system', 'ours', 'published, cameras 3 / 2', 'batches', 'firing [%]',
                 'published', 'power [mW]', 'published'],
                [_means(name, row) for name, row in rows.items()]),
        '', 'Errors by step after the ANN\'s pass [px]:', '',
        *_table(['system', *range(1, _steps(report) + 1)], _by_step(rows)),
        '', *_table(['error of the hybrid relative to', 'ours', 'published'],
                    [[name.removeprefix('hybrid_snn_to_'), ratio['ours'], ratio['published']]
                     for name, ratio in report['ratios'].items()]),
        *([''] if notes else []), *notes])


def _means(name: str, row: dict[str, Any]) -> list[Any]:
    published = ' / '.join(_text(figure['mpjpe_px']) for figure in row['published'])
    batches = 'published weights' if row['iterations'] is None else str(row['iterations'])
    return [name, row['mpjpe_px'], published, batches, row.get('firing_percent'),
            row.get('published_firing_percent'), row.get('modelled_mw', {}).get('7nm'),
            row.get('published_7nm_mw')]


def _by_step(rows: dict[str, dict[str, Any]]) -> Iterator[list[Any]]:
    for name, row in rows.items():
        yield [name, *row['mpjpe_px_by_step']]
        for figure in row['published']:
            if figure['by_step']:
                yield [f'published, camera {figure["camera"]}', *figure['by_step']]


def _table(head: list[Any], rows: Iterable[list[Any]]) -> list[str]:
    """Return the lines of a table, with numbers rounded to two decimals."""
    lines = [head, ['---'] * len(head), *rows]
    return [f'| {" | ".join(map(_text, line))} |' for line in lines]


def plot(report: dict[str, Any], folder: Path) -> Path:
    """Plot our errors by step next to the published ones; return the path of the plot."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    figure, panels = pyplot.subplots(1, 2, figsize=(11, 4.5), layout='constrained')
    times_ms = [report['step_us'] * 1e-3 * step for step in range(1, _steps(report) + 1)]
    for name, row in report['rows'].items():
        curves = row['mpjpe_px_by_step'], row['published'][0]['by_step']
        for axes, curve in zip(panels, curves):
            axes.plot(times_ms, [float('nan') if value is None else value for value in curve],
                      '.-', color=COLORS[name], label=name)
    for axes, title in zip(panels, (f'ours, preset {report["preset"]}',
                                    'published, DHP19, camera 3')):
        axes.set(title=title, xlabel='time after the ANN\'s pass [ms]', ylabel='mean error [px]',
                 yscale='log')
        axes.yaxis.set_major_formatter('{x:g}')
        axes.yaxis.set_minor_formatter('{x:g}')
    panels[1].legend(fontsize='small', loc='center left', bbox_to_anchor=(1, 0.5))
    path = folder / 'error_by_step.png'
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return path


def _steps(report: dict[str, Any]) -> int:
    return max(len(row['mpjpe_px_by_step']) for row in report['rows'].values())


def _text(value: Any) -> str:
    if value is None:
        return '-'
    return f'{value:.2f}' if isinstance(value, float) else str(value)
