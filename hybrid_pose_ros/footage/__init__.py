# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labeled recordings from videos of people, and from bags with images."""
