# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exceptions that tell a user's mistake from ours: the command line prints them in one line."""


class InputError(ValueError):
    """What the user or the outside gave cannot be used; the text says what was expected."""


class PacketError(InputError):
    """An event packet cannot be decoded; it is dropped and counted, the stream goes on."""


class RecordingError(InputError):
    """A recording file or bag cannot be read or written."""


class CheckpointError(InputError):
    """Weights do not fit the preset that is to load them."""


class TransportError(InputError):
    """State tensors in shared memory cannot be used: gone, overwritten, foreign or forged."""
