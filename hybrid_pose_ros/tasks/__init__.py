# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tasks of the networks, which define the meaning of the output maps: joints or gestures."""
