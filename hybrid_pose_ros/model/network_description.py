# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks as JSON (kind, channels, kernels, strides, heads), so that weights of any size load.

The card of a checkpoint contains this description. Older files name a preset instead.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from hybrid_pose_ros.errors import CheckpointError, InputError
from hybrid_pose_ros.model.presets import (
    EVENTS, PRESETS, Preset, feature_depths, heatmap_depth, spike_depths)
from hybrid_pose_ros.tasks.table import TASKS

UPSAMPLING = 'none', 'bilinear', 'transposed'
MOST_CHANNELS = 4096


def describe(network: Preset) -> dict[str, Any]:
    """Return a network as JSON values."""
    return dataclasses.asdict(network)


def from_description(description: Any) -> Preset:
    """Return the network of a description; the preset object itself, if they are equal.

    Raises:
        CheckpointError: a field is missing, unknown or of the wrong type, or layers are
            inconsistent; the message names the field.
    """
    network: Preset = _read(Preset, description, 'network')
    _check(network)
    named = PRESETS[network.name]
    return named if named == network else network


def read_network(path: str | Path) -> Preset:
    """Return the network in a JSON file, which is a description or the card of weights.

    Raises:
        InputError: the file cannot be read or does not describe a network.
    """
    try:
        value = json.loads(Path(path).read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f'{path} cannot be read as JSON ({error}): expected a description of '
                         'a network, such as `network` in the card of weights') from error
    if isinstance(value, Mapping) and 'network' in value:
        value = value['network']
    try:
        return from_description(value)
    except CheckpointError as error:
        raise InputError(f'{path}: {error}') from error


