# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads torch files (.pt) that may be damaged or of another type."""

from pathlib import Path
from typing import Any

import torch

from hybrid_pose_ros.errors import CheckpointError


def read_torch(path: str | Path) -> Any:
    """Return the content of a file, with tensors on the CPU, without executing anything in it.

    Raises:
        CheckpointError: the file is missing, damaged, or contains more than tensors and plain
            values.
    """
    try:
        return torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # for a text file, for example, KeyError: 101
        reason = 'it does not exist' if isinstance(error, FileNotFoundError) else (
            'it is damaged, or contains more than tensors')
        raise CheckpointError(
            f'{path} cannot be read as a torch file (.pt): {reason}') from error
