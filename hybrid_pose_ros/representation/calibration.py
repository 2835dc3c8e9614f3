# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera calibrations in the YAML layout of ROS's camera_calibration."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError

COEFFICIENTS = {'plumb_bob': (4, 5, 8, 12, 14), 'rational_polynomial': (8, 12, 14),
                'equidistant': (4,)}
"""Distortion models by ROS name, with the valid numbers of OpenCV coefficients."""

LARGEST_SIDE_PX = 1 << 16


class Calibration(NamedTuple):
    """Intrinsics of one camera."""

    width: int  # [px]
    height: int
    matrix: np.ndarray  # (3, 3) [px]
    distortion: np.ndarray  # k1, k2, p1, p2, k3 ..., or k1 to k4 of equidistant
    model: str  # one of COEFFICIENTS


def calibration_of(content: Mapping[Any, Any]) -> Calibration:
    """Return the calibration in content of camera_calibration; the default model is plumb_bob.

    Raises:
        InputError: a key is missing or its value is invalid.
    """
    try:
        calibration = Calibration(
            side_px(content['image_width']), side_px(content['image_height']),
            np.array(content['camera_matrix']['data'], np.float64).reshape(3, 3),
            np.array(content['distortion_coefficients']['data'], np.float64).ravel(),
            _model(content))
    except InputError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(
            'expected image_width, image_height, camera_matrix and distortion_coefficients as '
            f'written by camera_calibration ({type(error).__name__}: {error})') from error
    check_numbers(calibration.matrix, calibration.distortion)
    expected = COEFFICIENTS.get(calibration.model)
    if expected is None:
        raise InputError(f'distortion_model {calibration.model!r} is not supported: expected '
                         f'{", ".join(COEFFICIENTS)}')
    if len(calibration.distortion) not in expected:
        raise InputError(f'{calibration.model} has {", ".join(map(str, expected))} distortion '
                         f'coefficients, not {len(calibration.distortion)}')
    return calibration


def side_px(value: Any) -> int:
    """Return the validated side length of an image [px].

    Raises:
        InputError: the value is not a whole number from 1 to LARGEST_SIDE_PX.
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = 0.0
    if not (1 <= number <= LARGEST_SIDE_PX and number.is_integer()):
        raise InputError(f'an image side of {value!r} px: expected a whole number from 1 to '
                         f'{LARGEST_SIDE_PX}')
    return int(number)


def check_numbers(matrix: np.ndarray, distortion: np.ndarray) -> None:
    """Raise InputError unless all numbers are finite and both focal lengths are positive."""
    if not (np.isfinite(matrix).all() and np.isfinite(distortion).all()):
        raise InputError('its camera matrix or its distortion coefficients are not finite')
    if matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
        raise InputError(f'focal lengths must be positive, but the matrix is {matrix.tolist()}')


def _model(content: Mapping[Any, Any]) -> Any:
    """Return the distortion model; older files specify a fisheye only in `camera_model`."""
    model = content.get('distortion_model', 'plumb_bob')
    lens = content.get('camera_model', 'pinhole')
    if lens == 'fisheye' and model in ('plumb_bob', 'fisheye', 'equidistant'):
        if 'distortion_model' in content and model == 'plumb_bob':
            raise InputError('camera_model fisheye contradicts distortion_model plumb_bob')
        return 'equidistant'
    if lens not in ('pinhole', 'fisheye'):
        raise InputError(f'camera_model {lens!r} is not supported: expected pinhole or fisheye')
    return model if isinstance(model, str) else repr(model)
