# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images between two frames."""

import cv2
import numpy as np
import pytest

from hybrid_pose_ros.footage.interpolation import Flow, averaged


def texture(shift=0.0, seed=0):
    """Return a smooth random image (96, 128) moved to the right, in texels."""
    noise = np.random.default_rng(seed).random((96, 168)).astype(np.float32)
    image = cv2.GaussianBlur(noise, (0, 0), 3.0)
    image = (image - image.min()) / (image.max() - image.min())
    move = np.float32([[1, 0, shift - 20], [0, 1, 0]])
    return cv2.warpAffine(image, move, (128, 96), flags=cv2.INTER_CUBIC).clip(0, 1)


def test_the_ends_are_the_frames():
    gap = Flow().between(texture(), texture(6.0))
    assert np.array_equal(gap.at(0.0), averaged(texture()))
    assert np.array_equal(gap.at(1.0), averaged(texture(6.0)))


@pytest.mark.parametrize('share', [0.01, 0.25, 0.5, 0.75, 0.99])
def test_between_two_frames_a_texture_is_where_it_moves_through(share):
    """Blending without flow would be off by as much as the frames differ."""
    gap = Flow().between(texture(), texture(6.0))
    off = np.abs(gap.at(share) - averaged(texture(6.0 * share)))[4:-4, 8:-8]
    blend = np.abs((1 - share) * averaged(texture()) + share * averaged(texture(6.0))
                   - averaged(texture(6.0 * share)))[4:-4, 8:-8]
    assert off.mean() < 0.01
    if share in (0.25, 0.5, 0.75):
        assert off.mean() < 0.2 * blend.mean()


def test_motion_is_in_pixels_of_the_sensor():
    assert Flow().between(texture(), texture(6.0)).motion_px == pytest.approx(3.0, abs=0.4)
    assert Flow().between(texture(), texture()).motion_px < 0.05


def test_another_scene_is_a_cut_and_motion_or_dimming_is_none():
    flow = Flow()
    assert flow.between(texture(), texture(seed=1)).cut
    assert not flow.between(texture(), texture(12.0)).cut
    assert not flow.between(texture(), 0.8 * texture()).cut
    assert not flow.between(np.zeros((96, 128), np.float32), np.ones((96, 128), 'f4') / 400).cut
