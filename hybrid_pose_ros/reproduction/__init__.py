# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reproduction of the paper's five systems, trained by its recipes."""
