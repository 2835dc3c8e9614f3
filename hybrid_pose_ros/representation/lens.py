# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loads lenses from calibration files of ROS's camera_calibration."""

from pathlib import Path

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.representation.calibration import Calibration, calibration_of
from hybrid_pose_ros.representation.geometry import Lens
from hybrid_pose_ros.yaml_files import read_mapping


def load_calibration(path: str | Path) -> Calibration:
    """Return the calibration in a file.

    Raises:
        InputError: the file cannot be read, or is not a calibration of a supported model.
    """
    content = read_mapping(path, 'calibration')
    try:
        return calibration_of(content)
    except InputError as error:
        raise InputError(f'{path} is not a calibration: {error}') from error


def load_lens(path: str | Path, width: int, height: int) -> Lens:
    """Return the lens in a calibration file for a sensor of width x height pixels.

    Raises:
        InputError: as for `load_calibration`, or the calibration is for another sensor size.
    """
    found = load_calibration(path)
    if (found.width, found.height) != (width, height):
        raise InputError(f'{path} is a calibration for a sensor of {found.width}x{found.height} '
                         f'px, but the packets are from {width}x{height} px')
    return Lens(found.matrix, found.distortion, equidistant=found.model == 'equidistant')
