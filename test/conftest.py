# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings that hold for every test."""

from hypothesis import settings

# The first example of a test pays for numba's compiler: no deadline can be told from that.
settings.register_profile('hybrid_pose_ros', deadline=None)
settings.load_profile('hybrid_pose_ros')
