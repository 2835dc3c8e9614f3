# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Definition of the networks without torch: layers, shapes of states, weights."""
