# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An endless stream of short scenes, rendered during training.

Scene i depends only on the seed and i. So does the set of scenes for batch i: the newest `kept`
scenes at that time. An interrupted run renders these again and continues with the same batches.

    scenes    0 1 2 3 4 5 6 7 8 9 ...
    batch 0  [0 1 2 3]
    batch 1    [1 2 3 4]               each scene is drawn about `draws` times before removal
"""

import dataclasses
import re
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from torch.utils.data import DataLoader, Dataset

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.event_array import EVENT_DTYPE
from hybrid_pose_ros.model.presets import Preset
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import InputGeometry
from hybrid_pose_ros.simulation.corpus import motion_files, staged_scene
from hybrid_pose_ros.simulation.kinds import random_setting
from hybrid_pose_ros.simulation.motion_capture import load_capture
from hybrid_pose_ros.simulation.recording import rendered
from hybrid_pose_ros.simulation.scene_settings import TimingSettings
from hybrid_pose_ros.training.ann import Window, Windows
from hybrid_pose_ros.training.regions import Region, region, whole_sensor
from hybrid_pose_ros.training.training_params import StreamParams
from hybrid_pose_ros.training.views import MIN_EVENTS, last_events

Scene = TypeVar('Scene')

TIMING = TimingSettings(label_us=5_000, step_px=1.5)
"""Costs a quarter of the default; event counts differ by at most 1 % (12 scenes of kind mixed)."""
PERSON = re.compile(r'(cmu_\d+|react_\d+|[^_]+)')
"""Matches the name of the person at the start of a motion file's name."""
LONG_SHARE, LONG_FACTOR = 0.15, 3.0
"""Fraction and length factor of longer scenes, since slow motion takes longer to fill a window."""
TRIES = 20


def person_of(name: str) -> str:
    """Return the person named at the start of a motion file's name; otherwise the whole name."""
    match = PERSON.match(name)
    return match[0] if match else name


class Motions:
    """Motion files; people are drawn in proportion to the square root of their total duration."""

    def __init__(self, folder: str | Path):
        """Read the duration of each file.

        Raises:
            InputError: there are no files, or one cannot be read.
        """
        self._files = motion_files(folder)
        self._people: dict[str, list[int]] = {}
        seconds = np.array([load_capture(file).duration_s for file in self._files])
        for index, file in enumerate(self._files):
            self._people.setdefault(person_of(file.stem), []).append(index)
        weight = np.array([np.sqrt(seconds[files].sum()) for files in self._people.values()])
        self._shares = weight / weight.sum()
        self._within = [seconds[files] / seconds[files].sum() for files in self._people.values()]

    def draw(self, rng: np.random.Generator) -> Path:
        """Return a random file."""
        person = rng.choice(len(self._shares), p=self._shares)
        files = list(self._people.values())[person]
        return self._files[files[rng.choice(len(files), p=self._within[person])]]


class Scenes(Dataset[LabeledRecording]):
    """Dataset whose item i is scene i of a stream, for a DataLoader."""

    def __init__(self, params: StreamParams, seed: int):
        """Create the dataset; nothing is rendered yet.

        Raises:
            InputError: the motion files cannot be read.
        """
        self._params, self._seed = params, seed
        self._motions = Motions(params.motion)

    def __getitem__(self, number: int) -> LabeledRecording:
        """Return a scene with at least one instant preceded by enough events."""
        for attempt in range(TRIES):
            scene = self._rendered(np.random.default_rng([self._seed, 16, number, attempt]))
            if len(scene.events) >= 2 * MIN_EVENTS:
                return scene
        raise InputError(f'{TRIES} consecutive scenes have fewer than {2 * MIN_EVENTS} events: '
                         'use motion capture of people who move')

    def _rendered(self, rng: np.random.Generator) -> LabeledRecording:
        params = self._params
        setting = random_setting(params.kind, rng)
        scene = dataclasses.replace(setting.scene, timing=TIMING)
        file = None if rng.random() < params.own else self._motions.draw(rng)
        length = LONG_FACTOR if rng.random() < LONG_SHARE else 1.0
        label_s = TIMING.label_us * 1e-6
        duration_s = round(params.scene_s * length / label_s) * label_s
        staged, _, name = staged_scene(rng, scene, setting.camera, file, duration_s)
        return rendered(staged, name)


