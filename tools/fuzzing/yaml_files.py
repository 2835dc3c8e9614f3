# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Targets: the YAML files of calibrations and rigs."""

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from fuzzing.campaign import Target, Wrong
from fuzzing.files import YAML_WORDS, mutated_text
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.pose.rig import project, to_camera
from hybrid_pose_ros.recordings.rig_files import dhp19_rig, load_rig, save_rig
from hybrid_pose_ros.representation.lens import load_calibration, load_lens

NUMBERS = (b'.inf', b'-.inf', b'.nan', b'1e308', b'-1', b'0', b'1e-320', b'9' * 400, b'true',
           b'null', b'2001-02-03', b'[]', b'{}', b'[1, 2]', b'"a"', b'&b 1', b'*b')
LENSES = tuple(f'image_width: 346\nimage_height: 260\ncamera_name: a\n{model}'
               'camera_matrix: {rows: 3, cols: 3, data: [330, 0, 172, 0, 331, 131, 0, 0, 1]}\n'
               f'distortion_coefficients: {{rows: 1, cols: {len(data)}, data: {data}}}\n'.encode()
               for model, data in (
                   ('', [-0.37, 0.16, 0.0, 0.0, 0.1]),
                   ('distortion_model: equidistant\n', [-0.02, 0.01, 0.0, 0.0]),
                   ('camera_model: fisheye\n', [-0.02, 0.01, 0.0, 0.0]),
                   ('distortion_model: rational_polynomial\n', [0.1] * 8)))
CAMCHAIN = b'''cam0:
  camera_model: pinhole
  distortion_coeffs: [-0.37, 0.16, 0.0003, -0.0002]
  distortion_model: radtan
  intrinsics: [330.5, 331.5, 172.5, 131.0]
  resolution: [346, 260]
  rostopic: /left/event_camera/image_raw
cam1:
  T_cn_cnm1: [[0.0, 0.0, -1.0, 0.5], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 2.0], [0, 0, 0, 1]]
  camera_model: pinhole
  distortion_coeffs: [-0.02, 0.01, 0.0, 0.0]
  distortion_model: equidistant
  intrinsics: [329.0, 328.0, 170.0, 130.0]
  resolution: [346, 260]
'''


def _rigs(_) -> list[bytes]:
    with TemporaryDirectory() as folder:
        path = Path(folder, 'rig.yaml')
        save_rig(dhp19_rig(2), path)
        return [CAMCHAIN, path.read_bytes()]


@contextmanager
def _open_lens(folder: Path):
    path = folder / 'file.yaml'

    def read(text):
        path.write_bytes(text)
        found = load_calibration(path)
        if not (found.matrix.shape == (3, 3) and np.isfinite(found.matrix).all()
                and np.isfinite(found.distortion).all()):
            raise Wrong(f'{found}')
        load_lens(path, 346, 260)
        return found.model, len(found.distortion)
    yield read


@contextmanager
def _open_rig(folder: Path):
    path = folder / 'file.yaml'

    def read(text):
        path.write_bytes(text)
        rig = load_rig(path)
        for camera in rig.cameras:
            if not (camera.width > 0 and camera.height > 0):
                raise Wrong(f'{camera}')
            with np.errstate(all='ignore'):  # a camera may be anywhere
                project(camera, np.array([[0.1, 0.2, 1.5]]))
                to_camera(camera, np.array([[0.1, 0.2, 1.5]]))
        return len(rig.cameras)
    yield read


def _target(seeds, opened) -> Target:
    return Target(seeds, mutated_text(YAML_WORDS + NUMBERS), opened, (InputError,),
                  ('hybrid_pose_ros/recordings/', 'hybrid_pose_ros/representation/'))


TARGETS = {'lens': _target(lambda _: list(LENSES), _open_lens),
           'rig': _target(_rigs, _open_rig)}
