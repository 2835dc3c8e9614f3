# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks as JSON: what comes back, what is refused, and weights of other sizes that run."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.errors import CheckpointError, InputError
from hybrid_pose_ros.model.checkpoint import (
    Checkpoint, identity, load, parameter_shapes, untrained)
from hybrid_pose_ros.model.network_description import describe, from_description, read_network
from hybrid_pose_ros.model.presets import PRESETS, Preset, for_task, preset
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.pose_tracker import PoseTracker
from hybrid_pose_ros.tracking.state_producer import StateProducer
from hybrid_pose_ros.tracking.tracker_params import TrackerParams

EDGE = preset('edge')


def wider(network: Preset = EDGE) -> Preset:
    """Return the network with half as many channels again in its deepest level of the ANN."""
    ann, heads = network.ann, network.heads
    return replace(
        network, ann=replace(ann, down=(*ann.down[:-1], (192, 3))),
        heads=tuple(replace(head, in_channels=192) if head.feature == 's4' else head
                    for head in heads))


def as_json(network: Preset) -> dict:
    return json.loads(json.dumps(describe(network)))


@pytest.mark.parametrize('network', [*PRESETS.values(), for_task(EDGE, 'gesture'), wider()],
                         ids=lambda network: f'{network.name} {network.task}')
def test_a_network_comes_back_from_its_description(network):
    assert from_description(as_json(network)) == network


def test_a_network_of_other_channels_has_tensors_of_those_shapes():
    shapes = parameter_shapes(from_description(as_json(wider())))
    assert shapes['ann.s4.conv1.weight'] == (192, 80, 3, 3)
    assert shapes['heads.res1.conv1.weight'] == (64, 192, 1, 1)
    assert shapes['snn.res1.weight'] == parameter_shapes(EDGE)['snn.res1.weight']


def test_weights_of_another_size_are_saved_loaded_and_run(tmp_path):
    path = tmp_path / 'wide.safetensors'
    untrained(wider()).save(path)
    weights = load(path, 'edge')
    assert weights.preset == wider()
    rng = np.random.default_rng(0)
    events = np.zeros(2_000, [('t', np.int64), ('x', np.uint16), ('y', np.uint16), ('p', bool)])
    events['t'] = np.sort(rng.integers(0, 50_000, len(events)))
    events['x'], events['y'] = rng.integers(0, 64, len(events)), rng.integers(0, 48, len(events))
    producer = StateProducer(weights, InitializerParams(), 64, 48)
    producer.append(events)
    frame = producer.frame()
    state = State(frame.sensor_time_us, {name: np.empty(shape, np.float32)
                                         for name, shape in producer.layout.items()})
    producer.run_into(frame, state.tensors)
    tracker = PoseTracker(weights, TrackerParams(), 64, 48)
    list(tracker.update(events))
    tracker.initialize(state)
    later = events.copy()
    later['t'] += 50_000
    assert len(list(tracker.update(later))) > 40


class State:
    """A state that nobody overwrites, as `replay.InitialState`."""

    def __init__(self, sensor_time_us: int, tensors: dict[str, np.ndarray]):
        self.sensor_time_us, self.tensors = sensor_time_us, tensors

    def is_intact(self) -> bool:
        return True


def test_weights_of_version_0_1_0_whose_card_describes_no_network_are_of_their_preset(tmp_path):
    import safetensors.numpy
    path = tmp_path / 'old.safetensors'
    weights = untrained(EDGE)
    card = {'format': 1, 'preset': 'edge', 'trained': False, 'identity': identity(weights)}
    safetensors.numpy.save_file(weights.tensors, path, {'card': json.dumps(card)})
    assert load(path).preset is EDGE


def test_equal_tensors_of_networks_that_differ_have_two_identities():
    slower, tensors = replace(EDGE, tau_us=90_000.0), untrained(EDGE).tensors
    assert identity(Checkpoint(EDGE, tensors, {})) != identity(Checkpoint(slower, tensors, {}))


@pytest.mark.parametrize('change, said', (
    (lambda d: d.pop('heads'), "network lacks the field 'heads'"),
    (lambda d: d.update(colour='red'), "network has an unknown field 'colour'"),
    (lambda d: d.update(name='huge'), 'network.name must be one of paper, paper_small, edge'),
    (lambda d: d.update(tau_us='long'), "network.tau_us must be of type float, not 'long'"),
    (lambda d: d.update(tau_us=0), 'time constants must be above 0'),
    (lambda d: d.update(joints=17), 'network.joints must be 13 for the task pose'),
    (lambda d: d['spiking'][1].update(in_channels=17),
     'down1.in_channels is 17, but its inputs have 16'),
    (lambda d: d['spiking'][1].update(inputs=['up2']), "down1 has inputs ('up2',)"),
    (lambda d: d['spiking'][4].update(residual='down1'), "residual 'down1' is not a map"),
    (lambda d: d['spiking'][0].update(stride=3), 'network.spiking.enc0: stride must be 1 or 2'),
    (lambda d: d['spiking'][0].update(kernel=10**9), 'kernels must be from 1 to 15'),
    (lambda d: d['ann'].update(stem=[24, 5]), 'network.ann.stem must have 3 values, not 2'),
    (lambda d: d['ann'].update(up=[80, 40]), "the ANN's heatmaps are halved 2 times"),
    (lambda d: d['heads'][0].update(feature='s9'), "feature 's9' must be of the ANN"),
    (lambda d: d['heads'][0].update(out_channels=8), 'has 8 channels, the layer 16'),
    (lambda d: d['feedback'].update(layer='res1'), 'network.feedback.layer must be')))
def test_a_description_that_is_no_network_is_rejected_with_the_field(change, said):
    description = as_json(EDGE)
    change(description)
    with pytest.raises(CheckpointError) as caught:
        from_description(description)
    assert said in str(caught.value)


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
                   st.lists(st.integers(), max_size=3), st.dictionaries(st.text(max_size=3),
                                                                        st.integers(), max_size=2))


@given(st.data())
def test_any_change_gives_a_network_or_one_error(data):
    description = as_json(EDGE)
    part = description
    while True:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        key = data.draw(st.sampled_from(keys))
        deeper = isinstance(part[key], (dict, list)) and len(part[key]) > 0
        if not deeper or data.draw(st.booleans()):
            break
        part = part[key]
    part[key] = data.draw(VALUES)
    try:
        network = from_description(description)
    except CheckpointError:
        return
    assert parameter_shapes(network)


def test_a_file_may_be_a_description_or_a_card(tmp_path):
    for content in (describe(wider()), {'network': describe(wider()), 'preset': 'edge'}):
        path = tmp_path / 'network.json'
        path.write_text(json.dumps(content))
        assert read_network(path) == wider()


@pytest.mark.parametrize('content', ('hello', '[1]', '{}', '"edge"', '[' * 100_000))
def test_a_file_that_describes_no_network_is_named(tmp_path, content):
    path = tmp_path / 'network.json'
    path.write_text(content)
    with pytest.raises(InputError, match='network.json'):
        read_network(path)
