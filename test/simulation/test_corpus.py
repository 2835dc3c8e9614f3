# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import shutil
from concurrent.futures import Future, ProcessPoolExecutor

import h5py
import numpy as np
import pytest

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.pose.rig import project
from hybrid_pose_ros.recordings.hdf5 import Hdf5Recording
from hybrid_pose_ros.recordings.rig_files import recorded_rig
from hybrid_pose_ros.simulation.body import joints_of
from hybrid_pose_ros.simulation.camera import CAMERAS
from hybrid_pose_ros.simulation.corpus import _in_rig, make, motion_files, plan
from hybrid_pose_ros.simulation.kinds import FLOOR_TAKES, random_setting
from hybrid_pose_ros.simulation.motions import GeneratedMotion
from hybrid_pose_ros.simulation.recording import record
from hybrid_pose_ros.simulation.scene import SimulatedScene
from hybrid_pose_ros.simulation.scene_settings import IDEAL, OFFICE


class HereAndNow:
    """An executor without processes, which notes what it was asked to make."""

    def __init__(self):
        self.numbers = []

    def submit(self, function, *arguments):
        self.numbers.append(arguments[-1].number)
        future = Future()
        try:
            future.set_result(function(*arguments))
        except InputError as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope='module')
def captures(tmp_path_factory):
    folder = tmp_path_factory.mktemp('captures')
    for seed in range(3):
        points = GeneratedMotion(seed).sample(np.arange(0.0, 2.0, 1 / 120)).astype(np.float32)
        np.savez(folder / f'{seed}.npz', body=points, joints=joints_of(points),
                 fps=np.float32(120.0))
    return folder


def clips_in(captures, output_dir, count=2, seed=1):
    return plan(motion_files(captures), output_dir, clips=count, seed=seed, duration_s=0.05)


def arrays_of(path):
    with h5py.File(path) as file:
        found = {}
        file.visititems(lambda name, item: found.update({name: item[:]})
                        if isinstance(item, h5py.Dataset) else None)
        return found


@pytest.mark.parametrize('seed', range(20))
def test_a_benchmark_differs_in_body_and_light_and_not_in_sensor_or_place(seed):
    scene, view = random_setting('benchmark', np.random.default_rng(seed))
    assert scene.sensor == OFFICE.sensor
    assert any(view is CAMERAS[f'dhp19-{number}'] for number in (2, 3))
    staging = scene.staging
    assert (staging.travel, staging.enter_s, staging.leave_s) == (0, 0, 0)
    assert staging.heading_deg == staging.stops_hz == 0
    other, _ = random_setting('benchmark', np.random.default_rng(seed + 100))
    assert scene.body != other.body and scene.light != other.light


@pytest.mark.parametrize('kind', ['front', 'close'])
def test_fronts_are_seen_by_sensors_with_little_noise(kind):
    scenes = [random_setting(kind, np.random.default_rng(seed))[0] for seed in range(60)]
    assert max(scene.sensor.shot_hz for scene in scenes) == 1.0


def test_each_file_comes_once_before_one_comes_again(captures):
    clips = clips_in(captures, 'nowhere', count=6)
    for half in (clips[:3], clips[3:]):
        assert len({clip.motion_file for clip in half}) == 3


def test_a_corpus_is_taken_up_where_it_was_left(captures, tmp_path):
    executor = HereAndNow()
    list(make(clips_in(captures, tmp_path, 1), executor))
    list(make(clips_in(captures, tmp_path, 3), executor))
    assert executor.numbers == [0, 1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'clip_00000.h5', 'clip_00001.h5', 'clip_00002.h5']


def test_a_clip_is_the_same_alone_and_on_two_processes(captures, tmp_path):
    list(make(clips_in(captures, tmp_path / 'here'), HereAndNow()))
    with ProcessPoolExecutor(2) as executor:
        list(make(clips_in(captures, tmp_path / 'there'), executor))
    for number in range(2):
        here = arrays_of(tmp_path / f'here/clip_{number:05d}.h5')
        there = arrays_of(tmp_path / f'there/clip_{number:05d}.h5')
        assert here.keys() == there.keys()
        assert all(np.array_equal(here[name], there[name], equal_nan=name == 'labels/joints_px')
                   for name in here)


