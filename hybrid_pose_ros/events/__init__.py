# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From packets to events: codecs, packet streams, and sensor clocks."""
