# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Teachers without MediaPipe: executables that speak the protocol of its script."""

import sys

SEES_A_PERSON = """
import json, sys
print(json.dumps({'teacher': 'fake'}), flush=True)
while line := sys.stdin.buffer.readline():
    size = json.loads(line)
    width, height = size['width'], size['height']
    pixels = sys.stdin.buffer.read(3 * width * height)
    landmarks = [[width * (0.3 + 0.01 * i), height * 0.5, 0.9] for i in range(33)]
    landmarks[15][2] = 0.05
    print(json.dumps({'landmarks': landmarks}), flush=True)
"""
"""Landmark i is at (0.3 + 0.01 i, 0.5) of the frame; the left wrist is not visible."""

SEES_NOBODY = SEES_A_PERSON.replace("{'landmarks': landmarks}", "{'landmarks': None}")
DIES = SEES_A_PERSON.replace("    landmarks = ", "    sys.exit('out of memory')\n    _ = ")
LACKS_MEDIAPIPE = "import mediapipe_is_not_installed"
BABBLES = "print('hello', flush=True)"


def teacher(path, source=SEES_A_PERSON):
    """Write an executable; return its path."""
    path.write_text(f'#!{sys.executable}\n{source}')
    path.chmod(0o755)
    return path