def test_the_cameras_of_a_take_see_one_person_at_the_same_time(captures, tmp_path):
    clips = plan(motion_files(captures), tmp_path, clips=1, seed=1, duration_s=0.05,
                 kind='benchmark', cameras=4)
    list(make(clips, HereAndNow()))
    paths = sorted((tmp_path / 'take_00000').iterdir())
    assert [path.name for path in paths] == [f'dhp19_{number}.h5' for number in (1, 2, 3, 4)]
    recordings = [Hdf5Recording(path) for path in paths]
    labels = [recording.labels() for recording in recordings]
    for view, seen in zip(recorded_rig(recordings).cameras, labels):
        np.testing.assert_array_equal(seen.joints_mm, labels[0].joints_mm)
        np.testing.assert_array_equal(seen.t, labels[0].t)
        np.testing.assert_allclose(project(view, 1e-3 * seen.joints_mm) + 0.5, seen.joints_px,
                                   atol=1e-3)


def test_sensors_of_one_take_have_noise_of_their_own(tmp_path):
    """Two in one place would otherwise see the same noise, which no triangulation could tell."""
    events = [np.concatenate([piece.events for piece in SimulatedScene(
        settings=OFFICE, duration_us=20_000, sensor=number)]) for number in (0, 0, 1)]
    assert np.array_equal(events[0], events[1])
    assert not np.array_equal(events[0], events[2])


def test_the_light_of_a_take_shines_from_one_side_for_all_cameras(captures):
    clips = [clip._replace(kind='benchmark') for clip in plan(
        motion_files(captures), 'nowhere', clips=1, seed=5, duration_s=0.05, cameras=4)]
    toward = []
    for clip in clips:
        view = CAMERAS[clip.view]
        scene = _in_rig(random_setting('benchmark', np.random.default_rng(3))[0], clip.view)
        azimuth = np.radians(scene.light.azimuth_deg)
        forward = view.rotation[2, :2] / np.linalg.norm(view.rotation[2, :2])
        right = np.array([forward[1], -forward[0]])
        toward.append(np.sin(azimuth) * right - np.cos(azimuth) * forward)
    np.testing.assert_allclose(toward, toward[:1] * 4, atol=1e-9)


def test_there_is_no_rig_of_three_cameras(captures):
    with pytest.raises(InputError, match='no rig of 3 cameras: choose 2 or 4'):
        plan(motion_files(captures), 'nowhere', clips=1, seed=1, duration_s=0.05, cameras=3)


def test_a_folder_without_motion_files_is_refused(tmp_path):
    with pytest.raises(InputError, match='no motion files'):
        motion_files(tmp_path)


def test_a_bad_motion_file_stops_the_corpus_with_its_name(tmp_path):
    (tmp_path / 'bad.npz').write_bytes(b'nothing')
    with pytest.raises(InputError, match='bad.npz is not a motion file'):
        list(make(clips_in(tmp_path, tmp_path / 'clips'), HereAndNow()))
    assert not list((tmp_path / 'clips').iterdir())


def test_a_recording_holds_the_scene_after_its_warm_up(tmp_path):
    facts = record(SimulatedScene(settings=OFFICE, duration_us=200_000), tmp_path / 'r.h5',
                   seed=0, motion='demo')
    scene = list(SimulatedScene(settings=OFFICE, duration_us=200_000))
    events = np.concatenate([piece.events for piece in scene])
    events = events[events['t'] >= 100_000]
    recording = Hdf5Recording(tmp_path / 'r.h5')
    written = np.concatenate([piece.events for piece in recording.pieces()])
    assert np.array_equal(written['t'] + 100_000, events['t'])
    assert np.array_equal(written[['x', 'y', 'p']], events[['x', 'y', 'p']])
    assert facts['events'] == len(events)
    labels = recording.labels()
    assert np.array_equal(labels.t, np.arange(0, 101_000, 1_000))
    assert np.array_equal(labels.joints_px[-1], scene[-1].labels.joints_px[-1])


