# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DHP19 and Event-Human3.6M: their files, cameras and labels, converted to recordings."""
