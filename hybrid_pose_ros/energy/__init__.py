# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Power of ANN and SNN: from operation counts, of a running graph, and measured."""
