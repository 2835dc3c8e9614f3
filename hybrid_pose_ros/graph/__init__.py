# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which nodes to start, with which parameters, and their supervision; without ROS."""
