# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From heatmaps to a skeleton (joints, holding, fusion), and from several cameras to a 3D pose."""
