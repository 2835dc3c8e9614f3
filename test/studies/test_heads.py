# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Designs of initialization heads."""

import pytest
import torch
from labeled_clips import circling_clip, write_clip

from hybrid_pose_ros.energy import operations as energy
from hybrid_pose_ros.model.checkpoint import shipped
from hybrid_pose_ros.model.layout import spike_maps
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.studies import heads
from hybrid_pose_ros.studies.head_designs import DESIGNS, DesignedHeads
from hybrid_pose_ros.studies.heads import ImitationStage
from hybrid_pose_ros.studies.options import Options
from hybrid_pose_ros.training.loop import Schedule, fit

EDGE, SIZE = preset('edge'), (36, 28)


def features_of(hybrid):
    frame = torch.rand(2, 20, SIZE[1], SIZE[0], generator=torch.Generator().manual_seed(0))
    return hybrid.ann(frame)[1]


def take_weights(designed, hybrid):
    """Give heads of the design that ships the weights that ship."""
    for head in EDGE.heads:
        ours, theirs = designed.get_submodule(head.layer), hybrid.heads.get_submodule(head.layer)
        ours[0].load_state_dict(theirs.conv1.state_dict())
        ours[1].load_state_dict(theirs.conv2.state_dict())


@pytest.mark.parametrize('design', DESIGNS)
@torch.no_grad()
def test_every_design_sets_every_layer(design):
    membranes = DesignedHeads(EDGE, design).eval()(features_of(Hybrid(EDGE)), *SIZE)
    assert {name: tuple(maps.shape[1:]) for name, maps in membranes.items()} == spike_maps(
        EDGE, *SIZE)
    assert design not in ('none', 'constant') or not any(
        maps.any() for maps in membranes.values())


@torch.no_grad()
def test_pointwise_is_the_design_that_ships():
    hybrid = Hybrid.from_checkpoint(shipped('edge'))
    designed = DesignedHeads(EDGE, 'pointwise').eval()
    take_weights(designed, hybrid)
    features = features_of(hybrid)
    for ours, theirs in zip(designed(features, *SIZE).values(),
                            hybrid.heads(features, *SIZE).values(), strict=True):
        assert torch.equal(ours, theirs)
    assert designed.macs(*SIZE) == energy.dense_macs(EDGE, *SIZE, 'heads.')


def test_designs_cost_what_their_names_promise():
    costs = {design: DesignedHeads(EDGE, design).macs(*SIZE) for design in DESIGNS}
    assert costs['none'] == costs['constant'] == 0
    assert 0 < costs['low_rank'] < costs['single'] < costs['pointwise'] < costs['spatial']
    assert costs['last_map'] < costs['pointwise']


def imitation(hybrid, designed):
    clip = circling_clip(events_ms=20)
    return ImitationStage(hybrid, designed, [clip], input_geometry(EDGE, clip.width, clip.height),
                          0)


def test_the_shipped_design_with_its_weights_imitates_itself():
    hybrid = Hybrid.from_checkpoint(shipped('edge'))
    designed = DesignedHeads(EDGE, 'pointwise')
    take_weights(designed, hybrid)
    designed.eval().train = lambda: designed  # it normalizes as they do
    assert imitation(hybrid, designed).loss(0)[0].item() < 1e-9


def test_heads_learn_to_give_the_states_of_others(tmp_path):
    hybrid, losses = Hybrid.from_checkpoint(shipped('edge')), []
    fit(imitation(hybrid, DesignedHeads(EDGE, 'single')), Schedule(30, 1e-2, warm_up=1), tmp_path,
        lambda iteration, figures: losses.append(figures['loss']))
    assert losses[-1] < 0.8 * losses[0]


def test_a_study_ranks_designs_beside_the_heads_that_ship(tmp_path):
    write_clip(tmp_path / 'clips', circling_clip(events_ms=20))
    options = Options((tmp_path / 'clips',), tmp_path, (tmp_path / 'clips',), batches=1)
    once = Schedule(1, 1e-3)
    result = heads.study(options, designs=('none', 'low_rank'), imitation=once, precision='fp32')
    rows = {row['heads']: row for row in result['rows']}
    assert list(rows) == ['as shipped', 'none', 'low_rank', '(ANN at every instant)',
                          '(held pose)']
    assert rows['none']['MMAC a pass'] == 0 and 'against none' not in rows['none']
    assert rows['as shipped']['error [px]'] != rows['none']['error [px]']
    assert heads.draw(result, tmp_path).stat().st_size > 0
    again = heads.study(options, designs=('none', 'low_rank'), imitation=once)
    assert again == result  # from what was kept
