# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Targets: the YAML files of calibrations, rigs and parameters."""

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from camchain import CAMCHAIN

from fuzzing.campaign import Target, Wrong
from fuzzing.files import YAML_WORDS, mutated_text
from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph.parameter_files import read_sections
from hybrid_pose_ros.pose.rig import project, to_camera
from hybrid_pose_ros.recordings.rig_files import load_rig, save_rig
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

PARAMETERS = Path(__file__).parents[2] / 'config' / 'hybrid_pose.yaml'


def _rigs(_) -> list[bytes]:
    with TemporaryDirectory() as folder:
        path = Path(folder, 'rig.yaml')
        save_rig(dhp19_rig(2), path)
        return [CAMCHAIN.encode(), path.read_bytes()]


def _opening(load: Callable[[Path], Any]) -> Callable[[Path], AbstractContextManager]:
    """Return what opens a folder for inputs that are written there and loaded."""
    @contextmanager
    def opened(folder: Path):
        path = folder / 'file.yaml'

        def read(text: bytes) -> Any:
            path.write_bytes(text)
            return load(path)
        yield read
    return opened


def _load_lens(path: Path) -> tuple[str, int]:
    found = load_calibration(path)
    if not (found.matrix.shape == (3, 3) and np.isfinite(found.matrix).all()
            and np.isfinite(found.distortion).all()):
        raise Wrong(f'{found}')
    load_lens(path, 346, 260)
    return found.model, len(found.distortion)


def _load_rig(path: Path) -> int:
    rig = load_rig(path)
    for camera in rig.cameras:
        if not (camera.width > 0 and camera.height > 0):
            raise Wrong(f'{camera}')
        with np.errstate(all='ignore'):  # a camera may be anywhere
            project(camera, np.array([[0.1, 0.2, 1.5]]))
            to_camera(camera, np.array([[0.1, 0.2, 1.5]]))
    return len(rig.cameras)


def _load_parameters(path: Path) -> int:
    return len(read_sections(path))


def _target(seeds: Callable[[Any], list[bytes]], load: Callable[[Path], Any]) -> Target:
    return Target(seeds, mutated_text(YAML_WORDS + NUMBERS), _opening(load), (InputError,),
                  ('hybrid_pose_ros/recordings/', 'hybrid_pose_ros/representation/',
                   'hybrid_pose_ros/graph/parameter_files', 'hybrid_pose_ros/yaml_files'))


TARGETS = {'lens': _target(lambda _: list(LENSES), _load_lens),
           'rig': _target(_rigs, _load_rig),
           'parameters': _target(lambda _: [PARAMETERS.read_bytes()], _load_parameters)}
