# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A training run: ANN, then SNN and heads; the weights get a card that records their origin."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.checkpoint import POSE, Checkpoint, identity, load, untrained
from hybrid_pose_ros.model.network_description import read_network
from hybrid_pose_ros.model.presets import Preset, for_task, preset
from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.outputs import claim
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.training.ann import AnnStage, AnnTraining, corpus_windows
from hybrid_pose_ros.training.corpus import contents, fingerprint
from hybrid_pose_ros.training.loop import Schedule, fit
from hybrid_pose_ros.training.precision import precision_on
from hybrid_pose_ros.training.ranks import Ranks, connected
from hybrid_pose_ros.training.snn import SnnStage, SnnTraining
from hybrid_pose_ros.training.stream import Stream, stream_windows
from hybrid_pose_ros.training.training_params import StreamParams, TrainingParams
from hybrid_pose_ros.training.views import MIN_EVENTS, WINDOW_REACH_US

GRID = (173, 130)
"""Cell grid for scenes of a stream: that of a DAVIS346 pooled by 2."""
REGIONS = 0.6
"""Fraction of SNN streams in a region around the person, as in use once the person is found."""
OUTPUT_START = 0.1
"""Scale of the initial weights of the heads and the SNN output, so that both start with small
effect."""

Progress = Callable[[str, int, dict[str, float]], None]


def train(params: TrainingParams, clips: list[LabeledRecording], folder: Path,
          progress: Progress = lambda stage, iteration, figures: None,
          ranks: Ranks = Ranks(), stream: StreamParams | None = None) -> Checkpoint:
    """Return trained weights, identical in all processes; resumes from the files in the folder.

    Args:
        params: parameters of the run.
        clips: labeled recordings of one sensor; with a stream, used only for the SNN.
        folder: folder for the files to resume from and the log.
        progress: called with the stage, the iteration and the metrics.
        ranks: rank of this process.
        stream: scenes for training the ANN; None: use the clips.

    Raises:
        InputError: the weights to start or resume from do not match, the folder belongs to a run
            on other data, the clips are unsuitable for training, or a file cannot be written.
    """
    if not preset(params.preset).logits:
        raise InputError(f'preset {params.preset} is trained by its published recipe '
                         '(`training.recipe_run`), since its heatmaps are not logits')
    if stream is None or params.snn_iterations:
        _check_clips(clips)
    device = torch.device(device_named(params.device, ranks))
    start = _start(params)
    hybrid = Hybrid.from_checkpoint(start).to(device)
    ann = _ann_stage(hybrid, params, clips, stream, device)
    if ranks.rank == 0:
        claim(folder, {'preset': params.preset, 'task': params.task, 'alone': params.alone,
                       'seed': params.seed, 'start': identity(start) if params.start else '',
                       'recordings': contents(clips)}
              | ({'stream': stream.content()} if stream else {}))
    with connected(ranks, device):
        ann_iterations = 0 if params.alone else params.ann_iterations
        done_ann = fit(ann, Schedule(ann_iterations, params.ann_learning_rate, weight_decay=1e-2,
                                     save_every=params.save_every,
                                     averaged=params.averaged), folder,
                       lambda iteration, figures: progress('ann', iteration, figures),
                       ranks=ranks, buffers=list(hybrid.ann.buffers()))
        done_snn = 0
        if clips:
            snn = _snn_stage(hybrid, params, clips, device)
            done_snn = fit(snn, Schedule(params.snn_iterations, params.snn_learning_rate,
                                         save_every=params.save_every), folder,
                           lambda iteration, figures: progress('snn', iteration, figures),
                           ranks=ranks,
                           buffers=[*hybrid.snn.buffers(), *hybrid.heads.buffers()])
    events = sum(len(clip.events) for clip in clips)
    seconds = sum(clip.end_us - clip.start_us for clip in clips) * 1e-6
    return hybrid.to_checkpoint({
        'trained': (bool(start.card.get('trained'))
                    or (done_snn > 0 and (params.alone or done_ann > 0))),
        'training': {'start': identity(start) if params.start else '',
                     'data_s': round(seconds, 1), 'corpus': fingerprint(clips),
                     'clips': len(clips), 'events': events,
                     'seed': params.seed, 'ann_iterations': done_ann, 'snn_iterations': done_snn,
                     'stream': stream.content() if stream else {},
                     'alone': params.alone, 'processes': ranks.count,
                     'precision': precision_on(device, params.precision),
                     'ann_batch': params.ann_batch, 'snn_batch': params.snn_batch,
                     'steps_us': sorted({step_us for step_us, _, _ in SnnTraining.steps}),
                     'commit': _commit()}})


