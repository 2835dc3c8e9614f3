# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training log of a stage: JSON lines, and curves if TensorBoard is installed."""

import json
import os
import time
from pathlib import Path

from hybrid_pose_ros.outputs import writing

LOG_EVERY = 20
"""Number of iterations averaged for one line of the log and one point of a curve."""


class Log:
    """Averages of a stage's metrics, in `<stage>.jsonl` and event files in `curves/<stage>`."""

    def __init__(self, folder: Path, stage: str, *, first: int):
        """Continue after `first` iterations; later entries of an interrupted run are hidden."""
        self._path = folder / f'{stage}.jsonl'
        self._began = time.monotonic()
        self._figures_of: list[dict[str, float]] = []
        writer = summary_writer()
        with writing(folder / 'curves'):
            self._curves = writer and writer(str(folder / 'curves' / stage),
                                             purge_step=first + 1)

    def add(self, done: int, figures: dict[str, float]) -> None:
        """Add the metrics of an iteration; write the means of every LOG_EVERY iterations.

        Raises:
            InputError: the disk is full; earlier lines stay intact.
        """
        self._figures_of.append(figures)
        if done % LOG_EVERY:
            return
        means, self._figures_of = _means(self._figures_of), []
        wall_s = round(time.monotonic() - self._began, 1)
        _append(self._path, json.dumps({'iteration': done, 'wall_s': wall_s} | means) + '\n')
        if self._curves:
            with writing(Path(self._curves.log_dir)):
                for name, mean in means.items():
                    self._curves.add_scalar(name, mean, done)
                self._curves.flush()

    def __enter__(self) -> 'Log':
        return self

    def __exit__(self, *_: object) -> None:
        if self._curves:
            with writing(Path(self._curves.log_dir)):
                self._curves.close()


def summary_writer() -> type | None:
    """Return TensorBoard's event file writer; None if TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter


def _means(figures_of: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each metric over the iterations that report it."""
    means = {}
    for name in sorted({name for figures in figures_of for name in figures}):
        values = [figures[name] for figures in figures_of if name in figures]
        means[name] = round(sum(values) / len(values), 5)
    return means


def _append(path: Path, line: str) -> None:
    """Append a line, or nothing if the disk lacks space for the whole line."""
    size = path.stat().st_size if path.exists() else 0
    with writing(path):
        try:
            with open(path, 'a', encoding='utf-8') as file:
                file.write(line)
        except OSError:
            os.truncate(path, size)
            raise
