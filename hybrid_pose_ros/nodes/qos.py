# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How reliably each topic travels, and how many messages wait, with the reason."""

from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

EVENTS_QOS = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1000,
                        reliability=ReliabilityPolicy.BEST_EFFORT)
"""As the drivers offer it: a reliable subscriber would never get a packet of theirs. Deep, since
packets come in bursts and a lost one also damages the decoder's state."""

SKELETON_QOS = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
"""Deep enough for a second of poses: a recorder must not lose one."""

THROTTLE_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
"""For those that look now and then."""

STATE_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
"""Only the newest state is of use."""

REQUEST_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
"""Requests are few, and asked again where no answer comes."""

MARKERS_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
"""What RViz asks for by default; it shows nothing of a best-effort publisher."""

RECORDED_QOS = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)
"""For the recorder of slow topics: some bursts."""
