# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joints that are fed back and moved, worked out by hand on one spike or one peak."""

import pytest
import torch

from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.networks.hybrid import Hybrid, HybridState

JOINT, ROW, COLUMN = 4, 5, 7
SIZE = 16, 20  # rows and columns of the heatmaps


@pytest.fixture
def hybrid():
    """Return a network of zeros, whose neurons forget within microseconds."""
    return Hybrid(preset('edge')).eval()


def peaks_at(row, column):
    """Return peaks of 13 joints, all in one cell."""
    return torch.tensor([row, column]).expand(1, 13, 2)


def peaked(row, column):
    """Return heatmaps that are highest in one cell."""
    heatmaps = torch.zeros(1, 13, *SIZE)
    heatmaps[:, :, row, column] = 1
    return heatmaps


def maps_with_spike(channel, row, column):
    """Return the maps that move joints, with one spike of enc0."""
    maps = {name: torch.zeros(1, 16, *SIZE) for name in ('up2', 'enc0')}
    maps['enc0'][0, channel, row, column] = 1
    return maps


@torch.no_grad()
def test_a_spike_moves_the_joint_by_its_weight(hybrid):
    weight = hybrid.snn.flow.weight  # (2 J, C, 7, 7), enc0 behind the 16 channels of up2
    weight[JOINT, 16 + 3, 3 - 2, 3 + 1] = 0.25  # x, two rows above the peak, one column right
    weight[13 + JOINT, 16 + 3, 3 - 2, 3 + 1] = -0.5  # y
    moved = hybrid.snn.flow(maps_with_spike(3, ROW - 2, COLUMN + 1), peaks_at(ROW, COLUMN))
    assert moved[0, JOINT].tolist() == [0.25, -0.5]
    assert moved.count_nonzero() == 2


@torch.no_grad()
def test_a_spike_out_of_reach_moves_nothing(hybrid):
    hybrid.snn.flow.weight.fill_(1)
    for row, column in ((ROW - 4, COLUMN), (ROW, COLUMN + 4)):
        assert not hybrid.snn.flow(maps_with_spike(0, row, column), peaks_at(ROW, COLUMN)).any()


@torch.no_grad()
def test_a_joint_drives_the_neurons_round_it(hybrid):
    weight = hybrid.snn.feedback.weight  # (C, J, 5, 5), as of a convolution: [4, 2] is one row up
    weight[2, JOINT, 4, 2] = 1.5
    currents = hybrid.snn.feedback(peaks_at(ROW, COLUMN), SIZE)
    assert currents.shape == (1, 16, *SIZE)
    assert currents[0, 2, ROW - 2, COLUMN] == 1.5 and currents.count_nonzero() == 1


@torch.no_grad()
def test_feedback_is_the_convolution_of_one_cell_a_joint(hybrid):
    torch.nn.init.normal_(hybrid.snn.feedback.weight)
    for row, column in ((0, 0), (ROW, COLUMN), (SIZE[0] - 1, SIZE[1] - 1)):
        expected = torch.nn.functional.conv2d(peaked(row, column), hybrid.snn.feedback.weight,
                                              padding=2)
        torch.testing.assert_close(hybrid.snn.feedback(peaks_at(row, column), SIZE), expected)


@torch.no_grad()
def test_the_map_of_a_joint_follows_its_offset_by_whole_cells(hybrid):
    state = hybrid.resting_state(1, 2 * SIZE[1], 2 * SIZE[0])
    state = HybridState.begin(state.layers, peaked(ROW, COLUMN))
    state.offset[0, JOINT] = torch.tensor([1.25, -0.75])
    _, state = hybrid.step(torch.zeros(1, 2, 2 * SIZE[0], 2 * SIZE[1]), state, 0.0)
    assert state.peaks[0, JOINT].tolist() == [ROW - 1, COLUMN + 1]
    assert state.offset[0, JOINT].tolist() == [0.25, 0.25]
    assert state.peaks[0, JOINT + 1].tolist() == [ROW, COLUMN]


@torch.no_grad()
def test_at_the_border_the_map_is_continued(hybrid):
    state = hybrid.resting_state(1, 2 * SIZE[1], 2 * SIZE[0])
    state = HybridState.begin(state.layers, peaked(0, COLUMN))
    state.offset[0, JOINT] = torch.tensor([0.0, 2.0])
    heatmaps, _ = hybrid.step(torch.zeros(1, 2, 2 * SIZE[0], 2 * SIZE[1]), state, 0.0)
    assert heatmaps[0, JOINT, :4, COLUMN].tolist() == [1, 1, 1, 0]
