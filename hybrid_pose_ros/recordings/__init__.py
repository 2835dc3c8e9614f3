# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Readers and writers for files of events, labels and camera rigs."""
