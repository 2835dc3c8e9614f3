# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Power of ANN and SNN: from counts of operations, of a running graph, and measured."""
