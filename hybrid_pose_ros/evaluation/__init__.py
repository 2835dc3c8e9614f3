# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Errors, power and rivals of the hybrid on labeled recordings."""
