# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Power measured by the machine itself: RAPL on Intel and AMD, INA sensors on Jetsons.

It covers the whole package or board, including everything else that runs on it.
"""

import time
from collections.abc import Iterator
from pathlib import Path

SYSFS = Path('/sys')
ENERGY = 'energy_uj'
BOARD = 'VDD_IN'
"""Name of the rail that feeds all others on Jetsons."""


class MeasuredPower:
    """Reads the mean power between two calls, if the machine reports it."""

    def __init__(self, sysfs: Path = SYSFS):
        """Find the sensors that this user may read, if any."""
        self._packages = list(_counters(sysfs))
        self._rails = [] if self._packages else _rails(sysfs)
        self._last_s = time.monotonic()

    @property
    def source(self) -> str:
        """Type of the sensors: 'rapl', 'ina' or 'none'."""
        return 'rapl' if self._packages else 'ina' if self._rails else 'none'

    def watts(self) -> float | None:
        """Return the mean power since the last call (INA: the current power); None if unknown."""
        now_s = time.monotonic()
        elapsed_s, self._last_s = now_s - self._last_s, now_s
        if self._packages:
            joules = _sum([package.joules() for package in self._packages])
            return None if joules is None or elapsed_s <= 0 else joules / elapsed_s
        return _sum([_product(*rail) for rail in self._rails])


class _Counter:
    """The energy counter of one RAPL package, which wraps."""

    def __init__(self, folder: Path, microjoules: int):
        self._folder = folder
        self._range = _number(folder / 'max_energy_range_uj')
        self._microjoules = microjoules  # at the last reading

    def joules(self) -> float | None:
        now = _number(self._folder / ENERGY)
        if now is None:
            return None
        step, self._microjoules = now - self._microjoules, now
        return (step if step >= 0 else step + (self._range or 0)) * 1e-6


def _counters(sysfs: Path) -> Iterator[_Counter]:
    """Yield the package counters that this user may read."""
    for folder in sorted(sysfs.glob('class/powercap/*-rapl:*')):
        microjoules = _number(folder / ENERGY) if _is_package(folder) else None
        if microjoules is not None:
            yield _Counter(folder, microjoules)


def _is_package(folder: Path) -> bool:
    """Return whether a domain is a whole package, of which cores and memory are parts."""
    return folder.name.count(':') == 1


def _rails(sysfs: Path) -> list[tuple[Path, Path]]:
    """Return the files of voltage [mV] and current [mA] of the board's input or of all rails."""
    rails = {}
    for label in sorted(sysfs.glob('class/hwmon/hwmon*/in*_label')):
        number = label.name.removeprefix('in').removesuffix('_label')
        current = label.with_name(f'curr{number}_input')
        if current.exists():
            rails[label.read_text().strip()] = label.with_name(f'in{number}_input'), current
    return [rails[BOARD]] if BOARD in rails else list(rails.values())


def _sum(values: list[float | None]) -> float | None:
    """Return the sum; None without values or if one of them is unknown."""
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _product(millivolts: Path, milliamperes: Path) -> float | None:
    volts, amperes = _number(millivolts), _number(milliamperes)
    return None if volts is None or amperes is None else volts * amperes * 1e-6


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
