# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packets to events: codecs, the stream of a sensor, and its clock."""
