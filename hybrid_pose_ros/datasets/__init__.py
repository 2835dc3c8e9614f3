# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Readers of DHP19 and Event-Human3.6M: files, cameras and labels, converted to recordings."""
