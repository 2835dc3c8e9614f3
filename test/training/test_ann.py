# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The moments that the ANN is trained on."""

import numpy as np
import pytest
from labeled_clips import HEIGHT, WIDTH, circling_clip

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.training.ann import draw_moment

pytest.importorskip('torch')

GEOMETRY = input_geometry(preset('edge'), WIDTH, HEIGHT)


def test_a_moment_has_enough_events_before_it():
    clip = circling_clip(events_ms=5)  # the 500th after 100 of 600 ms
    for seed in range(20):
        moment = draw_moment(np.random.default_rng(seed), [clip], GEOMETRY, columns=32)
        assert np.searchsorted(clip.events['t'], moment.at_us) >= 500


def test_clips_without_enough_events_at_any_moment_are_refused():
    """The last moment that was drawn used to be taken anyway."""
    clip = circling_clip(events_ms=1)
    sparse = clip._replace(events=clip.events[:499])
    with pytest.raises(InputError, match='has 500 events before it'):
        draw_moment(np.random.default_rng(0), [sparse], GEOMETRY, columns=32)
