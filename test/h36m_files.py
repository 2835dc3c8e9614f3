# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of Event-Human3.6M as the paper's code lays them out, small, written here."""

import cv2
import h5py
import numpy as np

from hybrid_pose_ros.datasets.h36m import CAMERA_CODES


def sequence_folder(root, subject: str, action: str, camera: int):
    """Return the folder of a sequence."""
    return (root / subject / 'upsample'
            / f'{action.replace(" ", "_")}.{CAMERA_CODES[camera]}')


def write_sequence(root, subject: str, action: str, camera: int, events, joints_px, *,
                   milliseconds: int) -> None:
    """Write the events of a sequence and add its labels.

    Args:
        root: folder of the dataset.
        subject: as in S1.
        action: as in 'Walking 1'.
        camera: 0 to 3.
        events: of EVENT_DTYPE; each becomes 999 ns later.
        joints_px: (N, 13, 2), one every 20 ms; whole numbers are middles of pixels.
        milliseconds: length of the index.
    """
    folder = sequence_folder(root, subject, action, camera)
    folder.mkdir(parents=True)
    with h5py.File(folder / 'events.h5', 'w') as file:
        file['events/t'] = 1000 * events['t'] + 999
        for field in 'xyp':
            file[f'events/{field}'] = events[field]
        file['ms_to_idx'] = np.searchsorted(events['t'], 1000 * np.arange(milliseconds))
        file['cam_view'] = camera
    with h5py.File(root / 'labels.h5', 'a') as file:
        group = file.require_group(f'{subject}/{action}')
        group[f'cam_view_{camera}'] = joints_px.transpose(0, 2, 1)
        if 'timestamps_ms' not in group:
            group['timestamps_ms'] = 20 * np.arange(len(joints_px))


def write_images(folder, images, times_s=None) -> None:
    """Write images (N, 256, 320) or (N, 256, 320, 3) RGB into imgs, their times beside."""
    (folder / 'imgs').mkdir(parents=True)
    for number, image in enumerate(images):
        cv2.imwrite(str(folder / 'imgs' / f'{number:08d}.png'),
                    image[..., ::-1] if image.ndim == 3 else image)
    if times_s is not None:
        (folder / 'timestamps.txt').write_text('\n'.join(f'{time:.6f}' for time in times_s))
