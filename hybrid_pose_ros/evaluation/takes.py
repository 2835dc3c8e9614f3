# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Takes, i.e. one person seen by several cameras at once, and the poses of each camera's graph.

A take is a folder with one recording per camera, as written by `hybrid-pose simulate --cameras`. C
cameras, T instants, J joints.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.ann_at import ann_at
from hybrid_pose_ros.evaluation.disturbances import with_noise
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.evaluation.metrics import latest
from hybrid_pose_ros.evaluation.schedule import make_schedule
from hybrid_pose_ros.evaluation.trackers import Trackers, at_times, initializer_params
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.pose.rig import Rig
from hybrid_pose_ros.recordings.gaps import find_gaps
from hybrid_pose_ros.recordings.hdf5 import Hdf5Recording
from hybrid_pose_ros.recordings.labeled import (
    labels_of, load_seen, places_at, without_gaps)
from hybrid_pose_ros.recordings.rig_files import recorded_rig
from hybrid_pose_ros.tracking.offline import RecordingAnn

ROWS = ('ann', 'ann_held', 'hybrid')
BLIND_HZ = 1.0
"""Noise rate per pixel of a blinded camera."""


class Take(NamedTuple):
    """The location and rig of a take."""

    name: str
    paths: tuple[Path, ...]  # of the C recordings
    rig: Rig


class CameraPoses(NamedTuple):
    """Poses of one camera's graph at the instants."""

    stamps_us: np.ndarray  # (T,)
    step: np.ndarray  # (T,) steps since the last ANN state, starting at 1
    inside: np.ndarray  # (T, J) bool: inside the image
    joints_px: dict[str, np.ndarray]  # by row, (T, J, 2)
    confidence: dict[str, np.ndarray]  # by row, (T, J)


def find_takes(folders: list[Path]) -> list[Take]:
    """Return the given takes and those in the given folders.

    Raises:
        InputError: there are no takes, one has a single camera, or their cameras differ.
    """
    takes = []
    for folder in folders:
        inner = [path for path in sorted(folder.glob('*/')) if any(path.glob('*.h5'))]
        takes += [_take(path) for path in ([folder] if any(folder.glob('*.h5')) else inner)]
    if not takes:
        raise InputError(f'no takes found in {", ".join(map(str, folders))}: expected folders '
                         'with a recording (.h5) for each camera, as `hybrid-pose simulate '
                         '--corpus DIR --cameras 2` writes')
    for take in takes:
        if take.rig.names != takes[0].rig.names:
            raise InputError(f'{take.name} has other cameras than {takes[0].name}: '
                             f'{", ".join(take.rig.names)}, not {", ".join(takes[0].rig.names)}')
    return takes


def _take(folder: Path) -> Take:
    paths = tuple(sorted(folder.glob('*.h5')))
    if len(paths) < 2:
        raise InputError(f'{folder} has one camera: two or more are needed for 3D')
    return Take(folder.name, paths, recorded_rig([Hdf5Recording(path) for path in paths]))


def take_gaps(take: Take) -> str:
    """Return a one-line report of long gaps between labels; empty without any.

    Cameras of a take share their labels but not their events, so the labels determine what is
    skipped.
    """
    label_us = labels_of(Hdf5Recording(take.paths[0])).t
    return find_gaps(label_us).line(int(label_us[0]))


def joints_mm(take: Take, stamps_us: np.ndarray) -> np.ndarray:
    """Return the joints in the world frame, (T, J, 3) [mm]; NaN for lost joints.

    Args:
        take: take with 3D labels.
        stamps_us: times on a clock that skips long gaps between labels.

    Raises:
        InputError: the take has no labels or no 3D labels.
    """
    labels = labels_of(Hdf5Recording(take.paths[0]))
    labels = labels._replace(t=find_gaps(labels.t).closed(labels.t))
    places = places_at(labels, stamps_us)
    if not np.nan_to_num(places, posinf=0, neginf=0).any():
        raise InputError(f'{take.paths[0]} has no joint positions in the world '
                         '(labels/joints_mm)')
    return places


def camera_poses(checkpoint: Checkpoint, path: Path, params: EvaluationParams, *,
                 blind: bool = False) -> CameraPoses:
    """Return the poses of one camera of a take, by row.

    Args:
        checkpoint: the hybrid's weights.
        path: path of the camera's recording.
        params: settings of the graph.
        blind: replace the events of the camera by noise, BLIND_HZ per pixel.
    """
    recording = load_seen(path)
    recording = without_gaps(recording, find_gaps(recording.label_us))
    if blind:
        events = recording.events[[0, -1]]  # keeps the length of the stream
        rng = np.random.default_rng([params.seed, 12])
        recording = recording._replace(events=with_noise(
            events, BLIND_HZ, recording.width, recording.height, rng))
    schedule = make_schedule(recording, params)
    instants_us = schedule.instants_us
    trackers = Trackers(checkpoint, checkpoint, recording, params, ('hybrid',), schedule)
    ann_poses = trackers.play()
    track = trackers.work()['hybrid']
    # As in `outcome.py`, a state that arrives at the end of a bin affects only the next pose.
    last = latest(ann_poses.stamps_us + params.ann_delay_us + 1, instants_us)
    joints_px = {'ann_held': ann_poses.joints_px[last],
                 'hybrid': at_times(track, instants_us, track.joints_px)}
    confidence = {'ann_held': ann_poses.confidence[last],
                  'hybrid': at_times(track, instants_us, track.confidence)}
    joints_px['ann'], confidence['ann'] = ann_at(
        RecordingAnn(checkpoint, recording, params=initializer_params(checkpoint, params),
                     network=trackers.initializer.network), instants_us)
    since_us = instants_us - ann_poses.stamps_us[last] - params.ann_delay_us - 1
    _, inside, _ = recording.joints_at(instants_us)
    return CameraPoses(instants_us, since_us // params.step_us + 1, inside, joints_px, confidence)
