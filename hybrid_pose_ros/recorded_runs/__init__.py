# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Analysis of a recorded run of the graph: report, scores, plots, video."""
