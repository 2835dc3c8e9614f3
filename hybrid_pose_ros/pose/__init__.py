# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heatmaps to a skeleton: joints, held joints, fusion; several cameras to a 3D pose."""
