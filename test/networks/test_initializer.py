# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import mmap

import numpy as np
import pytest
import torch

from hybrid_pose_ros.model.checkpoint import Checkpoint, untrained
from hybrid_pose_ros.model.layout import state_layout
from hybrid_pose_ros.model.presets import PRESETS, preset
from hybrid_pose_ros.networks import initializer as initializer_module
from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.networks.initializer import StateInitializer


def normalized(chosen):
    """Return weights whose batch norms are not the identity, so that folding them can fail."""
    tensors = untrained(chosen).tensors
    rng = np.random.default_rng(5)
    for name, tensor in tensors.items():
        if '.norm.' in name or name.endswith('bias'):
            tensor += rng.uniform(0, 0.5, tensor.shape).astype(np.float32)
    return Checkpoint(chosen, tensors, {'trained': False})


def in_shared_memory(layout):
    """Return views into one anonymous mapping, as into the slot of a ring."""
    sizes = {name: 4 * int(np.prod(shape)) for name, shape in layout.items()}
    memory = mmap.mmap(-1, sum(sizes.values()))
    views, offset = {}, 0
    for name, shape in layout.items():
        views[name] = np.frombuffer(memory, np.float32, sizes[name] // 4, offset).reshape(shape)
        offset += sizes[name]
    return memory, views


def frame_of(width, height, seed=0):
    """Return random event counts (20, H, W)."""
    return np.random.default_rng(seed).poisson(0.2, (20, height, width)).astype(np.uint16)


@pytest.mark.parametrize('name, width, height', [
    ('edge', 173, 130), ('edge', 45, 34), ('edge', 1, 1), ('paper', 64, 64), ('paper', 45, 34)])
def test_the_slot_gets_what_initialize_returns(name, width, height):
    """Up to rounding: folded norms and another order of additions, so a few 1e-7 of the scale."""
    checkpoint = normalized(PRESETS[name])
    memory, views = in_shared_memory(state_layout(checkpoint.preset, width, height))
    frame = frame_of(width, height)
    StateInitializer(checkpoint).initialize_into(frame, views)
    with torch.no_grad():
        state = Hybrid.from_checkpoint(checkpoint).initialize(
            torch.from_numpy(frame.astype(np.float32))[None])
    expected = [layer.membrane for layer in state.layers] + [state.held]
    for (tensor, view), maps in zip(views.items(), expected, strict=True):
        maps = maps[0].permute(1, 2, 0).numpy()
        scale = np.abs(maps).max()
        assert scale > 0, tensor
        np.testing.assert_allclose(view, maps, rtol=0, atol=2e-5 * scale, err_msg=tensor)
    assert np.frombuffer(memory, np.float32)[0] == views['membrane.enc0'][0, 0, 0]


@pytest.mark.parametrize('name, width, height', [
    ('edge', 173, 130), ('edge', 45, 34), ('edge', 1, 1), ('paper', 64, 64), ('paper', 45, 34)])
@pytest.mark.parametrize('fused', [True, False])
def test_bfloat16_gives_about_the_same_state(name, width, height, fused, monkeypatch):
    """A product is off by up to 2^-8 of itself, and maps are rounded after every layer."""
    if fused and not initializer_module.can_fuse():
        pytest.skip('this CPU has no instructions for bfloat16, or this torch no fused operators')
    monkeypatch.setattr(initializer_module, 'can_fuse', lambda: fused)
    checkpoint = normalized(PRESETS[name])
    layout = state_layout(checkpoint.preset, width, height)
    states = {}
    for precision in ('float32', 'bfloat16'):
        state = states[precision] = {tensor: np.full(shape, np.nan, np.float32)
                                     for tensor, shape in layout.items()}
        StateInitializer(checkpoint, precision).initialize_into(frame_of(width, height), state)
    for tensor, exact in states['float32'].items():
        difference = np.abs(states['bfloat16'][tensor] - exact).mean()
        assert 0 < difference < 2e-2 * np.abs(exact).mean(), tensor


@pytest.mark.parametrize('fast, precision', [(True, 'bfloat16'), (False, 'float32')])
def test_auto_takes_bfloat16_where_the_cpu_multiplies_it(fast, precision, monkeypatch):
    monkeypatch.setattr(initializer_module, 'multiplies_bfloat16', lambda: fast)
    monkeypatch.setattr(initializer_module, 'fuse', lambda module: None)
    assert StateInitializer(untrained(preset('edge')), 'auto').precision == precision


def test_a_second_frame_replaces_the_first():
    checkpoint = untrained(preset('edge'))
    initializer = StateInitializer(checkpoint)
    layout = state_layout(checkpoint.preset, 45, 34)
    first, second = ({name: np.full(shape, np.nan, np.float32) for name, shape in layout.items()}
                     for _ in range(2))
    initializer.initialize_into(frame_of(45, 34, seed=1), first)
    initializer.initialize_into(frame_of(45, 34, seed=0), first)
    initializer.initialize_into(frame_of(45, 34, seed=0), second)
    for name in layout:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize('spoil, text', [
    (lambda view: view[:-1], 'must be float32'),
    (lambda view: view.astype(np.float64), 'must be float32'),
    (lambda view: np.moveaxis(np.zeros(view.shape[::-1], np.float32), 0, 2).swapaxes(0, 1),
     'contiguous'),
    (lambda view: np.frombuffer(view.tobytes(), np.float32).reshape(view.shape), 'writable')])
def test_views_that_cannot_be_written_in_place_are_refused(spoil, text):
    checkpoint = untrained(preset('edge'))
    layout = state_layout(checkpoint.preset, 45, 34)
    views = {name: np.zeros(shape, np.float32) for name, shape in layout.items()}
    views['membrane.up1'] = spoil(views['membrane.up1'])
    with pytest.raises(ValueError, match=f'membrane.up1 .*{text}'):
        StateInitializer(checkpoint).initialize_into(frame_of(45, 34), views)
