# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
from itertools import islice

import numpy as np

from hybrid_pose_ros.simulation.scene import SimulatedScene


def slices(count, **options):
    return list(islice(SimulatedScene(**options), count))


def test_the_same_seed_gives_the_same_events():
    for first, second in zip(slices(50, seed=3), slices(50, seed=3), strict=True):
        assert np.array_equal(first.events, second.events)


def test_another_seed_gives_other_events():
    first, second = (np.concatenate([s.events for s in slices(50, seed=seed)]) for seed in (3, 4))
    assert not np.array_equal(first, second)


def test_a_scene_ends_after_its_duration():
    assert [s.end_us for s in slices(100, seed=0, duration_us=6_000)] == [2_000, 4_000, 6_000]
