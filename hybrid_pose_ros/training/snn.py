# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Second stage: SNN and heads learn to continue from the ANN, which is frozen.

Training uses streams. Each starts with an ANN state and continues, segment by segment, until its
state has reached a random age; then it restarts. Gradients flow within a segment; states are
passed on to the next one. Every computed bin thus contributes to the loss, and states become as
old as they do in practice when an initialization is late.

    stream 0   A====|====|==A====|====|====|     A  state of the ANN
    stream 1   ==|====A====|==A====|====|==     ==  segment: bins of one length, drawn for all

A stand-alone SNN is trained in the same way, except that its streams start from rest.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from hybrid_pose_ros.networks.hybrid import Hybrid, HybridState
from hybrid_pose_ros.networks.neurons import LIFState
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import (
    InputGeometry, Region, RegionGeometries, window_events)
from hybrid_pose_ros.training.ann import draw_moment
from hybrid_pose_ros.training.losses import spike_penalty
from hybrid_pose_ros.training.precision import autocast
from hybrid_pose_ros.training.tasks import TASKS
from hybrid_pose_ros.training.views import MIN_EVENTS, View, last_events, view


@dataclass(frozen=True)
class SnnTraining:
    """Settings of segments and of the loss."""

    seed: int = 0
    batch: int = 8
    columns: int = 96  # of the input [cells]
    regions: float = 0.0  # fraction of streams in a region around the person
    event_jitter: float = 0.2  # relative variation of the ANN's number of events
    steps: tuple[tuple[int, int, float], ...] = (  # length of a bin [us], bins, probability
        (10_000, 10, 0.3), (5_000, 14, 0.25), (2_000, 20, 0.25), (1_000, 30, 0.2))
    oldest_us: tuple[int, int] = (30_000, 220_000)  # age of a state after which a stream restarts
    alone: bool = False  # streams start from rest and last longer
    oldest_alone_us: tuple[int, int] = (30_000, 600_000)
    lost_cells: float = 8.0  # a joint with a larger error at the start of a segment ...
    lost_weight: float = 0.1  # ... has this weight, since the ANN, not the SNN, recovers it
    spikes_allowed: float = 6.0  # percent of a layer's neurons in 10 ms
    spike_price: float = 0.003  # penalty per additional percent
    tau_scale: float = 5.0  # learning rate factor of time constants
    flow_scale: float = 0.1  # likewise for the flow, whose weights are smaller by this factor
    precision: str = 'auto'  # as in AnnTraining


class _Stream(NamedTuple):
    """Position of a stream."""

    clip: int  # index
    region: Region
    first_column: int
    mirrored: bool
    now_us: int  # end of the last segment
    until_us: int  # time at which the stream restarts


