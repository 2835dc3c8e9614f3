# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks of other sizes."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from labeled_clips import circling_clip, write_clip

from hybrid_pose_ros.engine.estimator import SpikingEngine
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.studies import sizes
from hybrid_pose_ros.studies.options import Options
from hybrid_pose_ros.studies.sized_presets import first_weights_of, sized
from hybrid_pose_ros.training.run import first_weights

EDGE = preset('edge')


def test_full_size_is_edge():
    assert dataclasses.replace(sized(1.0, 3), name='edge') == EDGE
    ours, theirs = first_weights_of(sized(1.0, 3), 1), first_weights(EDGE, 1)
    assert all((tensor == theirs.tensors[name]).all() for name, tensor in ours.tensors.items())


@pytest.mark.parametrize(('width', 'levels'), [(0.25, 1), (0.5, 2), (0.25, 3)])
@torch.no_grad()
def test_the_engine_runs_each_size_as_torch_does(width, levels):
    network = sized(width, levels)
    hybrid = Hybrid.from_checkpoint(first_weights_of(network, 0))
    rng = np.random.default_rng(0)
    state = hybrid.initialize(torch.from_numpy(rng.integers(0, 4, (1, 20, 28, 36))).float())
    tensors = {f'membrane.{layer.name}': membrane.membrane[0].permute(1, 2, 0).numpy()
               for layer, membrane in zip(network.spiking, state.layers, strict=True)}
    tensors['heatmap'] = state.held[0].permute(1, 2, 0).numpy()
    engine = SpikingEngine(hybrid.to_checkpoint({}), 36, 28, 1000)
    running = engine.initialize(tensors)
    for _ in range(3):
        counts = rng.poisson(0.3, (2, 28, 36)).astype(np.uint8)
        heatmaps, state = hybrid.step(torch.from_numpy(counts)[None].float(), state, 1000)
        found = engine.step(counts, running)
    np.testing.assert_allclose(found, heatmaps[0].permute(1, 2, 0), atol=1e-3)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8))
def test_the_best_are_those_that_no_other_beats_in_both(points):
    best = sizes.pareto(*map(list, zip(*points)))

    def beaten(point):
        return any(other != point and other[0] <= point[0] and other[1] <= point[1]
                   for other in points)
    assert {points[index] for index in best} == {point for point in points if not beaten(point)}
    assert len({points[index] for index in best}) == len(best)


def test_a_study_measures_what_it_trained_beside_edge(tmp_path):
    write_clip(tmp_path / 'clips', circling_clip(events_ms=20))
    options = Options((tmp_path / 'clips',), tmp_path, (tmp_path / 'clips',), batches=1)
    result = sizes.study(options, sizes=((0.25, 1), (0.25, 2)), precision='fp32')
    names = [row['size'] for row in result['rows']]
    assert names == ['w0.25 l1', 'w0.25 l2', 'edge as shipped']
    small, larger, edge = result['rows']
    assert small['parameters'] < larger['parameters'] < edge['parameters'] == 938_116
    assert small['power [mW]'] < larger['power [mW]'] < edge['power [mW]']
    assert sizes.draw(result, tmp_path).stat().st_size > 0
