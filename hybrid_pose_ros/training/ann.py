# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""First stage: the ANN learns to estimate the pose at a moment from the last events before it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.presets import Preset
from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import InputGeometry, window_events
from hybrid_pose_ros.training.losses import absence_loss
from hybrid_pose_ros.training.precision import autocast
from hybrid_pose_ros.training.tasks import TASKS
from hybrid_pose_ros.training.views import MIN_EVENTS, View, draw_view, last_events

TRIES = 100


@dataclass(frozen=True)
class AnnTraining:
    """Settings of the ANN's training batches."""

    seed: int = 0
    batch: int = 16
    columns: int = 96  # of the input [cells]
    event_jitter: float = 0.2  # relative variation of the number of events
    precision: str = 'auto'  # one of PRECISIONS
    absent_price: float = 0.0  # loss weight of joints out of view, whose target heatmap is flat


class Moment(NamedTuple):
    """A time in a clip and the view at that time."""

    clip: LabeledRecording
    at_us: int
    view: View


def draw_moment(rng: np.random.Generator, clips: list[LabeledRecording], geometry: InputGeometry,
                columns: int, *, room_us: int = 0, regions: float = 0.0) -> Moment:
    """Return a moment preceded by enough events and followed by `room_us` of the clip.

    Raises:
        InputError: no moment with enough events was found.
    """
    for _ in range(TRIES):
        clip = clips[rng.integers(len(clips))]
        last_us = max(clip.start_us + 1, clip.end_us - room_us)
        at_us = int(rng.integers(clip.start_us, last_us)) // 1000 * 1000
        if len(last_events(clip, at_us, MIN_EVENTS)) == MIN_EVENTS:
            return Moment(clip, at_us, draw_view(rng, geometry, clip, at_us, columns,
                                                 regions=regions))
    raise InputError(f'none of {TRIES} moments drawn from {len(clips)} clips has {MIN_EVENTS} '
                     'events before it: train on clips with more events')


class Window(NamedTuple):
    """Input and target of the ANN."""

    frame: np.ndarray  # (2 * bins, H, W) uint16
    labels: np.ndarray  # (...) depends on the task
    known: np.ndarray  # (...) bool
    absent: np.ndarray  # (...) bool: known to be out of view


Windows = Callable[[np.random.Generator, int], Window]
"""Function that draws one window of a batch, given a random generator and the iteration."""


def corpus_windows(network: Preset, clips: list[LabeledRecording], geometry: InputGeometry,
                   settings: AnnTraining) -> Windows:
    """Return a function that draws windows from clips of one sensor."""
    task, ann = TASKS[network.task], network.ann

    def draw(rng: np.random.Generator, iteration: int) -> Window:
        clip, at_us, view = draw_moment(rng, clips, geometry, settings.columns)
        events = round(window_events(network, view.whole)
                       * (1 + settings.event_jitter * rng.uniform(-1, 1)))
        frame = view.frame(clip, at_us, events, ann.bins)
        labels, known = task.labels(view, clip, np.array([at_us]))
        return Window(frame, labels[0], known[0], np.zeros_like(known[0]))
    return draw


class AnnStage:
    """Trains `hybrid.ann`."""

    name = 'ann'

    def __init__(self, hybrid: Hybrid, windows: Windows, settings: AnnTraining,
                 device: torch.device):
        """Create the stage for a network that is already on the device."""
        self._task = TASKS[hybrid.preset.task]
        self._hybrid, self._windows = hybrid, windows
        self._settings, self._device = settings, device

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return all weights of the ANN."""
        return [{'params': list(self._hybrid.ann.parameters()), 'scale': 1.0}]

    def loss(self, iteration: int) -> tuple[Tensor, dict[str, float]]:
        """Return the cross entropy of a batch."""
        settings = self._settings
        frames, wanted, known, absent = self._batch(iteration)
        self._hybrid.ann.train()
        with autocast(self._device, settings.precision):
            heatmaps, _ = self._hybrid.ann(frames.contiguous(memory_format=torch.channels_last))
        loss = self._task.loss(heatmaps, wanted, known)
        if not settings.absent_price:
            return loss, {}
        flatness = absence_loss(heatmaps, absent)
        figures = {'present': loss.item(), 'absent': flatness.item()}
        return loss + settings.absent_price * flatness, figures

    def state_dict(self) -> dict[str, Any]:
        """Return the ANN's tensors."""
        return self._hybrid.ann.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the ANN's tensors."""
        self._hybrid.ann.load_state_dict(state)

    def _batch(self, iteration: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return frames (B, 2 * bins, H, W), labels, and which are known and absent, (B, ...)."""
        rng = np.random.default_rng([self._settings.seed, 1, iteration])
        windows = [self._windows(rng, iteration) for _ in range(self._settings.batch)]
        frames, labels, known, absent = (np.stack(part) for part in zip(*windows, strict=True))
        return (self._on_device(frames.astype(np.float32)), self._on_device(labels),
                self._on_device(known), self._on_device(absent))

    def _on_device(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self._device)
