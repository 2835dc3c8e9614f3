# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draws events and a skeleton as one image, for a topic or a video."""

import cv2
import numpy as np

from hybrid_pose_ros.tasks.skeleton import BONES, Skeleton

OFF_BGR, ON_BGR = (70, 70, 190), (190, 130, 60)
UNTRAINED_BGR = (160, 160, 160)
SUBPIXEL_BITS = 3


def confidence_bgr(confidence: float, trained: bool = True) -> tuple[int, int, int]:
    """Return a color from red (0) over yellow to green (1); gray for untrained weights."""
    if not trained:
        return UNTRAINED_BGR
    green, red = min(1.0, 2 * confidence), min(1.0, 2 * (1 - confidence))
    return 40, round(60 + 190 * green), round(60 + 190 * red)


def draw_events(events: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return a black image (H, W, 3) uint8 BGR with bluish ON and reddish OFF events."""
    image = np.zeros((height, width, 3), np.uint8)
    events = events[(events['x'] < width) & (events['y'] < height)]
    image[events['y'], events['x']] = np.where(events['p'][:, None] > 0, ON_BGR, OFF_BGR)
    return image


def draw_skeleton(image: np.ndarray, skeleton: Skeleton, *, trained: bool = True,
                  scale: int = 1, least_confidence: float = 0.0) -> None:
    """Draw bones and joints onto an image with `scale` pixels per sensor pixel.

    Joints below `least_confidence`, and their bones, are not drawn.
    """
    shift = 1 << SUBPIXEL_BITS
    points = np.rint(np.clip((skeleton.joints_px + 0.5) * scale - 0.5, -1e4, 1e4) * shift)
    shown = (skeleton.confidence >= least_confidence) & np.isfinite(points).all(axis=1)
    points = np.nan_to_num(points).astype(int)
    thickness = max(1, scale)
    for a, b in BONES:
        if shown[a] and shown[b]:
            color = confidence_bgr(float(min(skeleton.confidence[a], skeleton.confidence[b])),
                                   trained)
            cv2.line(image, points[a].tolist(), points[b].tolist(), color, thickness, cv2.LINE_AA,
                     SUBPIXEL_BITS)
    for joint in np.flatnonzero(shown):
        color = confidence_bgr(float(skeleton.confidence[joint]), trained)
        cv2.circle(image, points[joint].tolist(), (1 + thickness) * shift, color, -1, cv2.LINE_AA,
                   SUBPIXEL_BITS)


def draw_text(image: np.ndarray, text: str, line: int = 0) -> None:
    """Draw a line of small text onto the image; lines are counted from the top."""
    size = max(0.35, image.shape[1] / 1400)
    cv2.putText(image, text, (6, round(40 * size * (line + 1)) - 2), cv2.FONT_HERSHEY_SIMPLEX,
                size, (235, 235, 235), 1, cv2.LINE_AA)