class Stream:
    """Provides the scenes of each batch."""

    def __init__(self, scenes: Dataset[LabeledRecording], *, kept: int, scenes_per_batch: float,
                 workers: int):
        """Create the stream; nothing is rendered yet.

        Args:
            scenes: dataset with scene i of the stream.
            kept: number of scenes from which each batch is drawn.
            scenes_per_batch: number of new scenes per batch.
            workers: number of rendering processes; 0: this process.
        """
        self._scenes, self._workers = scenes, workers
        self._scenes_per_batch, self._kept = scenes_per_batch, kept
        self._ring: deque[LabeledRecording] = deque(maxlen=kept)
        self._next = 0  # index of the next scene to render
        self._loader: Iterator[LabeledRecording] = iter(())

    @classmethod
    def of(cls, params: StreamParams, seed: int, batch: int) -> 'Stream':
        """Return the stream for training with this batch size [windows]."""
        return cls(Scenes(params, seed), kept=params.kept, scenes_per_batch=batch / params.draws,
                   workers=params.workers)

    def at(self, batch: int) -> Sequence[LabeledRecording]:
        """Return the scenes for a batch; blocks until they are rendered."""
        kept = self._kept
        end = kept + int(batch * self._scenes_per_batch)
        if not self._ring or not self._next <= end <= self._next + kept:
            self._ring.clear()
            self._start(end - kept)
        while self._next < end:
            self._ring.append(self._rendered())
            self._next += 1
        return self._ring

    def _rendered(self) -> LabeledRecording:
        """Return the next scene."""
        try:
            return next(self._loader)
        except RuntimeError as error:  # of the DataLoader
            raise InputError('a process that renders scenes ended: free memory or reduce '
                             '--workers, then rerun the command to continue') from error

    def _start(self, first: int) -> None:
        self._loader = iter(DataLoader(
            self._scenes, batch_size=None, sampler=range(first, 1 << 40),
            num_workers=self._workers, collate_fn=_as_it_is, worker_init_fn=_leave_interrupts,
            multiprocessing_context='spawn' if self._workers else None,
            prefetch_factor=4 if self._workers else None))
        self._next = first


def _leave_interrupts(worker: int) -> None:
    """Ignore SIGINT, which the training process handles."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _as_it_is(scene: Scene) -> Scene:
    return scene


def stream_windows(network: Preset, stream: Stream, geometry: InputGeometry) -> Windows:
    """Return a function that draws windows (whole sensor or region) from a stream's scenes.

    The number of events is proportional to the width of the region on the sensor, like the length
    of edges in it. The preset's number refers to cells of two pixels.
    """
    def draw(rng: np.random.Generator, batch: int) -> Window:
        clip, at_us = _moment(rng, stream.at(batch))
        seen = draw_region(rng, geometry, clip, at_us)
        events = 0.5 * seen.pixels_per_cell * network.ann.window_events * rng.uniform(0.7, 1.3)
        frame = seen.frame(_disturbed(rng, clip, at_us), at_us, round(events), network.ann.bins)
        stamps_us = np.array([at_us])
        joints, visible = seen.joints(clip, stamps_us)
        absent = seen.known(clip, stamps_us) & ~visible
        return Window(frame, joints[0], visible[0], absent[0])
    return draw


def _moment(rng: np.random.Generator,
            clips: Sequence[LabeledRecording]) -> tuple[LabeledRecording, int]:
    """Return a scene and a time preceded by enough events, or the end of the scene."""
    clip = clips[int(rng.integers(len(clips)))]
    for _ in range(TRIES):
        at_us = int(rng.integers(clip.start_us + 1, clip.end_us + 1))
        if len(last_events(clip, at_us, MIN_EVENTS)) == MIN_EVENTS:
            return clip, at_us
    return clip, clip.end_us


def draw_region(rng: np.random.Generator, geometry: InputGeometry, clip: LabeledRecording,
                at_us: int, *, whole: float = 0.4) -> Region:
    """Return the whole sensor, or a region around the person or around a random position."""
    mirrored = bool(rng.random() < 0.5)
    if rng.random() < whole:
        return whole_sensor(geometry, clip, mirrored=mirrored)
    joints, visible, _ = clip.joints_at(np.array([at_us]))
    roll = np.radians(rng.uniform(-30.0, 30.0) if rng.random() < 0.1 else rng.normal(0.0, 5.0))
    aspect = geometry.width / geometry.height
    if visible.any() and rng.random() < 0.95:
        seen = joints[0, visible[0]]
        low, high = seen.min(axis=0), seen.max(axis=0)
        extent = high - low + 20.0  # a head extends beyond its joint
        width_px = max(extent[0], extent[1] * aspect) * rng.uniform(1.1, 2.2)
        center = 0.5 * (low + high)
    else:
        width_px = rng.uniform(geometry.width, clip.width)
        center = rng.uniform([0.0, 0.0], [clip.width, clip.height])
    width_px = float(np.clip(width_px, geometry.width, 1.2 * clip.width))
    center = center + rng.normal(0.0, 0.08, 2) * width_px
    return region(geometry, center, width_px, roll=roll, mirrored=mirrored)


def _disturbed(rng: np.random.Generator, clip: LabeledRecording, end_us: int) -> LabeledRecording:
    """Return the clip with lost events, flipped polarities or noise."""
    lost, noise, exchanged = rng.random(3) < (0.15, 0.1, 0.2)
    if not (lost or noise or exchanged):
        return clip
    events = last_events(clip, end_us, 60_000)
    if lost:
        events = events[rng.random(len(events)) >= rng.uniform(0.1, 0.6)]
    if noise and len(events):
        count = int(len(events) * rng.uniform(0.0, 0.5))
        more = np.empty(count, EVENT_DTYPE)
        more['t'] = rng.integers(events['t'][0], events['t'][-1] + 1, count)
        more['x'], more['y'] = rng.integers(clip.width, size=count), rng.integers(
            clip.height, size=count)
        more['p'] = rng.random(count) < 0.5
        events = np.concatenate([events, more])
        events = events[np.argsort(events['t'], kind='stable')]
    if exchanged:
        events = events.copy()
        events['p'] = 1 - events['p']
    return clip._replace(events=events)