def _read(kind: Any, value: Any, where: str) -> Any:
    """Convert a JSON value to the type of a field."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _read_object(kind, value, where)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else _read(arguments[0], value, where)
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise CheckpointError(f'{where} must be a list, not {value!r:.80}')
        if arguments[-1] is Ellipsis:
            arguments = arguments[:1] * len(value)
        if len(value) != len(arguments):
            raise CheckpointError(f'{where} must have {len(arguments)} values, not {len(value)}')
        return tuple(_read(each, part, f'{where}[{i}]')
                     for i, (each, part) in enumerate(zip(arguments, value)))
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise CheckpointError(f'{where} must be of type {kind.__name__}, not {value!r:.80}')
    return value


def _read_object(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise CheckpointError(f'{where} must be an object, not {value!r:.80}')
    fields = {field.name: field for field in dataclasses.fields(kind)}
    if unknown := sorted(set(value) - set(fields)):
        raise CheckpointError(f'{where} has an unknown field {unknown[0]!r}: a later version may '
                              'have written it')
    missing = [name for name, field in fields.items()
               if name not in value and field.default is dataclasses.MISSING]
    if missing:
        raise CheckpointError(f'{where} lacks the field {missing[0]!r}')
    types = get_type_hints(kind)
    return kind(**{name: _read(types[name], part, f'{where}.{name}')
                   for name, part in value.items()})


def _check(network: Preset) -> None:
    """Raise CheckpointError if layers are inconsistent."""
    _require(network.name in PRESETS, f'network.name must be one of {", ".join(PRESETS)}, '
             f'not {network.name!r}')
    _require(network.task in TASKS, f'network.task must be one of {", ".join(TASKS)}')
    _require(network.joints == len(TASKS[network.task].maps),
             f'network.joints must be {len(TASKS[network.task].maps)} for the task {network.task}')
    _check_values(network)
    channels = _check_spiking(network)
    depths = spike_depths(network)
    _check_inputs('output', network.output.inputs, network.output.in_channels, channels, depths)
    _check_ann(network)
    _check_heads(network, channels, depths)
    as_fine = {name for name, depth in depths.items() if depth == heatmap_depth(network)}
    if network.feedback:
        _require(network.feedback.layer in as_fine - {EVENTS},
                 'network.feedback.layer must be a spiking layer with the resolution of the '
                 'heatmaps')
    if network.flow:
        _require(set(network.flow.inputs) <= as_fine,
                 'network.flow.inputs must be maps with the resolution of the heatmaps')
        _check_inputs('flow', network.flow.inputs, network.flow.in_channels, channels, depths)


def _check_values(network: Preset) -> None:
    kernels = [*(layer.kernel for layer in network.spiking), network.output.kernel,
               network.ann.stem[1], *(kernel for _, kernel in network.ann.down)]
    kernels += [part.kernel for part in (network.feedback, network.flow) if part]
    _require(all(1 <= kernel <= 15 for kernel in kernels), 'kernels must be from 1 to 15')
    channels = [*(layer.out_channels for layer in network.spiking), network.ann.stem[0],
                *(channels for channels, _ in network.ann.down), *network.ann.up]
    _require(all(1 <= number <= MOST_CHANNELS for number in channels),
             f'channels must be from 1 to {MOST_CHANNELS}')
    ann, size = network.ann, (network.max_width, network.max_height, *network.crop)
    _require(all(0 <= side <= 100_000 for side in size) and any(size),
             'max_width and max_height, or the crop, must be above 0')
    _require(1 <= network.step_us <= 1_000_000, 'step_us must be from 1 to 1000000')
    _require(1 <= ann.bins <= 100 and 1 <= ann.window_events <= 10**7 and ann.count_limit >= 0,
             'ann.bins must be from 1 to 100, ann.window_events from 1 to 10000000')
    _require(all(0 < time_us < 1e12 for time_us in (
        network.tau_us, network.tau_output_us, network.tau_held_us)),
        'time constants must be above 0')
    _require(0 < network.threshold < 1e6, 'threshold must be above 0')


def _check_ann(network: Preset) -> None:
    ann = network.ann
    _require(ann.stem[2] in (1, 2), 'network.ann.stem: the stride must be 1 or 2')
    _require(1 <= len(ann.up) <= len(ann.down), 'network.ann.up must have a level or more, and no '
             'more than network.ann.down')
    depth, heatmaps = feature_depths(network)['output'], heatmap_depth(network)
    _require(depth == heatmaps, f'the ANN\'s heatmaps are halved {depth} times, those of the SNN '
             f'{heatmaps} times')


def _check_spiking(network: Preset) -> dict[str, int]:
    """Return the channels of each spike map."""
    channels, depths = {EVENTS: 2}, {EVENTS: 0}
    for layer in network.spiking:
        where = f'network.spiking.{layer.name}'
        _require(layer.name not in channels, f'{where} is defined twice')
        _require(layer.stride in (1, 2) and layer.upsampling in UPSAMPLING,
                 f'{where}: stride must be 1 or 2, upsampling one of {", ".join(UPSAMPLING)}')
        _check_inputs(layer.name, layer.inputs, layer.in_channels, channels, depths)
        channels[layer.name] = layer.out_channels
        depths[layer.name] = (depths[layer.inputs[0]] + (layer.stride == 2)
                              - (layer.upsampling != 'none'))
        _require(depths[layer.name] >= 0, f'{where} is finer than the input')
        if layer.residual:
            _require(channels.get(layer.residual) == layer.out_channels
                     and depths[layer.residual] == depths[layer.name],
                     f'{where}: residual {layer.residual!r} is not a map of its shape')
    return channels


def _check_inputs(name: str, inputs: Iterable[str], in_channels: int,
                  channels: Mapping[str, int], depths: Mapping[str, int]) -> None:
    inputs = tuple(inputs)
    unknown = [each for each in inputs if each not in channels]
    _require(bool(inputs) and not unknown,
             f'{name} has inputs {inputs}, but the maps before it are {", ".join(channels)}')
    _require(len({depths[each] for each in inputs}) == 1,
             f'inputs of {name} differ in size: {", ".join(inputs)}')
    total = sum(channels[each] for each in inputs)
    _require(total == in_channels,
             f'{name}.in_channels is {in_channels}, but its inputs have {total}')


def _check_heads(network: Preset, channels: Mapping[str, int], depths: Mapping[str, int]) -> None:
    ann, of_features = network.ann, feature_depths(network)
    features = {'s1': ann.stem[0]}
    features |= {f's{level}': out for level, (out, _) in enumerate(ann.down, start=2)}
    features |= {f'a{level}': out for level, out in enumerate(ann.up, start=1)}
    for head in network.heads:
        where = f'the head of {head.layer}'
        _require(head.layer in channels and head.layer != EVENTS,
                 f'{where}: there is no such spiking layer')
        _require(features.get(head.feature) == head.in_channels,
                 f'{where}: feature {head.feature!r} must be of the ANN, with '
                 f'{head.in_channels} channels')
        _require(channels[head.layer] == head.out_channels,
                 f'{where} has {head.out_channels} channels, the layer {channels[head.layer]}')
        _require(of_features[head.feature] - depths[head.layer] in (0, 1),
                 f'{where}: feature {head.feature!r} must be as fine as the layer, or half')


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise CheckpointError(text)
