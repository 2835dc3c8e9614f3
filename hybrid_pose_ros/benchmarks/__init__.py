# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of the speeds quoted in docs/performance.md, alongside those of other packages."""
