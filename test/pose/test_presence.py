# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.pose.presence import TAU_US, PersonPresence, presence_of

confidences = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_the_first_presence_is_the_mean_confidence():
    assert PersonPresence().update(np.array([0.2, 0.6]), 5) == pytest.approx(0.4)


def test_after_the_time_constant_a_step_is_followed_to_63_percent():
    person = PersonPresence()
    person.update(np.zeros(13), 0)
    assert person.update(np.ones(13), TAU_US) == pytest.approx(1 - np.exp(-1))


def test_a_pose_that_is_repeated_at_any_rate_counts_by_its_time():
    """Ten poses within 0.1 s change the presence as much as one after 0.1 s."""
    stamps_us = 10_000 * np.arange(11)
    often = presence_of(np.concatenate([np.zeros((1, 13)), np.ones((10, 13))]), stamps_us)
    once = presence_of(np.stack([np.zeros(13), np.ones(13)]), stamps_us[[0, -1]])
    assert often[-1] == pytest.approx(once[-1])


@given(confidences)
def test_the_presence_stays_between_the_extremes_of_the_confidence(values):
    confidence = np.repeat(np.array(values)[:, None], 13, axis=1)
    found = presence_of(confidence, 1000 * np.arange(len(values)))
    assert len(found) == len(values)
    assert (min(values) - 1e-9 <= found).all() and (found <= max(values) + 1e-9).all()


def test_a_restart_of_the_clock_discards_what_was_before():
    person = PersonPresence()
    person.update(np.ones(13), 1_000_000)
    assert person.update(np.zeros(13), 0) == 0.0
