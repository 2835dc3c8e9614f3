# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From events to counts: input geometry, time bins, hot pixels, lenses."""
