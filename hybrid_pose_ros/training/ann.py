# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""First stage: the ANN learns what is to be seen, from the last events before a moment."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import InputGeometry
from hybrid_pose_ros.training.tasks import TASKS
from hybrid_pose_ros.training.views import MIN_EVENTS, View, draw_view, last_events

TRIES = 100


@dataclass(frozen=True)
class AnnTraining:
    """What a batch of the ANN is."""

    seed: int = 0
    batch: int = 16
    columns: int = 96  # of the input that are looked at [cells]
    event_jitter: float = 0.2  # the number of events varies by as much
    precision: str = 'bf16'  # convolutions under autocast; 'fp32': none


class Moment(NamedTuple):
    """A time in a clip, and what is looked at there."""

    clip: LabeledRecording
    at_us: int
    view: View


def draw_moment(rng: np.random.Generator, clips: list[LabeledRecording], geometry: InputGeometry,
                columns: int, *, room_us: int = 0) -> Moment:
    """Return a moment that has enough events before it and `room_us` of the clip behind it."""
    for _ in range(TRIES):
        clip = clips[rng.integers(len(clips))]
        last_us = max(clip.start_us + 1, clip.end_us - room_us)
        at_us = int(rng.integers(clip.start_us, last_us)) // 1000 * 1000
        if len(last_events(clip, at_us, MIN_EVENTS)) == MIN_EVENTS:
            break
    return Moment(clip, at_us, draw_view(rng, geometry, clip, at_us, columns))


class AnnStage:
    """Trains `hybrid.ann`."""

    name = 'ann'

    def __init__(self, hybrid: Hybrid, clips: list[LabeledRecording], geometry: InputGeometry,
                 settings: AnnTraining, device: torch.device):
        """Take clips of one sensor; the network is on the device."""
        self._task = TASKS[hybrid.preset.task]
        self._hybrid, self._clips, self._geometry = hybrid, clips, geometry
        self._settings, self._device = settings, device

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return all weights of the ANN."""
        return [{'params': list(self._hybrid.ann.parameters()), 'scale': 1.0}]

    def loss(self, iteration: int) -> tuple[Tensor, dict[str, float]]:
        """Return the cross entropy of a batch."""
        settings = self._settings
        frames, wanted, known = self._batch(np.random.default_rng([settings.seed, 1, iteration]))
        self._hybrid.ann.train()
        frames = frames.to(self._device, memory_format=torch.channels_last)
        with torch.autocast(self._device.type, torch.bfloat16,
                            enabled=settings.precision == 'bf16'):
            heatmaps, _ = self._hybrid.ann(frames)
        return self._task.loss(heatmaps, wanted.to(self._device), known.to(self._device)), {}

    def state_dict(self) -> dict[str, Any]:
        """Return the ANN's tensors."""
        return self._hybrid.ann.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take such tensors."""
        self._hybrid.ann.load_state_dict(state)

    def _batch(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return frames (B, 2 * bins, H, W), labels (B, ...) and which are known (B, ...)."""
        settings, ann = self._settings, self._hybrid.preset.ann
        frames, wanted, known = [], [], []
        for _ in range(settings.batch):
            clip, at_us, view = draw_moment(rng, self._clips, self._geometry, settings.columns)
            events = round(ann.window_events * (1 + settings.event_jitter * rng.uniform(-1, 1)))
            frames.append(view.frame(clip, at_us, events, ann.bins))
            labels = self._task.labels(view, clip, np.array([at_us]))
            wanted.append(labels[0][0])
            known.append(labels[1][0])
        return (torch.from_numpy(np.stack(frames).astype(np.float32)),
                torch.from_numpy(np.stack(wanted)), torch.from_numpy(np.stack(known)))
