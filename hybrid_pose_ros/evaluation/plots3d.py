# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plots results of `evaluate3d`: error over time by set of cameras, and blinded cameras."""

from pathlib import Path
from typing import Any

import numpy as np

from hybrid_pose_ros.evaluation.plots import COLORS, new_figure, save

DASHES = ('-', '--')


def plot_world(result: dict[str, Any], folder: Path) -> Path:
    """Plot one result of `evaluate3d`; return the path."""
    blinded = [name for name in result['cases'] if name.endswith(' blinded')]
    figure, (panels,) = new_figure(2 if blinded else 1)
    _error_over_time(panels[0], result)
    if blinded:
        _blinded(panels[1], result, blinded)
    return save(figure, folder / 'world.png')


def _error_over_time(axes, result: dict[str, Any]) -> None:
    cameras = result['cameras']
    everyone = ' + '.join(cameras)
    pair = next(iter(result['cases']))
    step_ms = result['settings']['step_us'] * 1e-3
    for name, dash in zip(dict.fromkeys((pair, everyone)), DASHES):
        for row, figures in result['cases'][name]['rows'].items():
            errors = np.array(figures['mpjpe_mm_by_step'], float)
            axes.plot(step_ms * np.arange(1, len(errors) + 1), errors, dash, color=COLORS[row],
                      label=f'{row}, {name.count("+") + 1} cameras')
    axes.set(xlabel='time since the events of the ANN pass [ms]', ylabel='mean error [mm]',
             title='3D error', ylim=(0, None))
    axes.legend(fontsize='small')


def _blinded(axes, result: dict[str, Any], blinded: list[str]) -> None:
    cameras, cases = result['cameras'], result['cases']
    places = np.arange(len(blinded))
    names = [name.removesuffix(' blinded').removeprefix('all, ') for name in blinded]
    others = [' + '.join(camera for camera in cameras if camera != name) for name in names]
    for shift, sets, label in ((-0.2, others, 'the others alone'),
                               (0.2, blinded, 'all, this one blinded')):
        axes.bar(places + shift, [cases[name]['rows']['hybrid']['mpjpe_mm'] for name in sets],
                 width=0.38, label=label, color='tab:gray' if shift < 0 else COLORS['hybrid'])
    everyone = cases[' + '.join(cameras)]['rows']['hybrid']['mpjpe_mm']
    axes.axhline(everyone, color='black', linewidth=1, label='all, none blinded')
    axes.set(ylabel='mean error of the hybrid [mm]', title='One camera blinded by noise')
    axes.set_xticks(places, names)
    axes.legend(fontsize='small', loc='lower right')
