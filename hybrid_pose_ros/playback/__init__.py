# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings and simulated scenes as packets, with the times at which a driver would send them."""
