# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights: a network, its tensors as NumPy arrays, and a card that documents their origin.

On disk they are a safetensors file with the card in its metadata, and a readable copy of the card
as JSON. The card describes the network (`network_description.py`), so weights of any size can be
loaded. The name's suffix defines the meaning of a tensor (dt is the length of a time bin):

    weight, bias          a convolution; in the SNN, including the output layer, a bias is a
                          current of (1 - leak) * bias per bin
    norm.*                batch normalization after the convolution, eps = 1e-5
    log_tau_us            natural logarithm of the membrane time constant [us]; for snn.output,
                          that of the decay of the integrated output
    log_tau_held_us       the same for the decay of the ANN's heatmap
    snn.feedback.weight   current of a joint at its peak into the neurons around it, flipped as in
                          a convolution, (C, J, k, k)
    snn.flow.weight       cells that a spike moves a joint by, x of all joints, then y,
                          (2 J, C, k, k)
"""

import hashlib
import json
import math
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from hybrid_pose_ros.errors import CheckpointError
from hybrid_pose_ros.model import presets
from hybrid_pose_ros.model.layout import Convolution, convolutions
from hybrid_pose_ros.model.network_description import describe, from_description
from hybrid_pose_ros.model.presets import Preset
from hybrid_pose_ros.tasks.table import TASKS

FORMAT = 1
POSE = 'pose'
WEIGHTS = Path(__file__).parents[1] / 'weights'
"""Folder of the shipped weights: `<preset>` and `<preset>_alone`."""
NORM_TENSORS = ('weight', 'bias', 'running_mean', 'running_var')
FIRING_SIGMA = {'snn.enc0': 0.42, 'snn.down1': 0.24, 'snn.down2': 0.12, 'snn.res1': 0.08,
                'snn.res2': 0.05, 'snn.up1': 0.10, 'snn.up2': 0.11}
"""Standard deviation of the weights of edge's spiking layers."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The weights of one hybrid network, complete and with the shapes of the preset."""

    preset: Preset
    tensors: dict[str, np.ndarray]  # float32, names and shapes of `parameter_shapes`
    card: dict[str, Any]  # JSON values; 'trained' is whether the weights are trained

    def __post_init__(self) -> None:
        """Raise CheckpointError unless the tensors are exactly those of the preset."""
        _check_tensors(self.preset, self.tensors)

    def save(self, path: str | Path) -> None:
        """Write `path` (.safetensors) and the card next to it (.json), each atomically."""
        path = Path(path)
        card = self.card | {'format': FORMAT, 'preset': self.preset.name,
                            'network': describe(self.preset), 'identity': identity(self)}
        if self.preset.task != POSE:
            card['task'] = self.preset.task
        tensors = {name: np.asarray(tensor, order='C') for name, tensor in self.tensors.items()}
        text = json.dumps(card, indent=2, sort_keys=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, safetensors.numpy.save(tensors, {'card': text}))
        _replace(path.with_suffix('.json'), f'{text}\n'.encode())


def load(path: str | Path, preset_name: str | None = None,
         task: str | None = POSE) -> Checkpoint:
    """Read a checkpoint.

    Args:
        path: the .safetensors file.
        preset_name: expected preset, of any size; None accepts the file's preset.
        task: expected task; None accepts the file's task.

    Raises:
        CheckpointError: the file is missing, damaged, or of another preset or task.
    """
    path = Path(path)
    if path.is_dir() or not path.exists():
        raise CheckpointError(f'no weights at {path}: give the path of a .safetensors file')
    try:
        with safetensors.safe_open(path, 'numpy') as file:
            card = json.loads((file.metadata() or {}).get('card', 'null'))
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (OSError, ValueError, TypeError, safetensors.SafetensorError) as error:
        raise CheckpointError(f'{path} cannot be read as safetensors ({error}): '
                              'it is damaged or something else') from error
    if not isinstance(card, dict) or card.get('preset') not in list(presets.PRESETS):
        raise CheckpointError(f'{path} has tensors but no card that names a preset: '
                              'it was not written by hybrid_pose_ros')
    if preset_name not in (None, card['preset']):
        raise CheckpointError(f'{path} has weights of preset {card["preset"]}, but preset '
                              f'{preset_name} is configured: change one of the two')
    found = card.get('task', POSE)
    if found not in TASKS or task not in (None, found):
        raise CheckpointError(f'{path} has weights for the task {found!r}, but '
                              f'{task or " or ".join(TASKS)} is required')
    try:
        if 'network' in card:
            network = from_description(card['network'])
        else:  # written by version 0.1.0
            network = presets.for_task(presets.preset(card['preset']), found)
        if (network.name, network.task) != (card['preset'], found):
            raise CheckpointError('its card names another preset or task than its network')
        checkpoint = Checkpoint(network, tensors, card)
    except CheckpointError as error:
        raise CheckpointError(f'{path}: {error}') from None
    if card.get('identity') != identity(checkpoint):
        raise CheckpointError(f'{path} is damaged: its tensors are not those that its card names')
    return checkpoint


