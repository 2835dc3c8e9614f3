# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Intrinsics from the YAML file that ROS's camera_calibration writes."""

from pathlib import Path

import numpy as np
import yaml

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.representation.geometry import Lens

MODELS = ('plumb_bob', 'rational_polynomial', 'equidistant')


def load_lens(path: str | Path, width: int, height: int) -> Lens:
    """Return the lens of a calibration file.

    Args:
        path: as of `read_lens`.
        width: of the sensor that it is meant for [px].
        height: likewise.

    Raises:
        InputError: as `read_lens` does, or the file is of another sensor size.
    """
    lens, size = read_lens(path)
    if size != (width, height):
        raise InputError(f'{path} is the calibration of a sensor of {size[0]}x{size[1]} px, but '
                         f'the packets are of {width}x{height} px')
    return lens


def read_lens(path: str | Path) -> tuple[Lens, tuple[int, int]]:
    """Return the lens of a calibration file, and the sensor size (width, height) [px].

    Args:
        path: YAML with image_width, image_height, camera_matrix and distortion_coefficients; its
            distortion_model is one of MODELS, plumb_bob where it names none.

    Raises:
        InputError: there is no such file, it lacks something, or its model is not known.
    """
    try:
        calibration = yaml.safe_load(Path(path).read_text())
        size = int(calibration['image_width']), int(calibration['image_height'])
        matrix = np.array(calibration['camera_matrix']['data'], float).reshape(3, 3)
        distortion = np.array(calibration['distortion_coefficients']['data'], float)
        model = calibration.get('distortion_model', MODELS[0])
    except OSError as error:
        raise InputError(f'no calibration at {path}: {error.strerror}') from error
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise InputError(f'{path} is no calibration: expected the YAML of camera_calibration, '
                         'with image_width, image_height, camera_matrix and '
                         f'distortion_coefficients ({type(error).__name__}: {error})') from error
    if model not in MODELS:
        raise InputError(f'{path} has the distortion_model {model!r}: expected '
                         f'{", ".join(MODELS)}')
    return Lens(matrix, distortion, equidistant=model == 'equidistant'), size
