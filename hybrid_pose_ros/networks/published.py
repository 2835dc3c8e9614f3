# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Converts weights of the published code for the systems of preset `paper`.

Source: the state dictionaries of https://github.com/uzh-rpg/hybrid_ann_snn (models/).
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from hybrid_pose_ros.errors import CheckpointError
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.networks.torch_files import read_torch

HEADS = ('enc0', 'down1', 'down2', 'down3', 'res1', 'res2', 'up1', 'up2', 'up3')

_ANN = [
    (r'ann\.s1\.conv([12])\.', r'conv\1_cnn.'), (r'ann\.output\.', 'conv3_cnn.'),
    *((rf'ann\.s{level + 1}\.', f'down{level}_cnn.') for level in range(1, 6)),
    (r'ann\.a(\d)\.', r'up\1_cnn.')]
_HEAD = [(r'conv1\.norm\.', 'norm_layer.'), (r'conv2\.norm\.', 'norm_layer2.')]
_SNN = [
    (r'snn\.enc0\.norm\.', 'static_conv_snn.norm_layer.'),
    (r'snn\.enc0\.', 'static_conv_snn.conv2d.'),
    (r'snn\.down(\d)\.norm\.', r'down\1_snn.conv.norm_layer.'),
    (r'snn\.down(\d)\.', r'down\1_snn.conv.conv2d.'),
    (r'snn\.res(\d)\.norm\.', r'residualBlock_snn.bn\1.'),
    (r'snn\.res(\d)\.', r'residualBlock_snn.conv\1.'),
    (r'snn\.up(\d)\.norm\.', r'up\1_snn.norm_layer.'),
    (r'snn\.up(\d)\.', r'up\1_snn.conv2d.'),
    (r'snn\.output\.norm\.', 'temporalflat_snn.norm_layer.'),
    (r'snn\.output\.', 'temporalflat_snn.conv2d.')]
_RNN = [
    (r'rnn\.head\.', 'unetrecurrent.head.conv2d.'),
    (r'rnn\.levels\.(\d)\.conv\.', r'unetrecurrent.encoders.\1.conv.conv2d.'),
    (r'rnn\.levels\.(\d)\.norm\.', r'unetrecurrent.encoders.\1.conv.norm_layer.'),
    (r'rnn\.levels\.(\d)\.gates\.', r'unetrecurrent.encoders.\1.recurrent_block.Gates.'),
    (r'rnn\.residuals\.(\d)\.norm', r'unetrecurrent.resblocks.\1.bn'),
    (r'rnn\.residuals\.', 'unetrecurrent.resblocks.'),
    (r'rnn\.decoders\.(\d)\.conv\.', r'unetrecurrent.decoders.\1.transposed_conv2d.'),
    (r'rnn\.decoders\.(\d)\.norm\.', r'unetrecurrent.decoders.\1.norm_layer.'),
    (r'rnn\.output\.', 'unetrecurrent.pred.conv2d.'),
    (r'rnn\.output_norm\.', 'unetrecurrent.pred.norm_layer.')]
_ALONE = [(r'_(cnn|snn)\.', '.'), (r'^static_conv\.conv2d\.', 'static_conv.0.'),
          (r'^static_conv\.norm_layer\.', 'static_conv.1.'),
          (r'^residualBlock\.', 'residualBlock.0.')]


def published_name(system: str, name: str) -> str:
    """Return the name of a tensor of one of SYSTEMS in the published code.

    In stand-alone networks the names lack the suffixes `_cnn` and `_snn` of a hybrid.
    """
    if name.startswith('heads.'):
        part, rest = name.split('.', 2)[1:]
        number = HEADS.index(part) or 'in' if 'snn' in system else int(part) + 1
        return _renamed(f'states_{number}.{rest}', _HEAD)
    name = _renamed(name, {'ann': _ANN, 'snn': _SNN, 'rnn': _RNN}[name.split('.', 1)[0]])
    if system in ('ann', 'snn'):
        for pattern, replacement in _ALONE:
            name = re.sub(pattern, replacement, name)
    return name


def load_published(system: str, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy published tensors into a network of SYSTEMS, in place.

    Raises:
        CheckpointError: tensors are missing, unexpected or of other shapes.
    """
    wanted = {name: (published_name(system, name), tensor)
              for name, tensor in network.state_dict().items() if not _counts(name)}
    known = {name for name, _ in wanted.values()}
    faults = [f'unexpected: {name}' for name in tensors if name not in known and not _counts(name)]
    for name, own in wanted.values():
        if name not in tensors:
            faults.append(f'missing: {name}')
        elif tensors[name].shape != own.shape:
            faults.append(f'{name}: expected {tuple(own.shape)}, got {tuple(tensors[name].shape)}')
    if faults:
        raise CheckpointError(f'the weights are not those of the published {system}: '
                              + '; '.join(sorted(faults)))
    with torch.no_grad():
        for name, own in wanted.values():
            own.copy_(tensors[name])


def published_hybrid(path: str | Path) -> Checkpoint:
    """Return a checkpoint with the weights of a published hybrid (.pt).

    The weights are assumed to be for steps of 10 ms, since the file contains no time constants.

    Raises:
        CheckpointError: the file cannot be read or belongs to another network.
    """
    tensors = read_published(path)
    first = tensors.get('static_conv_snn.conv2d.weight')
    if first is None:
        raise CheckpointError(
            f'{path} is not a hybrid, the only network that can be converted: score a stand-alone '
            'network with `hybrid-pose reproduce --published snn=FILE`, for example')
    fitting = [chosen for chosen in map(preset, ('paper', 'paper_small'))
               if chosen.spiking[0].out_channels == len(first)]
    hybrid = Hybrid(fitting[0] if fitting else preset('paper'))
    load_published('hybrid_snn', hybrid, tensors)
    return hybrid.to_checkpoint({'trained': True, 'training': {'weights': 'published',
                                                               'file': Path(path).name}})


def read_published(path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a published file (.pt) without executing anything in it.

    Raises:
        CheckpointError: the file cannot be read or contains something else.
    """
    tensors = read_torch(path)
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor)
                                                for value in tensors.values()):
        raise CheckpointError(f'{path} is not a state dictionary: expected names and tensors')
    return tensors


def _renamed(name: str, rules: list[tuple[str, str]]) -> str:
    for pattern, replacement in rules:
        renamed, count = re.subn(f'^{pattern}' if pattern.startswith(('ann', 'snn', 'rnn'))
                                 else pattern, replacement, name)
        if count:
            return renamed
    return name


def _counts(name: str) -> bool:
    """Return whether a tensor is the unused batch counter of a batch norm."""
    return name.endswith('num_batches_tracked')
