# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The teacher process: MediaPipe Pose, run by the Python of another environment (`teacher.py`).

    stdin    for each frame a line {"width": W, "height": H}, then W * H * 3 bytes of RGB
    stdout   first a line {"teacher": NAME}, then for each frame a line {"landmarks": [[x, y,
             visibility], ...]}; pixel i covers [i, i + 1); null without a person

This module imports nothing from this package.
"""

import json
import sys

import mediapipe
import numpy as np

MODEL_COMPLEXITY = 1
"""The full model, the largest one in the package; the heavy model would have to be downloaded."""


def main() -> None:
    """Answer each frame with a line until stdin ends."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # the output of libraries must not be read as an answer
    with mediapipe.solutions.pose.Pose(model_complexity=MODEL_COMPLEXITY,
                                       smooth_landmarks=False) as pose:
        print(json.dumps({'teacher': f'MediaPipe {mediapipe.__version__}, full pose model'}),
              file=answers, flush=True)
        while line := sys.stdin.buffer.readline():
            size = json.loads(line)
            width, height = size['width'], size['height']
            pixels = sys.stdin.buffer.read(3 * width * height)
            found = pose.process(np.frombuffer(pixels, np.uint8).reshape(height, width, 3))
            landmarks = found.pose_landmarks and [
                [mark.x * width, mark.y * height, mark.visibility]
                for mark in found.pose_landmarks.landmark]
            print(json.dumps({'landmarks': landmarks}), file=answers, flush=True)


if __name__ == '__main__':
    main()
