# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Selection, parameters and supervision of the nodes to start; without ROS."""
