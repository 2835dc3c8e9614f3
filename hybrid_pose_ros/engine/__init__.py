# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From counts to heatmaps, spike by spike on a CPU, without torch."""
