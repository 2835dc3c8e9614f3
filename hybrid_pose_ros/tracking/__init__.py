# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The path from events to poses, for nodes and offline: tracker, replay, ANN states."""