def test_a_recording_says_which_joints_are_hidden_and_how_it_was_made(tmp_path):
    record(SimulatedScene(settings=IDEAL, duration_us=150_000), tmp_path / 'r.h5', seed=0,
           motion='demo')
    with h5py.File(tmp_path / 'r.h5') as file:
        assert file['labels/occluded'].shape == (51, 13)
        assert b'"threshold_on": 0.2' in file.attrs['settings']


def test_no_attribute_of_a_recording_is_text_of_variable_length(tmp_path):
    """The motion and the settings were: HDF5 2.0 may hang where such a file is damaged."""
    record(SimulatedScene(settings=IDEAL, duration_us=150_000), tmp_path / 'r.h5', seed=0,
           motion='')
    with h5py.File(tmp_path / 'r.h5') as file:
        kinds = {name: file.attrs.get_id(name).dtype.kind for name in file.attrs}
    assert kinds.keys() >= {'motion', 'settings', 'encoding'} and 'O' not in kinds.values()


def test_a_scene_that_ends_in_its_warm_up_leaves_no_file(tmp_path):
    with pytest.raises(InputError, match='ends within the first 0.1 s'):
        record(SimulatedScene(duration_us=50_000), tmp_path / 'r.h5', seed=0, motion='demo')
    assert not list(tmp_path.iterdir())


def test_a_recording_that_is_interrupted_leaves_no_file(tmp_path):
    def interrupt(end_us):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(SimulatedScene(duration_us=200_000), tmp_path / 'r.h5', seed=0, motion='demo',
               progress=interrupt)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_said_and_leaves_no_file(tmp_path, monkeypatch):
    """HDF5 ends the process by a segmentation fault where it cannot write."""
    usage = shutil.disk_usage(tmp_path)._replace(free=5 << 20)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage)
    with pytest.raises(InputError, match='the disk has 5 MiB left'):
        record(SimulatedScene(duration_us=200_000), tmp_path / 'r.h5', seed=0, motion='demo')
    assert not list(tmp_path.iterdir())


def test_a_folder_that_does_not_exist_is_made(tmp_path):
    record(SimulatedScene(duration_us=200_000), tmp_path / 'new/r.h5', seed=0, motion='demo')
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['r.h5']


@pytest.mark.parametrize('kind', ['clutter', 'moving_camera', 'mixed'])
def test_a_rig_shows_no_scene_that_one_camera_defines(kind, captures):
    """Poles and balls are placed in the view of a camera, so two would see different ones."""
    with pytest.raises(InputError, match='is for a single camera: choose from any, front, close, '
                       'benchmark, noisy'):
        plan(motion_files(captures), 'nowhere', clips=1, seed=1, duration_s=0.05, kind=kind,
             cameras=2)


def test_takes_of_the_kind_floor_are_in_no_other_kind(tmp_path):
    for name in (*FLOOR_TAKES, 'walk'):
        (tmp_path / f'{name}.npz').touch()
    assert [file.stem for file in motion_files(tmp_path, 'floor')] == sorted(FLOOR_TAKES)
    assert [file.stem for file in motion_files(tmp_path, 'robot')] == ['walk']
    clips = plan(motion_files(tmp_path, 'floor'), tmp_path, clips=8, seed=0, duration_s=0.1,
                 own_share=1.0, kind='floor')
    assert {clip.motion_file.stem for clip in clips} == set(FLOOR_TAKES)
    (tmp_path / 'walk.npz').unlink()
    with pytest.raises(InputError, match='no motion files for kind robot'):
        motion_files(tmp_path, 'robot')
