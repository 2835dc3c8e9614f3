# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `run` found, for people: a table beside the published figures, and a picture."""

from pathlib import Path
from typing import Any

COLORS = {'ann': 'black', 'ann_held': 'tab:gray', 'snn': 'tab:cyan', 'rnn': 'tab:green',
          'hybrid_rnn': 'tab:purple', 'hybrid_snn': 'tab:red'}


def markdown(report: dict[str, Any]) -> str:
    """Return the table of means, that of errors by step, and the ratios."""
    rows = report['rows']
    lines = [f'Preset {report["preset"]}: trained on {report["train"]["windows"]} windows, scored '
             f'on {report["test"]["windows"]} of other recordings. Mean errors in pixels of the '
             'sensor; published: DHP19, cameras 3 / 2, preset paper.', '',
             '| system | ours | published | batches |', '|---|---|---|---|']
    lines += [f'| {name} | {_text(row["mpjpe_px"])} | '
              f'{" / ".join(_text(figure["mpjpe_px"]) for figure in row["published"])} | '
              f'{"published weights" if row["iterations"] is None else row["iterations"]} |'
              for name, row in rows.items()]
    lines += ['', 'By step since the ANN looked:', '',
              '| system | ' + ' | '.join(map(str, range(1, _steps(report) + 1))) + ' |',
              '|---' * (_steps(report) + 1) + '|']
    for name, row in rows.items():
        lines.append(f'| {name} | {_joined(row["mpjpe_px_by_step"])} |')
        lines += [f'| published, camera {figure["camera"]} | {_joined(figure["by_step"])} |'
                  for figure in row['published'] if figure['by_step']]
    lines += ['', '| error of the hybrid relative to | ours | published |', '|---|---|---|']
    lines += [f'| {name.removeprefix("hybrid_snn_to_")} | {_text(ratio["ours"])} | '
              f'{_text(ratio["published"])} |' for name, ratio in report['ratios'].items()]
    notes = [f'{name}: {row["note"]}' for name, row in rows.items() if 'note' in row]
    return '\n'.join([*lines, *([''] if notes else []), *notes])


def plot(report: dict[str, Any], folder: Path) -> Path:
    """Draw the errors by step, ours and published beside each other; return the file."""
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
        axes.set(title=title, xlabel='time since the ANN looked [ms]', ylabel='mean error [px]',
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


def _text(value: float | None) -> str:
    return '-' if value is None else f'{value:.2f}'


def _joined(values: list[float | None]) -> str:
    return ' | '.join(map(_text, values))
