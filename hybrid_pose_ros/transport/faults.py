# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reasons for rejecting a state, which readers handle or count separately.

Other faults, such as a forged descriptor or a missing segment, raise a plain TransportError.
"""

from hybrid_pose_ros.errors import TransportError


class ForeignModel(TransportError):
    """The state belongs to another preset or other weights."""


class InaccessibleState(TransportError):
    """The state is in memory that this process cannot access; request it inline instead."""


class OverwrittenState(TransportError):
    """The reader was too slow: the slot contains a newer state, or one that is being written."""


class StaleState(TransportError):
    """The reader already received this state or a newer one from the same writer."""


class TornState(TransportError):
    """The state is incomplete: it was never committed, or its checksum does not match."""
