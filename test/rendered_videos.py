# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Videos of simulated people, whose events and joints are known."""

import dataclasses

import cv2
import numpy as np

from hybrid_pose_ros.footage.interpolation import averaged
from hybrid_pose_ros.footage.placement import LINEAR, SUPERSAMPLING
from hybrid_pose_ros.simulation.camera import CAMERAS
from hybrid_pose_ros.simulation.recording import WARM_UP_US
from hybrid_pose_ros.simulation.scene import SimulatedScene
from hybrid_pose_ros.simulation.scene_settings import TimingSettings
from hybrid_pose_ros.simulation.sensor import Sensor

LOSSLESS = 'FFV1'
LONGEST_STEP_US = 20_000
FRONT = CAMERAS['davis346-front']


def enlarged(camera, factor):
    """Return a camera with more or less pixels for the same view."""
    intrinsics = camera.intrinsics * np.array([[factor], [factor], [1.0]])
    return camera._replace(width=round(factor * camera.width),
                           height=round(factor * camera.height), intrinsics=intrinsics)


def gray_levels(brightness):
    """Return linear brightness as the nearest 8-bit values of sRGB."""
    return np.searchsorted(0.5 * (LINEAR[1:] + LINEAR[:-1]), brightness).astype(np.uint8)


def write_frames(path, images, fps, codec=LOSSLESS):
    """Write images (H, W) or (H, W, 3) uint8 as a video."""
    first = images[0]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, first.shape[1::-1])
    assert writer.isOpened()
    for image in images:
        writer.write(image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def film(motion, settings, *, fps, duration_s, seed=0, camera=FRONT, factor=2,
         shutter=0.0, shots=4):
    """Return the frames of a simulated scene, their times [us] and the joints in them (N, 13, 2).

    Args:
        motion: a motion without state, as it is sampled again for the events.
        settings: scene settings.
        fps: frames per second.
        duration_s: length after the warm-up.
        seed: seed of the scene.
        camera: camera with the size of the sensor.
        factor: resolution of the video relative to that of the sensor.
        shutter: exposure time as a fraction of the frame's duration.
        shots: number of images whose mean is a frame with a shutter.
    """
    shots = shots if shutter else 1
    every = round(shots / shutter) if shutter else 1 + int(1e6 / fps) // LONGEST_STEP_US
    step_us = round(1e6 / fps / every)
    timing = TimingSettings(label_us=step_us, slice_us=step_us, step_px=0.0)
    scene = SimulatedScene(motion, enlarged(camera, factor),
                           dataclasses.replace(settings, timing=timing), seed=seed,
                           duration_us=WARM_UP_US + round(1e6 * duration_s))
    images, times_us, joints, exposed = [], [], [], []
    for number, piece in enumerate(scene):
        if piece.end_us < WARM_UP_US:
            continue
        if number % every == 0:
            exposed = []
        if number % every < shots:
            exposed.append((scene.brightness.copy(), piece.end_us, piece.labels.joints_px[0]))
        if len(exposed) == shots:
            images.append(gray_levels(np.mean([image for image, _, _ in exposed], axis=0)))
            times_us.append(np.mean([end_us for _, end_us, _ in exposed]))
            joints.append(np.mean([joint for _, _, joint in exposed], axis=0))
            exposed = []
    return images, np.array(times_us) - WARM_UP_US, np.array(joints)


def direct(motion, settings, *, duration_s, seed=0, camera=FRONT, step_us=1_000):
    """Return the events of the same scene without a video between the renderer and the sensor.

    At the same resolution: without supersampling the renderer's textures alias.
    """
    timing = TimingSettings(label_us=step_us, slice_us=step_us, step_px=0.0)
    scene = SimulatedScene(motion, enlarged(camera, SUPERSAMPLING),
                           dataclasses.replace(settings, timing=timing), seed=seed,
                           duration_us=WARM_UP_US + round(1e6 * duration_s))
    sensor = Sensor(settings.sensor, averaged(scene.brightness), np.random.default_rng(seed))
    for piece in scene:
        sensor.advance(averaged(scene.brightness), piece.end_us)
    events = sensor.collect()
    events = events[events['t'] >= WARM_UP_US]
    events['t'] -= WARM_UP_US
    return events
