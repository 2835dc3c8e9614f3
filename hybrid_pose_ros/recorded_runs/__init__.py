# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a bag says about a run of the graph: report, scores, plots, video."""
