# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plots an evaluation: error over time, over power, by joint, and for each sweep."""

from pathlib import Path
from typing import Any

import numpy as np

from hybrid_pose_ros.tasks.skeleton import JOINTS

COLORS = {'ann': 'black', 'ann_held': 'tab:gray', 'constant_velocity': 'tab:olive',
          'kalman': 'tab:brown', 'confidence_kalman': 'tab:purple', 'snn_windowed': 'tab:cyan',
          'snn_streaming': 'tab:blue', 'hybrid': 'tab:red', 'hybrid_unfused': 'salmon',
          'hybrid_no_state_init': 'tab:orange',
          'hybrid_no_output_init': 'tab:pink'}
NOTHING = float('nan')


def plot_result(result: dict[str, Any], folder: Path) -> list[Path]:
    """Plot one result of `evaluate`; return the files."""
    return [_error_over_time(result, folder), _error_against_power(result, folder),
            _error_by_joint(result, folder),
            *(_sweep(swept, folder) for swept in result.get('sweeps', []))]


def new_figure(columns: int = 1):
    """Return a figure and its panels, arranged in one row (1, columns)."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    return pyplot.subplots(1, columns, figsize=(5.5 * columns + 2.5, 4.5), layout='constrained',
                           squeeze=False)


def _legend(axes) -> None:
    axes.legend(fontsize='small', loc='center left', bbox_to_anchor=(1, 0.5))


def save(figure, path: Path) -> Path:
    """Write a figure and close it; return the path."""
    from matplotlib import pyplot
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return path


def _error_over_time(result: dict[str, Any], folder: Path) -> Path:
    figure, ((axes,),) = new_figure()
    settings = result['settings']
    late_ms = settings['ann_delay_us'] * 1e-3
    worst = result['rows'].get('constant_velocity', {}).get('mpjpe_px_by_step', [])
    top = 2 * max((value for value in worst if value), default=50.0)
    for name, row in result['rows'].items():
        best = min((value for value in row['mpjpe_px_by_step'] if value), default=0.0)
        _curve(axes, row['mpjpe_px_by_step'], settings['step_us'], late_ms, name,
               label=f'{name} (above)' if best > top else name)
    axes.set(xlabel='time since the events of the ANN pass [ms]', ylabel='mean error [px]',
             title='Error over the time since initialization', ylim=(0, top))
    _legend(axes)
    return save(figure, folder / 'error_over_time.png')


def _curve(axes, by_step: list[float | None], step_us: int, late_ms: float, name: str,
           label: str = '') -> None:
    steps = [step for step, value in enumerate(by_step, start=1) if value is not None]
    ages_ms = late_ms + step_us * 1e-3 * np.array(steps)
    axes.plot(ages_ms, [by_step[step - 1] for step in steps], color=COLORS[name],
              label=label or name, linewidth=2 if name == 'hybrid' else 1.2)


def _error_against_power(result: dict[str, Any], folder: Path) -> Path:
    figure, (panels,) = new_figure(2)
    for axes, count in zip(panels, ('paper', 'honest')):
        for name, row in result['rows'].items():
            for node, marker in (('45nm', 'o'), ('7nm', '^')):
                axes.plot(row['energy'][count][node]['mw'], row['mpjpe_px'] or NOTHING, marker,
                          color=COLORS[name], label=name if node == '45nm' else None)
        axes.set(xscale='log', xlabel='power [mW], circles 45 nm, triangles 7 nm', yscale='log',
                 ylabel='mean error [px]', title=f'Error against power, {count} count')
        axes.yaxis.set_major_formatter('{x:g}')
        axes.yaxis.set_minor_formatter('{x:g}')
    _legend(panels[1])
    return save(figure, folder / 'error_against_power.png')


def _error_by_joint(result: dict[str, Any], folder: Path) -> Path:
    figure, ((axes,),) = new_figure()
    shown = [name for name in ('ann', 'ann_held', 'confidence_kalman', 'hybrid')
             if name in result['rows']]
    for index, name in enumerate(shown):
        values = [value or NOTHING for value in result['rows'][name]['mpjpe_px_by_joint']]
        axes.bar(np.arange(len(JOINTS)) + (index - len(shown) / 2 + 0.5) * 0.8 / len(shown),
                 values, width=0.8 / len(shown), color=COLORS[name], label=name)
    axes.set(ylabel='mean error [px]', title='Error by joint')
    axes.set_xticks(range(len(JOINTS)), JOINTS, rotation=45, ha='right')
    _legend(axes)
    return save(figure, folder / 'error_by_joint.png')


def _map(swept: dict[str, Any], folder: Path) -> Path:
    """Plot the errors over two settings as one map per row."""
    points = swept['points']
    first, second = (list(dict.fromkeys(point['value'][axis] for point in points))
                     for axis in range(2))
    names = list(points[0]['rows'])
    figure, (panels,) = new_figure(len(names))
    for axes, name in zip(panels, names):
        errors = np.array([point['rows'][name]['mpjpe_px'] or NOTHING for point in points])
        errors = errors.reshape(len(first), len(second))
        axes.imshow(errors, cmap='viridis_r', aspect='auto')
        for (row, column), error in np.ndenumerate(errors):
            axes.text(column, row, f'{error:.1f}', ha='center', va='center', color='white',
                      bbox={'color': 'black', 'alpha': 0.4, 'linewidth': 0})
        axes.set_xticks(range(len(second)), second)
        axes.set_yticks(range(len(first)), first)
        rows, columns = swept['axis'].split('; ')
        axes.set(xlabel=columns, ylabel=rows, title=f'{name}: mean error [px]')
    return save(figure, folder / f'sweep_{swept["name"]}.png')


def _sweep(swept: dict[str, Any], folder: Path) -> Path:
    if '; ' in swept['axis']:
        return _map(swept, folder)
    figure, ((axes,),) = new_figure()
    points = swept['points']
    names = list(points[0]['rows'])
    for name in names:
        rows = [point['rows'][name] for point in points]
        if len(points) == 1:
            _curve(axes, rows[0]['mpjpe_px_by_step'], points[0]['step_us'], 0.0, name)
            continue
        values = [point['value'] for point in points]
        axes.plot(values, [row['mpjpe_px'] or NOTHING for row in rows], 'o-',
                  color=COLORS[name], label=name)
        axes.plot(values, [row['mpjpe_px_latency_aware'] or NOTHING for row in rows], '.:',
                  color=COLORS[name], linewidth=1)
    axis = swept['axis'] if len(points) > 1 else 'time since initialization [ms]'
    axes.set(xlabel=axis, ylabel='mean error [px]', ylim=(0, None),
             title=f'{swept["name"]}' + (' (dotted: latency-aware)' if len(points) > 1 else ''))
    _legend(axes)
    return save(figure, folder / f'sweep_{swept["name"]}.png')
