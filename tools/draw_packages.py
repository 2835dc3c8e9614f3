#!/usr/bin/env python3
# Copyright 2026 The hybrid_pose_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Draw docs/packages.svg, and write the table of packages into docs/architecture.md.

The rows are the layers of pyproject.toml, the arrows the imports in the code. An import that other
arrows lead to as well is not drawn: `cli` imports nearly everything.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = 'hybrid_pose_ros'
PICTURE, PAGE = ROOT / 'docs' / 'packages.svg', ROOT / 'docs' / 'architecture.md'
TABLE = re.compile(r'(?<=<!-- packages -->\n).*?(?=<!-- end of packages -->)', re.DOTALL)

ROW, BOX, GAP, MARGIN = 66, 28, 26, 14
"""Distance of rows, height of boxes, gap between them, margin of the picture [px]."""
LETTER = 7.4
"""Width of a letter [px]."""
SWEEPS = 24


class Place(NamedTuple):
    """A package in a row, or an arrow to a package that passes through a row."""

    row: int
    name: str
    passing: bool = False

    @property
    def width(self) -> float:
        """Width [px]."""
        return 6.0 if self.passing else LETTER * len(self.name) + 18


Rows = list[list[Place]]
Arrows = list[tuple[Place, Place]]


def layers(config: Path = ROOT / 'pyproject.toml') -> list[list[str]]:
    """Return the packages by layer, the highest first; modules at the root are left out."""
    contracts = tomllib.loads(config.read_text())['tool']['importlinter']['contracts']
    lines = next(contract['layers'] for contract in contracts if contract['type'] == 'layers')
    rows = [[name for name in re.split(r'[ |:]+', line) if (ROOT / PACKAGE / name).is_dir()]
            for line in lines]
    return [row for row in rows if row]


def imports(packages: Sequence[str]) -> dict[str, set[str]]:
    """Return which packages each imports, also within functions and by name."""
    return {name: {found for path in (ROOT / PACKAGE / name).rglob('*.py')
                   for found in _imported(path.read_text()) if found in packages} - {name}
            for name in packages}


def _imported(source: str) -> Iterator[str]:
    """Yield the second part of every dotted name that begins with the package's."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f'{node.module}.{alias.name}' for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value]
        for name in names:
            if match := re.match(rf'{PACKAGE}\.(\w+)', name):
                yield match[1]


def reduced(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return a graph without circles less the edges that a longer way replaces."""
    def reach(name: str) -> set[str]:
        return graph[name].union(*map(reach, graph[name]))
    return {name: {other for other in found
                   if not any(other in reach(third) for third in found)}
            for name, found in graph.items()}


def places(rows: Sequence[Sequence[str]], graph: Mapping[str, set[str]]) -> tuple[Rows, Arrows]:
    """Return what is in each row, and the pieces of the arrows from one row to the next.

    Arrows to the same package share their way.
    """
    row_of = {name: number for number, row in enumerate(rows) for name in row}
    placed = [[Place(number, name) for name in row] for number, row in enumerate(rows)]
    pieces = []
    for name in row_of:
        for other in sorted(graph[name]):
            start = Place(row_of[name], name)
            for number in range(row_of[name] + 1, row_of[other] + 1):
                end = Place(number, other, passing=number < row_of[other])
                if end not in placed[number]:
                    placed[number].append(end)
                if (start, end) not in pieces:
                    pieces.append((start, end))
                start = end
    return placed, pieces


def ordered(placed: Rows, pieces: Arrows) -> Rows:
    """Return the rows in the order with the fewest crossings that sweeps up and down find."""
    best = current = placed
    for sweep in range(SWEEPS):
        rows = [list(row) for row in current]
        numbers = range(len(rows)) if sweep % 2 == 0 else range(len(rows) - 1, -1, -1)
        for number in numbers:
            at = {place: index / max(1, len(row) - 1) for row in rows
                  for index, place in enumerate(row)}
            above = sweep % 2 == 0

            def middle(place: Place, at=at, above=above) -> float:
                found = [at[a if above else b] for a, b in pieces if place == (b if above else a)]
                return sum(found) / len(found) if found else at[place]
            rows[number].sort(key=middle)
        current = rows
        if crossings(rows, pieces) < crossings(best, pieces):
            best = rows
    return best


