# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads calibrated camera rigs from YAML files of this package, from Kalibr and from recordings.

The YAML file maps each camera, named after the namespace of its tracker, to its pose:

    frame_id: world
    cameras:
      left:
        calibration: left.yaml            # from camera_calibration, or its keys directly
        rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1]     # world to camera, row by row
        translation_m: [0.1, 0.0, 0.0]
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.pose.rig import Rig, RigCamera, check_camera
from hybrid_pose_ros.recordings.hdf5 import LABEL_CENTER_PX, Hdf5Recording
from hybrid_pose_ros.representation.calibration import calibration_of, side_px
from hybrid_pose_ros.yaml_files import read_mapping

KALIBR_MODELS = {'radtan': 'plumb_bob', 'equidistant': 'equidistant', 'none': 'plumb_bob'}
"""ROS names of Kalibr's distortion models."""
_MISTAKES = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""Exceptions caused by a file of another layout."""


def load_rig(path: str | Path) -> Rig:
    """Return the rig from a YAML file: one of this package, or a Kalibr camchain.

    For Kalibr, the world is the frame of the first camera, and cameras are named after their
    topics.

    Raises:
        InputError: the file cannot be read, has neither layout, or contains invalid cameras.
    """
    path = Path(path)
    content = read_mapping(path, 'rig')
    try:
        rig = _kalibr(content) if 'cam0' in content else _ours(content, path.parent)
    except InputError as error:
        raise InputError(f'{path}: {error}') from error
    except _MISTAKES as error:
        raise InputError(
            f'{path} is not a rig: expected `cameras` with camera_matrix (or calibration), '
            "rotation and translation_m each, or Kalibr's camchain with cam0, cam1 ... "
            f'({type(error).__name__}: {error})') from error
    for camera in rig.cameras:
        if not re.fullmatch(r'[A-Za-z_]\w*', camera.name, re.ASCII):
            raise InputError(f'{path}: camera {camera.name!r} is not a valid ROS name: use '
                             'letters, digits and _, not starting with a digit')
        try:
            check_camera(camera)
        except InputError as error:
            raise InputError(f'{path}: {error}') from error
    if len(rig.cameras) < 2 or len(set(rig.names)) < len(rig.cameras):
        raise InputError(f'{path}: a rig needs at least two cameras with different names, but has '
                         f'{", ".join(rig.names) or "none"}')
    return rig


def save_rig(rig: Rig, path: str | Path) -> None:
    """Write a rig to a self-contained YAML file.

    Raises:
        InputError: the file cannot be written.
    """
    cameras = {camera.name: {
        'image_width': camera.width, 'image_height': camera.height,
        'camera_matrix': {'rows': 3, 'cols': 3, 'data': camera.matrix.ravel().tolist()},
        'distortion_model': camera.model,
        'distortion_coefficients': {'rows': 1, 'cols': len(camera.distortion),
                                    'data': camera.distortion.tolist()},
        'rotation': camera.rotation.ravel().tolist(),
        'translation_m': camera.translation_m.tolist()} for camera in rig.cameras}
    text = yaml.safe_dump({'frame_id': rig.frame_id, 'cameras': cameras}, sort_keys=False)
    try:
        Path(path).write_text(text)
    except OSError as error:
        raise InputError(f'{path} cannot be written: {error.strerror}') from error


def recorded_rig(recordings: Sequence[Hdf5Recording]) -> Rig:
    """Return the rig of simultaneous recordings; cameras are named after the files.

    Raises:
        InputError: a recording lacks its camera pose.
    """
    cameras = []
    for recording in recordings:
        if recording.camera is None:
            raise InputError(f'{recording.path} has no camera pose: expected the '
                             'attributes intrinsics, rotation and translation')
        cameras.append(RigCamera(
            recording.path.stem, recording.width, recording.height,
            integer_centers(recording.camera.intrinsics), recording.camera.rotation,
            recording.camera.translation))
        check_camera(cameras[-1])
    return Rig(tuple(cameras))


def integer_centers(intrinsics: np.ndarray) -> np.ndarray:
    """Convert intrinsics (3, 3) from pixel edges at integers to pixel centers at integers."""
    moved = np.array(intrinsics, np.float64)
    moved[:2, 2] -= LABEL_CENTER_PX
    return moved


def _ours(content: dict[str, Any], folder: Path) -> Rig:
    cameras = []
    for name, entry in content['cameras'].items():
        lens = entry
        if 'calibration' in entry:
            lens = read_mapping(folder / entry['calibration'], 'calibration')
        found = calibration_of(lens)
        cameras.append(RigCamera(
            str(name), found.width, found.height, found.matrix, _numbers(entry['rotation'], 3, 3),
            _numbers(entry['translation_m'], 3), found.distortion, found.model))
    return Rig(tuple(cameras), str(content.get('frame_id', 'world')))


def _kalibr(content: dict[str, Any]) -> Rig:
    cameras, pose = [], np.eye(4)
    for number in range(len(content)):
        if f'cam{number}' not in content:
            break
        entry = content[f'cam{number}']
        if entry.get('camera_model', 'pinhole') != 'pinhole':
            raise InputError(f'cam{number} has the model {entry["camera_model"]}: only pinhole '
                             'cameras are supported')
        if entry['distortion_model'] not in KALIBR_MODELS:
            raise InputError(f'cam{number}: unknown distortion {entry["distortion_model"]}: '
                             f'choose from {", ".join(KALIBR_MODELS)}')
        if number:
            with np.errstate(invalid='ignore', over='ignore'):  # `check_camera` reports it
                pose = _numbers(entry['T_cn_cnm1'], 4, 4) @ pose
        focal_x, focal_y, center_x, center_y = _numbers(entry['intrinsics'], 4)
        width, height = map(side_px, entry['resolution'])
        cameras.append(RigCamera(
            _name_of_topic(entry.get('rostopic', ''), number), width, height,
            np.array([[focal_x, 0.0, center_x], [0.0, focal_y, center_y], [0.0, 0.0, 1.0]]),
            pose[:3, :3], pose[:3, 3],
            _numbers(entry.get('distortion_coeffs') or [0.0] * 4, -1),
            KALIBR_MODELS[entry['distortion_model']]))
    return Rig(tuple(cameras), cameras[0].name)


def _name_of_topic(topic: str, number: int) -> str:
    """Return the namespace in a topic, such as left in /left/camera/image_raw, or cam0."""
    parts = topic.strip('/').split('/')
    return parts[0] if len(parts) > 1 else f'cam{number}'


def _numbers(values: Any, *shape: int) -> np.ndarray:
    return np.asarray(values, np.float64).reshape(shape)