def shipped(preset_name: str, path: str = '', task: str | None = POSE) -> Checkpoint:
    """Return the weights for a node: those at a path, otherwise those shipped with the preset.

    Shipped weights are for poses; weights at a path must be for `task`, or for any task if it is
    None. If no weights are shipped with the preset, the result is random, identical in every
    process, and marked as untrained in its card.

    Raises:
        CheckpointError: as for `load`.
        InputError: there is no preset of that name.
    """
    preset = presets.preset(preset_name)
    if path:
        return load(path, preset_name, task)
    packaged = WEIGHTS / f'{preset_name}.safetensors'
    return load(packaged, preset_name) if packaged.exists() else untrained(preset)


def shipped_alone(preset_name: str) -> Checkpoint | None:
    """Return the shipped weights of an SNN that runs alone, or None if there are none."""
    packaged = WEIGHTS / f'{preset_name}_alone.safetensors'
    return load(packaged, preset_name) if packaged.exists() else None


def untrained(preset: Preset, seed: int = 0) -> Checkpoint:
    """Return random weights, identical on every machine for the same seed.

    Convolution weights are normally distributed: in `paper` with Xavier variance, as published; in
    `edge` with He variance, except for the spiking layers, whose variance makes 2 to 6 % of the
    neurons fire per bin of 10 ms.
    """
    tensors = {}
    for conv in convolutions(preset):
        for name, shape in _shapes_of(conv).items():
            generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
            tensors[name] = _start_value(preset, conv, name, shape, generator)
    return Checkpoint(preset, tensors, {'trained': False, 'seed': seed})


def identity(checkpoint: Checkpoint) -> str:
    """Return 16 hexadecimal digits that identify the network and its tensors."""
    network = checkpoint.preset
    digest = hashlib.sha256(network.name.encode())
    if network != presets.for_task(presets.PRESETS.get(network.name, network), network.task):
        digest.update(json.dumps(describe(network), sort_keys=True).encode())
    for name in sorted(checkpoint.tensors):
        digest.update(f'\0{name}\0'.encode())
        digest.update(np.asarray(checkpoint.tensors[name], '<f4').tobytes())
    return digest.hexdigest()[:16]


def parameter_shapes(preset: Preset) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a preset's tensors."""
    return {name: shape for conv in convolutions(preset)
            for name, shape in _shapes_of(conv).items()}


def _shapes_of(conv: Convolution) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {f'{conv.name}.weight': conv.weight_shape}
    if conv.bias:
        shapes[f'{conv.name}.bias'] = (conv.out_channels,)
    if conv.norm:
        shapes |= {f'{conv.name}.norm.{name}': (conv.out_channels,) for name in NORM_TENSORS}
    return shapes | {f'{conv.name}.{name}': shape for name, shape in conv.log_taus}


def _start_value(preset: Preset, conv: Convolution, name: str, shape: tuple[int, ...],
                 generator: np.random.Generator) -> np.ndarray:
    if name == f'{conv.name}.weight' and not conv.at_joints:
        # With stride 2, each output of a transposed convolution uses only 4 of the 4 x 4 taps.
        taps = conv.kernel ** 2 // (4 if conv.transposed else 1)
        fan_in, fan_out = conv.in_channels * taps, conv.out_channels * taps
        if preset.batch_norm:
            sigma = math.sqrt(2 / (fan_in + fan_out))
        else:
            sigma = FIRING_SIGMA.get(conv.name, math.sqrt(2 / fan_in))
        return (sigma * generator.standard_normal(shape)).astype(np.float32)
    log_taus = {'log_tau_us': preset.tau_output_us if shape == () else preset.tau_us,
                'log_tau_held_us': preset.tau_held_us}
    last = name.rsplit('.', 1)[-1]
    if last in log_taus:
        return np.full(shape, math.log(log_taus[last]), np.float32)
    ones = name.endswith(('norm.weight', 'norm.running_var'))
    return np.full(shape, float(ones), np.float32)


def _check_tensors(preset: Preset, tensors: dict[str, np.ndarray]) -> None:
    expected = parameter_shapes(preset)
    faults = [f'missing: {name}' for name in expected if name not in tensors]
    faults += [f'unexpected: {name}' for name in tensors if name not in expected]
    for name in expected.keys() & tensors.keys():
        tensor = tensors[name]
        if tensor.shape != expected[name] or tensor.dtype != np.float32:
            faults.append(f'{name}: expected float32 {expected[name]}, '
                          f'got {tensor.dtype} {tensor.shape}')
        elif not np.isfinite(tensor).all():
            faults.append(f'{name}: some values are not finite')
    if faults:
        raise CheckpointError(f'the weights do not fit preset {preset.name}: '
                              + '; '.join(sorted(faults)))


def _replace(path: Path, content: bytes) -> None:
    """Write a file atomically: readers see the old content or the complete new one."""
    temporary = path.with_name(f'.{path.name}.{os.getpid()}')
    temporary.write_bytes(content)
    os.replace(temporary, path)
