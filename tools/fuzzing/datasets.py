# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Targets: the files of DHP19, as published and in the paper's form, and of Event-Human3.6M.

An input is which of a recording's two files is broken, and its content; the other one is whole.
"""

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import h5py
import numpy as np
from dhp19_files import (
    HEADER, MAT_HEADER, SPECIAL, address, mat_structure, poses_mm, steady_events, vicon_fields,
    write_aedat2, write_hdf5_form, write_vicon)
from h36m_files import sequence_folder, write_sequence

from fuzzing.campaign import Target, Wrong
from fuzzing.mutations import mutated
from hybrid_pose_ros.datasets.dataset_recording import DatasetRecording
from hybrid_pose_ros.datasets.dhp19_hdf5 import read_channel
from hybrid_pose_ros.datasets.dhp19_raw import read_channels
from hybrid_pose_ros.datasets.h36m import SequenceFiles
from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.recording import check_events

Broken = tuple[int, bytes]  # 0: the file of events, 1: that of labels
NAME = 'S1_session1_mov1'
POSES = poses_mm(3)
STAMPS_US = 1000 + 500 * np.arange(60)


def _checked(recording: DatasetRecording) -> tuple:
    """Return what to call a result; raise Wrong where it breaks a promise of the readers."""
    events, labels = recording.events, recording.labels
    try:
        check_events(Path(recording.name), events, recording.width, recording.height)
    except RecordingError as error:
        raise Wrong(str(error)) from error
    if len(events) and (events['t'][0] < 0 or (np.diff(events['t']) < 0).any()):
        raise Wrong(f'times {events["t"]}')
    if not np.isfinite(labels.joints_px[labels.visible]).all():
        raise Wrong(f'visible joints {labels.joints_px[labels.visible]}')
    if len({len(values) for values in labels}) != 1:
        raise Wrong(f'labels of the lengths {[len(values) for values in labels]}')
    return len(events).bit_length(), len(labels.t).bit_length(), bool(labels.visible.any())


def _seeds(write: Callable[[Path], None], names: tuple[str, str]) -> list[Broken]:
    """Return both files that a function writes into a folder."""
    with TemporaryDirectory() as folder:
        write(Path(folder))
        return [(of, Path(folder, name).read_bytes()) for of, name in enumerate(names)]


def _mutated(rng: Random, broken: Broken, other: Broken) -> Broken:
    return broken[0], mutated(rng, broken[1], other[1])


@contextmanager
def _opened(folder: Path, whole: list[Broken], names: tuple[str, str],
            load: Callable[[Path], list[DatasetRecording]]):
    for of, content in whole[:2]:
        (folder / names[of]).parent.mkdir(parents=True, exist_ok=True)
        (folder / names[of]).write_bytes(content)

    def read(broken: Broken):
        of, content = broken
        (folder / names[of]).write_bytes(content)
        (folder / names[1 - of]).write_bytes(whole[1 - of][1])
        return tuple(_checked(recording) for recording in load(folder))
    yield read


def _target(names: tuple[str, str], seeds: Callable[[], list[Broken]],
            load: Callable[[Path], list[DatasetRecording]]) -> Target:
    return Target(lambda _: seeds(), _mutated,
                  lambda folder: _opened(folder, seeds(), names, load), (RecordingError,),
                  ('hybrid_pose_ros/datasets/', 'hybrid_pose_ros/recordings/'))


PAPER_NAMES = (f'{NAME}_events.h5', f'{NAME}_events_label.h5')


def _paper_seeds() -> list[Broken]:
    return [seed for kind in (np.int64, np.float64) for seed in _seeds(
        lambda folder, kind=kind: write_hdf5_form(
            folder, NAME, {3: steady_events(40)}, POSES, milliseconds=20, kind=kind),
        PAPER_NAMES)]


RAW_NAMES = 'mov1.aedat', 'S1_1_1.mat'


def _raw_seeds() -> list[Broken]:
    column = 100 + np.arange(60) % 3
    events = address(column, [50] * 60, column % 2, np.arange(60) % 4)

    def write(folder: Path, signals: list[int], header: bytes) -> None:
        words = [*[SPECIAL] * len(signals), *events]
        write_aedat2(folder / RAW_NAMES[0], words, [*signals, *STAMPS_US], header)
        write_vicon(folder / RAW_NAMES[1], POSES, compressed=len(signals) < 3)
    seeds = [seed for signals, header in (
        ([1000, 1000], HEADER), ([1000, 1001, 25_000], HEADER), ([], b'#!AER-DAT2.0\r\n'))
        for seed in _seeds(lambda folder: write(folder, signals, header), RAW_NAMES)]
    plain = MAT_HEADER + mat_structure(b'XYZPOS', vicon_fields(POSES))
    return [*seeds, (1, plain), (1, _version_7())]


def _version_7() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, 'file')
        with h5py.File(path, 'w', userblock_size=512) as file:
            for joint, values in vicon_fields(POSES).items():
                file[f'XYZPOS/{joint}'] = values.T
        return path.read_bytes()


H36M_FILES = SequenceFiles('S1', 'Walking 1', 2, sequence_folder(Path(), 'S1', 'Walking 1', 2),
                           Path('labels.h5'))
H36M_NAMES = str(H36M_FILES.folder / 'events.h5'), 'labels.h5'


def _h36m_seeds() -> list[Broken]:
    events = steady_events(80)
    events['x'] %= 320
    events['y'] %= 256
    joints = np.tile([100.0, 50.0], (3, 13, 1))
    return _seeds(lambda folder: write_sequence(folder, 'S1', 'Walking 1', 2, events, joints,
                                                milliseconds=40), H36M_NAMES)


TARGETS = {
    'dhp19': _target(RAW_NAMES, _raw_seeds, lambda folder: read_channels(
        folder / RAW_NAMES[0], folder / RAW_NAMES[1], range(4), NAME)),
    'dhp19_hdf5': _target(PAPER_NAMES, _paper_seeds, lambda folder: [read_channel(
        folder / PAPER_NAMES[0], folder / PAPER_NAMES[1], 3)]),
    'h36m': _target(H36M_NAMES, _h36m_seeds, lambda folder: H36M_FILES._replace(
        folder=folder / H36M_FILES.folder, labels=folder / 'labels.h5').load())}
