# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of `hybrid-pose compare` for a terminal with 100 columns."""

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from hybrid_pose_ros.evaluation.compare import REAL
from hybrid_pose_ros.evaluation.kind_figures import FAR_PX, GROUPS, PCK_TORSO

COLUMNS = 100
PX, TORSO, PERCENT = (1, '.2f'), (1, '.3f'), (100, '.1f')
"""Factor and format of each figure."""
ERRORS = {'mean_px': ('mean px', PX), 'median_px': ('median px', PX),
          'over_20px': (f'>{FAR_PX:g} px %', PERCENT), 'mean_torso': ('mean torso', TORSO),
          'median_torso': ('median', TORSO), 'pck_torso': (f'PCK@{PCK_TORSO} %', PERCENT)}
SWAPS = {'swapped_pairs': ('pairs %', PERCENT), 'swapped_bodies': ('bodies %', PERCENT),
         'swapped_bodies_behind': ('behind %', PERCENT), 'confidence_auc': ('AUC', TORSO),
         'confidence': ('confidence', TORSO), 'person_reported': ('person %', PERCENT)}
JOINTS = {f'mean_px_{name}': (name, PX) for name in GROUPS}
TITLES = (('Errors', ERRORS), ('Left and right swapped, confidence, person reported', SWAPS),
          ('Mean px by joint', JOINTS))


def show(result: dict[str, Any]) -> None:
    """Print the figures by kind, then the differences between the first and the other weights."""
    console = Console(highlight=False, markup=False)
    # A narrow terminal wraps lines instead of cutting figures.
    console.width = max(console.width, COLUMNS)
    settings = result['settings']
    console.print(f'every {settings["stride_us"] * 1e-3:g} ms; values ± standard error over '
                  'recordings')
    for name, facts in result['weights'].items():
        trained = '' if facts['trained'] else ', random, not trained'
        console.print(f'{name}: {facts["file"]} ({facts["preset"]} {facts["identity"]}{trained})',
                      soft_wrap=True)
    for kind, found in result['kinds'].items():
        for name, line in found['gaps'].items():
            console.print(f'{kind} {name}: {line}')
    for title, columns in TITLES:
        console.print(_table(title, columns, _figures(result), 'value'))
    first, *others = result['weights']
    for other in others:
        console.print(_table(f'{first} minus {other}, paired by recording', ERRORS,
                             _differences(result, other), 'difference'))
    for row, decisions in result['shipping'].items():
        for other, decision in decisions.items():
            console.print(f'{first} instead of {other} ({row}): {decision["line"]}',
                          soft_wrap=True)


def _figures(result: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield kind, weights and figures of each line; every clip of real people has its own line."""
    for kind, found in result['kinds'].items():
        for row, of_weights in found['figures'].items():
            for name, figures in of_weights.items():
                yield f'{kind} ({len(found["recordings"])})', _label(result, name, row), figures
    if real := result['kinds'].get(REAL):
        for index, clip in enumerate(real['recordings']):
            for row, of_weights in real['by_recording'].items():
                for name, clips in of_weights.items():
                    yield clip, _label(result, name, row), {
                        figure: {'value': value} for figure, value in clips[index].items()}


def _differences(result: dict[str, Any], other: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for kind, found in result['kinds'].items():
        for row, of_weights in found['differences'].items():
            yield f'{kind} ({len(found["recordings"])})', row, of_weights[other]


def _label(result: dict[str, Any], weights: str, row: str) -> str:
    return weights if len(result['rows']) == 1 else f'{weights} {row}'


def _table(title: str, columns: dict[str, tuple], lines, key: str) -> Table:
    """Return a table with a line for each kind and weights; a kind is printed once."""
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 0), title_justify='left')
    for name in ('', ' '):
        table.add_column(name, no_wrap=True)
    for name, _ in columns.values():
        table.add_column(name, justify='right', no_wrap=True)
    before = ''
    for kind, label, figures in lines:
        table.add_row(kind if kind != before else '', label,
                      *(_text(figures[name], key, *form) for name, (_, form) in columns.items()))
        before = kind
    return table


def _text(figure: dict[str, Any], key: str, factor: float, form: str) -> str:
    """Return a value with its standard error, if it has one."""
    if figure[key] is None:
        return '-'
    sign = '+' if key == 'difference' else ''
    text = format(factor * figure[key], sign + form)
    error = figure.get('standard_error')
    return text if error is None else f'{text}±{factor * error:{form}}'
