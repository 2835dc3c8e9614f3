# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Why a state was not used, where the reader goes on differently or counts apart.

Anything else, a forged descriptor or a segment that is gone, is a plain TransportError.
"""

from hybrid_pose_ros.errors import TransportError


class ForeignModel(TransportError):
    """The state belongs to another preset or other weights."""


class OverwrittenState(TransportError):
    """The reader came late: the slot holds a newer state, or is being filled with one."""


class StaleState(TransportError):
    """The reader already got this state, or a newer one of the same writer."""


class TornState(TransportError):
    """The state is incomplete: its writing never ended, or its bytes do not fit the checksum."""