class SnnStage:
    """Trains `hybrid.snn` and `hybrid.heads`; `hybrid.ann` is frozen."""

    name = 'snn'

    def __init__(self, hybrid: Hybrid, clips: list[LabeledRecording], geometry: InputGeometry,
                 settings: SnnTraining, device: torch.device):
        """Create the stage for clips of one sensor and a network that is already on the device."""
        self._task = TASKS[hybrid.preset.task]
        self._hybrid, self._clips, self._geometry = hybrid, clips, geometry
        self._geometries = RegionGeometries(geometry)
        self._settings, self._device = settings, device
        self._columns = min(settings.columns, geometry.width)
        # None: the stream starts with the next segment.
        self._streams: list[_Stream | None] = [None] * settings.batch
        self._state = self._resting(settings.batch)
        hybrid.ann.requires_grad_(False)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the weights of SNN and heads, with time constants in a separate group."""
        named = [*self._hybrid.snn.named_parameters(), *self._hybrid.heads.named_parameters()]
        scales = {'log_tau': self._settings.tau_scale, 'flow': self._settings.flow_scale}
        groups: dict[str, list[nn.Parameter]] = {part: [] for part in ('', *scales)}
        for name, parameter in named:
            groups[next((part for part in scales if part in name), '')].append(parameter)
        return [{'params': parameters, 'scale': scales.get(part, 1.0), 'weight_decay': 0.0}
                for part, parameters in groups.items() if parameters]

    def loss(self, iteration: int) -> tuple[Tensor, dict[str, float]]:
        """Return the cross entropy over the bins of a segment, plus the spike penalty."""
        settings = self._settings
        rng = np.random.default_rng([settings.seed, 2, iteration])
        shares = [share for _, _, share in settings.steps]
        step_us, steps, _ = settings.steps[rng.choice(len(shares), p=shares)]
        streams = self._running(rng, step_us * steps)
        counts, labels, known = self._segment(streams, step_us, steps)
        self._streams = [stream._replace(now_us=stream.now_us + step_us * steps)
                         for stream in streams]
        state, losses, spikes = self._state, [], []
        weights = known * self._weight(state, labels[0])
        for k in range(steps):
            with autocast(self._device, settings.precision):
                heatmaps, state, maps = self._hybrid.step_with_spikes(counts[k], state, step_us)
            losses.append(self._task.loss(heatmaps, labels[k], weights[k], state.offset))
            spikes.append(torch.stack([spiking.float().mean() for spiking in maps.values()]))
        self._state = _detached(state)
        loss, rates = torch.stack(losses).mean(), torch.stack(spikes).mean(dim=0)
        penalty = spike_penalty(rates * (10_000 / step_us), settings.spikes_allowed)
        figures = {f'loss_{step_us}us': loss.item(), 'penalty': penalty.item()}
        figures |= {f'rate_{name}': 100 * rate * 10_000 / step_us
                    for name, rate in zip(maps, rates.tolist(), strict=True)}
        return loss + settings.spike_price * penalty, figures

    def state_dict(self) -> dict[str, Any]:
        """Return the tensors of SNN and heads, and the positions and states of the streams."""
        return {'snn': self._hybrid.snn.state_dict(), 'heads': self._hybrid.heads.state_dict(),
                'streams': [stream and (stream.clip, tuple(stream.region), *stream[2:])
                            for stream in self._streams],
                'membranes': [layer.membrane for layer in self._state.layers],
                'integrated': self._state.integrated, 'held': self._state.held,
                'offset': self._state.offset}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from such a state; streams restart if their number or size differs."""
        self._hybrid.snn.load_state_dict(state['snn'])
        self._hybrid.heads.load_state_dict(state['heads'])
        if state['held'].shape == self._state.held.shape:
            self._streams = [stream and _Stream(stream[0], Region(*stream[1]), *stream[2:])
                             for stream in state['streams']]
            layers = tuple(LIFState(membrane.to(self._device)) for membrane in state['membranes'])
            self._state = HybridState(layers, *(state[name].to(self._device) for name in (
                'integrated', 'held', 'offset')))

    def _resting(self, streams: int) -> HybridState:
        with torch.no_grad():
            return self._hybrid.resting_state(streams, self._columns, self._geometry.height)

    def _weight(self, state: HybridState, labels: Tensor) -> Tensor | float:
        """Return the weight of each label, (B, ...)."""
        settings = self._settings
        if settings.alone:
            return 1.0
        return self._task.weights(state, labels, lost_cells=settings.lost_cells,
                                  lost_weight=settings.lost_weight)

    def _view(self, stream: _Stream) -> View:
        return view(self._geometries.of(stream.region), stream.first_column, self._columns,
                    stream.mirrored)

    def _running(self, rng: np.random.Generator, duration_us: int) -> list[_Stream]:
        """Return the streams of a segment, restarted if the state is old or the clip ends."""
        streams, fresh, frames = [], [], []
        for index, stream in enumerate(self._streams):
            if (stream is None or stream.now_us >= stream.until_us
                    or stream.now_us + duration_us > self._clips[stream.clip].end_us):
                stream = (self._continued(rng, stream, duration_us)
                          or self._anywhere(rng, duration_us))
                fresh.append(index)
                if not self._settings.alone:
                    frames.append(self._frame(rng, stream))
            streams.append(stream)
        if fresh and self._settings.alone:
            self._state = _replaced(self._state, self._resting(len(fresh)),
                                    torch.tensor(fresh, device=self._device))
        elif fresh:
            batch = self._on_device(np.stack(frames).astype(np.float32))
            self._hybrid.train()
            self._hybrid.ann.eval()
            with autocast(self._device, self._settings.precision):
                begun = self._hybrid.initialize(
                    batch.contiguous(memory_format=torch.channels_last))
            self._state = _replaced(self._state, begun, torch.tensor(fresh, device=self._device))
        return streams

    def _frame(self, rng: np.random.Generator, stream: _Stream) -> np.ndarray:
        """Return the ANN input at the start of a stream."""
        seen = self._view(stream)
        events = round(window_events(self._hybrid.preset, seen.whole)
                       * (1 + self._settings.event_jitter * rng.uniform(-1, 1)))
        return seen.frame(self._clips[stream.clip], stream.now_us, events,
                          self._hybrid.preset.ann.bins)

    def _continued(self, rng: np.random.Generator, stream: _Stream | None,
                   duration_us: int) -> _Stream | None:
        """Return the continuation of a stream; None: start a new one anywhere."""
        if stream is None or rng.random() < 0.5:
            return None
        clip = self._clips[stream.clip]
        if (stream.now_us + duration_us > clip.end_us
                or len(last_events(clip, stream.now_us, MIN_EVENTS)) < MIN_EVENTS):
            return None
        return stream._replace(until_us=stream.now_us + self._oldest(rng))

    def _anywhere(self, rng: np.random.Generator, duration_us: int) -> _Stream:
        """Return a stream that starts at the one of two random moments with more events."""
        moments = [draw_moment(rng, self._clips, self._geometry, self._columns,
                               room_us=duration_us, regions=self._settings.regions)
                   for _ in range(2)]
        clip, at_us, seen = max(moments, key=lambda moment: len(
            moment.clip.events_between(moment.at_us, moment.at_us + duration_us)))
        index = next(i for i, other in enumerate(self._clips) if other is clip)
        first = round((seen.geometry.region.x - seen.whole.region.x) / seen.whole.cell_px)
        return _Stream(index, seen.whole.region, first, seen.mirrored, at_us,
                       at_us + self._oldest(rng))

    def _oldest(self, rng: np.random.Generator) -> int:
        settings = self._settings
        return int(rng.integers(*settings.oldest_alone_us if settings.alone
                                else settings.oldest_us))

    def _segment(self, streams: list[_Stream], step_us: int, steps: int
                 ) -> tuple[Tensor, Tensor, Tensor]:
        """Return counts (T, B, 2, H, W), labels (T, B, ...) and the mask of known labels."""
        counts, wanted, known = [], [], []
        for stream in streams:
            clip, seen = self._clips[stream.clip], self._view(stream)
            counts.append(seen.counts(clip, stream.now_us, step_us, steps))
            ends_us = stream.now_us + step_us * np.arange(1, steps + 1)
            labels = self._task.labels(seen, clip, ends_us)
            wanted.append(labels[0])
            known.append(labels[1])
        return (self._on_device(np.stack(counts, axis=1).astype(np.float32)),
                self._on_device(np.stack(wanted, axis=1)),
                self._on_device(np.stack(known, axis=1)))

    def _on_device(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self._device)


def _replaced(state: HybridState, begun: HybridState, at: Tensor) -> HybridState:
    """Return the state with some rows of the batch replaced."""
    layers = tuple(LIFState(old.membrane.index_copy(0, at, new.membrane.float()))
                   for old, new in zip(state.layers, begun.layers, strict=True))
    return HybridState(layers, state.integrated.index_copy(0, at, begun.integrated.float()),
                       state.held.index_copy(0, at, begun.held.float()),
                       state.offset.index_copy(0, at, begun.offset.float()))


def _detached(state: HybridState) -> HybridState:
    layers = tuple(LIFState(layer.membrane.detach()) for layer in state.layers)
    return HybridState(layers, state.integrated.detach(), state.held.detach(),
                       state.offset.detach())
