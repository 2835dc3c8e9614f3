# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plots a comparison: the errors of all weights on each kind, with standard errors."""

from pathlib import Path
from typing import Any

import numpy as np

from hybrid_pose_ros.evaluation.plots import new_figure, save


def plot_kinds(result: dict[str, Any], folder: Path) -> Path:
    """Plot the mean error and the median torso error by kind; return the path."""
    figure, (panels,) = new_figure(columns=2)
    kinds, names = list(result['kinds']), list(result['weights'])
    width = 0.8 / (len(names) * len(result['rows']))
    places = np.arange(len(kinds))
    for axes, name, title in zip(panels, ('mean_px', 'median_torso'),
                                 ('mean error [px]', 'median error [torso lengths]')):
        for number, (row, weights) in enumerate((row, weights) for row in result['rows']
                                                for weights in names):
            found = [result['kinds'][kind]['figures'][row][weights][name] for kind in kinds]
            value, error = (np.array([one[key] for one in found], float)
                            for key in ('value', 'standard_error'))
            axes.bar(places + number * width, value, width, align='edge', label=f'{weights} {row}',
                     yerr=np.nan_to_num(error), capsize=2)
        axes.set_xticks(places + 0.4, kinds, rotation=30, ha='right')
        axes.set_ylabel(title)
    panels[0].legend(fontsize='small')
    return save(figure, folder / 'kinds.png')
