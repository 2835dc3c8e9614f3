# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What training minimizes."""

import numpy as np
import pytest
import torch

from hybrid_pose_ros.pose.heatmaps import locate_joints
from hybrid_pose_ros.pose.targets import heatmap_target
from hybrid_pose_ros.training.losses import absence_loss, blob_loss, heatmap_loss, spike_penalty

JOINTS = torch.tensor([[[3.25, 4.75], [7.0, 2.0]]])
SEEN = torch.ones(1, 2, dtype=torch.bool)


def gaussian_logits():
    """Return logits whose softmax is the Gaussian that is asked for, (1, 2, 9, 12)."""
    y, x = torch.meshgrid(torch.arange(9), torch.arange(12), indexing='ij')
    distance = ((x - JOINTS[..., 0, None, None]) ** 2 + (y - JOINTS[..., 1, None, None]) ** 2)
    return -0.5 * distance


def test_the_gaussian_round_each_joint_is_the_minimum():
    logits = gaussian_logits().requires_grad_()
    heatmap_loss(logits, JOINTS, SEEN).backward()
    assert logits.grad.abs().max() < 1e-6


def test_the_decoder_finds_the_joint_in_what_the_loss_asks_for():
    cells, _ = locate_joints(gaussian_logits()[0].permute(1, 2, 0).numpy().copy(), logits=True)
    assert np.abs(cells - JOINTS[0].numpy()).max() < 0.08


def test_uniform_logits_cost_the_logarithm_of_the_cells():
    loss = heatmap_loss(torch.zeros(1, 2, 9, 12), JOINTS, SEEN)
    assert torch.isclose(loss, torch.log(torch.tensor(108.0)))


def test_a_joint_out_of_sight_gives_no_gradient():
    logits = torch.randn(1, 2, 9, 12, requires_grad=True)
    heatmap_loss(logits, JOINTS, torch.tensor([[True, False]])).backward()
    assert logits.grad[0, 0].abs().max() > 0 and logits.grad[0, 1].abs().max() == 0


def test_a_batch_without_joints_in_sight_costs_nothing():
    assert heatmap_loss(torch.randn(1, 2, 9, 12), JOINTS, ~SEEN) == 0


def test_only_spikes_beyond_the_allowed_rate_cost():
    assert torch.isclose(spike_penalty(torch.tensor([0.01, 0.05, 0.06]), allowed=4.0),
                         torch.tensor(3.0))


CELLS = torch.tensor([[[0, 0], [15, 3], [31, 23], [40, -2]]])
SHOWN = torch.tensor([[True, True, False, False]])


def blobs():
    """Return what the paper's networks are to put out for CELLS, (1, 4, 24, 32)."""
    target = heatmap_target(CELLS[0].numpy(), 24, 32, visible=SHOWN[0].numpy())
    return torch.from_numpy(target)[None]


def test_blobs_round_shown_joints_cost_nothing():
    assert blob_loss(blobs(), CELLS, SHOWN) == pytest.approx(0, abs=1e-14)


def test_blobs_cost_the_mean_square_of_what_is_missing():
    heatmaps = torch.randn(1, 4, 24, 32)
    expected = (heatmaps - blobs()).square().mean()
    assert torch.isclose(blob_loss(heatmaps, CELLS, SHOWN), expected)


def test_all_zeros_cost_what_was_published():
    """1.917e-4 for each visible joint at 256 x 256."""
    loss = blob_loss(torch.zeros(1, 1, 256, 256), torch.tensor([[[100, 90]]]),
                     torch.ones(1, 1, dtype=torch.bool))
    assert loss.item() == pytest.approx(1.9172e-4, rel=1e-4)


def test_only_a_flat_heatmap_has_no_price_where_its_joint_is_absent():
    absent = torch.tensor([[True, False]])
    flat = torch.full((1, 2, 9, 12), 3.0)
    flat[0, 1, 4, 4] = 9.0  # of the joint that is there
    assert absence_loss(flat, absent).item() == pytest.approx(0, abs=1e-5)
    flat[0, 0, 4, 4] = 4.0
    expected = np.log((107 * np.exp(3) + np.exp(4)) / 108) - (107 * 3 + 4) / 108
    assert absence_loss(flat, absent).item() == pytest.approx(expected, rel=1e-3)
    assert absence_loss(flat, ~torch.ones(1, 2, dtype=torch.bool)).item() == 0
