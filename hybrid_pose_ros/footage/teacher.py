# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A frame-based pose estimator whose results become labels, in a separate process.

Its dependencies conflict with those of this package, so it runs in another Python environment. The
protocol is described in `mediapipe_teacher.py`.
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.tasks.skeleton import JOINTS

VARIABLE = 'HYBRID_POSE_TEACHER'
"""Environment variable that names the Python interpreter of the teacher's environment."""
INSTALL = ('create its environment with `python3 -m venv teacher && teacher/bin/pip install '
           f'mediapipe==0.10.21`, then pass --teacher teacher/bin/python or set {VARIABLE}')
SCRIPT = Path(__file__).with_name('mediapipe_teacher.py')
LEAST_VISIBILITY = 0.5
"""Joints with a visibility below this are unknown."""
LANDMARKS = 33
LONGEST_SIDE_PX = 1280
"""Larger frames are downscaled; the model uses 256x256 pixels around the person anyway."""

SHARES = {'head': {7: 0.5, 8: 0.5},
          'shoulderR': {12: 1.0}, 'shoulderL': {11: 1.0}, 'elbowR': {14: 1.0}, 'elbowL': {13: 1.0},
          'hipR': {24: 1.0}, 'hipL': {23: 1.0},
          'handR': {16: 0.5, 18: 0.25, 20: 0.25}, 'handL': {15: 0.5, 17: 0.25, 19: 0.25},
          'kneeR': {26: 1.0}, 'kneeL': {25: 1.0}, 'footR': {28: 1.0}, 'footL': {27: 1.0}}
"""Weights of MediaPipe's landmarks: ears for the head; wrist and two fingers for a hand."""


def _weights() -> np.ndarray:
    weights = np.zeros((len(JOINTS), LANDMARKS))
    for joint, shares in SHARES.items():
        for landmark, share in shares.items():
            weights[JOINTS.index(joint), landmark] = share
    return weights


WEIGHTS = _weights()


def joints_of_landmarks(landmarks: np.ndarray) -> np.ndarray:
    """Return the 13 joints (13, 2) of landmarks (33, 3), x, y and visibility; NaN: unknown."""
    found = WEIGHTS @ landmarks
    return np.where(found[:, 2:] >= LEAST_VISIBILITY, found[:, :2], np.nan)


class Teacher:
    """A running teacher process; a context manager."""

    def __init__(self, python: str | Path):
        """Start the process and wait until it is ready.

        Args:
            python: interpreter of an environment with MediaPipe.

        Raises:
            InputError: there is no such interpreter, or its environment lacks MediaPipe.
        """
        self._log = tempfile.TemporaryFile('w+', errors='replace')  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                [str(python), str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=self._log, start_new_session=True)  # Ctrl-C must reach only this process
        except OSError as error:
            self._log.close()
            raise InputError(f'the teacher {python} cannot be started ({error.strerror}): '
                             f'{INSTALL}') from error
        assert self._process.stdin and self._process.stdout  # PIPE creates both
        self._questions, self._answers = self._process.stdin, self._process.stdout
        try:
            self.name = str(self._answer().get('teacher', python))
        except BaseException as error:
            self.close()
            if isinstance(error, InputError):
                raise InputError(f'the teacher {python} does not start ({error}): {INSTALL}') \
                    from error
            raise

    def joints(self, image: np.ndarray) -> np.ndarray:
        """Return the joints (13, 2) in a frame (H, W, 3) uint8 BGR; NaN: unknown.

        Pixel i covers [i, i + 1).

        Raises:
            InputError: the process has exited.
        """
        scale = min(1.0, LONGEST_SIDE_PX / max(image.shape[:2]))
        if scale < 1.0:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        height, width = image.shape[:2]
        head = json.dumps({'width': width, 'height': height}).encode() + b'\n'
        try:
            self._questions.write(head + cv2.cvtColor(image, cv2.COLOR_BGR2RGB).tobytes())
            self._questions.flush()
        except OSError:
            pass  # the process has exited: `_answer` reports why
        landmarks = self._answer().get('landmarks')
        if landmarks is None:
            return np.full((len(JOINTS), 2), np.nan)
        return joints_of_landmarks(np.asarray(landmarks, np.float64).reshape(LANDMARKS, 3)) / scale

    def close(self) -> None:
        """Stop the process."""
        self._questions.close()
        self._answers.close()
        self._process.terminate()
        self._process.wait()
        self._log.close()

    def __enter__(self) -> 'Teacher':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self) -> dict[str, Any]:
        line = self._answers.readline()
        try:
            answer = json.loads(line)
            if isinstance(answer, dict):
                return answer
        except ValueError:
            pass
        raise InputError(f'the teacher failed: {self._last_words()}' if not line else
                         f'the teacher answered {line[:60]!r}, expected a line of JSON')

    def _last_words(self) -> str:
        """Return the last line that the process wrote to stderr."""
        self._process.wait()
        self._log.seek(0)
        lines = [line.strip() for line in self._log if line.strip()]
        return lines[-1][:200] if lines else f'exit status {self._process.returncode}'


def teacher_python(given: str | None, environment: Mapping[str, str]) -> str:
    """Return the interpreter named by the command line or the environment.

    Raises:
        InputError: neither names one.
    """
    python = given or environment.get(VARIABLE)
    if not python:
        raise InputError(f'no teacher for the labels: {INSTALL}')
    return python
