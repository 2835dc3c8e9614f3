# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The DHP19 cameras as a rig, used for simulated and converted recordings."""

from hybrid_pose_ros.datasets import dhp19_calibration
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.pose.rig import Rig, RigCamera
from hybrid_pose_ros.recordings.rig_files import integer_centers
from hybrid_pose_ros.representation.geometry import DHP19_SENSOR

DHP19_NUMBERS = {2: (2, 3), 4: (1, 2, 3, 4)}
"""Camera numbers by rig size: the two front cameras, or all four."""


def dhp19_rig(cameras: int) -> Rig:
    """Return the two front cameras of DHP19, or all four, named dhp19_1 to dhp19_4.

    Raises:
        InputError: there is no rig with this number of cameras.
    """
    if cameras not in DHP19_NUMBERS:
        raise InputError(f'there is no rig of {cameras} cameras: choose '
                         f'{" or ".join(map(str, DHP19_NUMBERS))}')
    return Rig(tuple(_camera(number) for number in DHP19_NUMBERS[cameras]))


def _camera(number: int) -> RigCamera:
    intrinsics, rotation, translation_m = dhp19_calibration.pinhole(number)
    return RigCamera(f'dhp19_{number}', *DHP19_SENSOR, integer_centers(intrinsics), rotation,
                     translation_m)
