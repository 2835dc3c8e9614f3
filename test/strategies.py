# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What hypothesis draws: windows of events, and ways to cut a stream into packets."""

import numpy as np
from hypothesis import strategies as st

from hybrid_pose_ros.events.event_array import event_array


@st.composite
def event_windows(draw, *, width=10, height=8, start_us=0, duration_us=1000, max_events=60):
    """Draw events sorted by time within [start_us, start_us + duration_us), or none at all."""
    count = draw(st.integers(0, max_events))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return event_array(start_us + np.sort(rng.integers(0, duration_us, count)),
                       rng.integers(0, width, count), rng.integers(0, height, count),
                       rng.integers(0, 2, count))


@st.composite
def pieces(draw, length, *, max_cuts=8):
    """Draw slices that cut a sequence of that length into pieces, empty ones among them."""
    cuts = sorted(draw(st.lists(st.integers(0, length), max_size=max_cuts)))
    return [slice(a, b) for a, b in zip([0, *cuts], [*cuts, length])]