def crossings(rows: Rows, pieces: Arrows) -> int:
    """Return how many pairs of arrows cross."""
    at = {place: index for row in rows for index, place in enumerate(row)}
    return sum((at[a] - at[c]) * (at[b] - at[d]) < 0
               for index, (a, b) in enumerate(pieces) for c, d in pieces[:index]
               if a.row == c.row)


def centers(rows: Rows, pieces: Arrows) -> dict[Place, float]:
    """Return the x of each place [px]: near those that it is connected to, and not overlapping."""
    x = {}
    for row in rows:
        x |= dict(zip(row, apart([0.0] * len(row), row)))
    for _ in range(SWEEPS):
        for row in rows:
            wanted = []
            for place in row:
                found = [x[b if place == a else a] for a, b in pieces if place in (a, b)]
                wanted.append(sum(found) / len(found) if found else x[place])
            x |= dict(zip(row, apart(wanted, row)))
    left = min(at - place.width / 2 for place, at in x.items())
    return {place: at - left + MARGIN for place, at in x.items()}


def apart(wanted: Sequence[float], row: Sequence[Place]) -> list[float]:
    """Return the positions closest to those wanted (least squares) that keep the gaps."""
    offsets = [0.0]
    for one, other in zip(row, row[1:]):
        offsets.append(offsets[-1] + (one.width + other.width) / 2 + GAP)
    blocks: list[tuple[float, int]] = []  # mean and number: pool adjacent violators
    for value, offset in zip(wanted, offsets):
        mean, count = value - offset, 1
        while blocks and blocks[-1][0] >= mean:
            before, number = blocks.pop()
            mean, count = (mean * count + before * number) / (count + number), count + number
        blocks.append((mean, count))
    means = [mean for mean, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets)]


def svg(rows: Rows, pieces: Arrows, x: Mapping[Place, float]) -> str:
    """Return the picture."""
    width = round(max(at + place.width / 2 for place, at in x.items()) + MARGIN)
    height = (len(rows) - 1) * ROW + BOX + 2 * MARGIN
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             f'width="{width}" height="{height}" font-family="monospace" font-size="12">',
             '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
             'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#667"/></marker>'
             '</defs>', f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for a, b in pieces:
        top = MARGIN + a.row * ROW + (BOX / 2 if a.passing else BOX)
        bottom = MARGIN + b.row * ROW + (BOX / 2 if b.passing else 0)
        bend = (bottom - top) / 2
        head = '' if b.passing else ' marker-end="url(#head)"'
        lines.append(f'<path d="M{x[a]:.0f} {top:.0f}C{x[a]:.0f} {top + bend:.0f} {x[b]:.0f} '
                     f'{bottom - bend:.0f} {x[b]:.0f} {bottom:.0f}" fill="none" stroke="#99a"'
                     f'{head}/>')
    for place in (place for row in rows for place in row if not place.passing):
        left, top = x[place] - place.width / 2, MARGIN + place.row * ROW
        lines.append(f'<rect x="{left:.0f}" y="{top}" width="{place.width:.0f}" height="{BOX}" '
                     'rx="5" fill="#eef2fa" stroke="#446"/>')
        lines.append(f'<text x="{x[place]:.0f}" y="{top + BOX / 2 + 4:.0f}" '
                     f'text-anchor="middle" fill="#223">{place.name}</text>')
    return '\n'.join([*lines, '</svg>', ''])


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return the packages and what they are for, from their docstrings, as Markdown."""
    lines = ['| package | contents |', '|---|---|']
    for name in (name for row in rows for name in row):
        tree = ast.parse((ROOT / PACKAGE / name / '__init__.py').read_text())
        lines.append(f'| `{name}/` | {(ast.get_docstring(tree) or "").splitlines()[0]} |')
    return '\n'.join(lines) + '\n'


def picture() -> str:
    """Return the picture of the packages as they are."""
    rows = layers()
    placed, pieces = places(rows, reduced(imports([name for row in rows for name in row])))
    placed = ordered(placed, pieces)
    return svg(placed, pieces, centers(placed, pieces))


def page() -> str:
    """Return the page with the table of the packages as they are."""
    return TABLE.sub(lambda _: table(layers()), PAGE.read_text())


if __name__ == '__main__':
    PICTURE.write_text(picture())
    PAGE.write_text(page())
