# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events to counts: the pixels of the input, time bins, hot pixels, lenses."""
