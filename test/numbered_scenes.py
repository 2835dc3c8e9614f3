# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream whose scene i is the number i, in a module that a rendering process can import."""

from torch.utils.data import Dataset


class NumberedScenes(Dataset):
    """Scene i is the number i."""

    def __getitem__(self, number):
        return number
