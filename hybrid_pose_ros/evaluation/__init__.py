# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Errors and power of the hybrid and its baselines on labeled recordings."""