def _ann_stage(hybrid: Hybrid, params: TrainingParams, clips: list[LabeledRecording],
               stream: StreamParams | None, device: torch.device) -> AnnStage:
    """Return the first stage, which trains on a stream or on clips."""
    settings = AnnTraining(seed=params.seed, batch=params.ann_batch, columns=params.columns,
                           precision=params.precision,
                           absent_price=params.absent_price if stream else 0.0)
    if stream is None:
        geometry = input_geometry(hybrid.preset, clips[0].width, clips[0].height)
        windows = corpus_windows(hybrid.preset, clips, geometry, settings)
    else:
        scenes = Stream.of(stream, params.seed, params.ann_batch)
        windows = stream_windows(hybrid.preset, scenes, input_geometry(hybrid.preset, *GRID))
    return AnnStage(hybrid, windows, settings, device)


def _snn_stage(hybrid: Hybrid, params: TrainingParams, clips: list[LabeledRecording],
               device: torch.device) -> SnnStage:
    """Return the second stage."""
    geometry = input_geometry(hybrid.preset, clips[0].width, clips[0].height)
    follows = not params.alone and hybrid.preset.task == POSE and hybrid.preset.crop == (0, 0)
    return SnnStage(hybrid, clips, geometry, SnnTraining(
        seed=params.seed, batch=params.snn_batch, columns=params.columns, alone=params.alone,
        precision=params.precision, regions=REGIONS if follows else 0.0), device)


def _check_clips(clips: list[LabeledRecording]) -> None:
    """Raise InputError if the clips are unsuitable for training."""
    if not any(clip.visible.any() for clip in clips):
        raise InputError(f'no person is visible in the recordings ({len(clips)}): no joint of any '
                         'label is marked as visible, so there is nothing to learn')
    if not any(_has_events(clip) for clip in clips):
        raise InputError(f'none of the recordings ({len(clips)}) has {MIN_EVENTS} events within '
                         f'{WINDOW_REACH_US / 1e6:g} s between its first and its last label: they '
                         'are empty, or events and labels are on different clocks')


def _has_events(clip: LabeledRecording) -> bool:
    """Return whether there are enough events for the ANN at any time within the labels."""
    t = clip.events['t']
    newest, oldest = t[MIN_EVENTS - 1:], t[:max(0, len(t) - MIN_EVENTS + 1)]
    return bool(np.any((newest - oldest < WINDOW_REACH_US)
                       & (newest >= clip.start_us) & (newest < clip.end_us)))


def device_named(name: str, ranks: Ranks = Ranks()) -> str:
    """Return the torch device for auto, cpu or cuda in this process.

    Raises:
        InputError: there is no such device.
    """
    if name not in ('auto', 'cpu', 'cuda'):
        raise InputError(f'unknown device {name!r}: choose from auto, cpu, cuda')
    if name == 'cpu' or (name == 'auto' and not torch.cuda.is_available()):
        return 'cpu'
    found = torch.cuda.device_count()
    if not found:
        raise InputError('device cuda is requested, but torch finds none: use cpu or auto')
    if ranks.local >= found:
        raise InputError(f'process {ranks.local} of this machine has no GPU, torch finds {found}: '
                         f'start {found} processes, or use --device cpu')
    return f'cuda:{ranks.local}' if ranks.count > 1 else 'cuda'


def _start(params: TrainingParams) -> Checkpoint:
    """Return the initial weights; from another network, only matching tensors are used."""
    start = load(params.start, params.preset, task=None) if params.start else None
    if params.network:
        network = for_task(read_network(params.network), params.task)
    elif start is not None and start.preset.task == params.task:
        network = start.preset
    else:
        network = for_task(preset(params.preset), params.task)
    if network.name != params.preset or not network.logits:
        raise InputError(f'{params.network} describes a network of preset {network.name}, but '
                         f'the run trains {params.preset}')
    if start is not None and start.preset == network:
        return start
    first = first_weights(network, params.seed)
    return first if start is None else transferred(start, first)


def transferred(start: Checkpoint, first: Checkpoint) -> Checkpoint:
    """Return initial weights of a network, with matching tensors replaced by those of `start`."""
    tensors = {name: start.tensors[name].copy() if name in start.tensors
               and start.tensors[name].shape == tensor.shape else tensor
               for name, tensor in first.tensors.items()}
    return Checkpoint(first.preset, tensors, first.card)


def first_weights(network: Preset, seed: int) -> Checkpoint:
    """Return random initial weights of a network."""
    checkpoint = untrained(network, seed)
    for name, tensor in checkpoint.tensors.items():
        if name == 'snn.output.weight' or (name.endswith('conv2.weight') and 'heads.' in name):
            checkpoint.tensors[name] = OUTPUT_START * tensor
    return checkpoint


def _commit() -> str:
    """Return the commit of the code; empty if it is not a checkout."""
    try:
        return subprocess.run(['git', 'rev-parse', '--short=12', 'HEAD'], text=True, check=True,
                              cwd=Path(__file__).parent, capture_output=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ''
