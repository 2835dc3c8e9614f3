# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the network is: layers, shapes of states, weights; without torch."""
