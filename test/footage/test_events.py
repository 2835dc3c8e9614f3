# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The events of a video."""

import numpy as np
import pytest
from rendered_videos import FRONT, direct, enlarged, film, write_frames

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.event_array import event_array, no_events
from hybrid_pose_ros.footage.events import noise_around, video_events
from hybrid_pose_ros.footage.placement import Box, placed
from hybrid_pose_ros.footage.video import Frame, Video
from hybrid_pose_ros.simulation.motions import GeneratedMotion
from hybrid_pose_ros.simulation.scene_settings import OFFICE
from hybrid_pose_ros.simulation.sensor import SensorSettings

BLOCK_PX, BIN_US = 8, 50_000
SCENE = {'settings': OFFICE, 'duration_s': 0.6, 'camera': enlarged(FRONT, 0.5)}


def events_of(frames, placement, settings, seed=0):
    """Return all events."""
    return np.concatenate([no_events(), *(piece.events for piece in video_events(
        frames, placement, settings, np.random.default_rng(seed), source='v'))])


def counts(events, duration_us):
    """Return the events by time bin and block of pixels."""
    shape = -(-duration_us // BIN_US), 130 // BLOCK_PX + 1, 173 // BLOCK_PX + 1
    out = np.zeros(shape)
    np.add.at(out, (events['t'] // BIN_US, events['y'] // BLOCK_PX, events['x'] // BLOCK_PX), 1)
    return out


@pytest.fixture(scope='module')
def truth():
    """The events of a scene that goes to the sensor directly."""
    return direct(GeneratedMotion(0, ('wave',)), **SCENE)


@pytest.mark.parametrize('fps, shutter, rate, correlation', [
    (60, 0.0, 0.05, 0.97), (30, 0.0, 0.08, 0.94), (30, 0.5, 0.12, 0.92)])
def test_a_rendered_video_has_the_events_of_its_scene(tmp_path, truth, fps, shutter, rate,
                                                      correlation):
    images, times_us, _ = film(GeneratedMotion(0, ('wave',)), fps=fps, shutter=shutter, **SCENE)
    path = write_frames(tmp_path / 'v.avi', images, fps)
    events = events_of(Video(path), placed(Box(0, 0, 346, 260), 173, 130), OFFICE.sensor)
    events['t'] += int(times_us[0])
    both = [counts(found[found['t'] < 500_000], 500_000)[1:] for found in (events, truth)]
    assert both[0].sum() / both[1].sum() == pytest.approx(1.0, abs=rate)
    assert np.corrcoef(*(count.ravel() for count in both))[0, 1] > correlation


def test_a_static_video_has_only_the_noise_of_the_sensor():
    frames = [Frame(33_000 * number, np.full((52, 70, 3), 99, np.uint8)) for number in range(9)]
    placement = placed(Box(0, 0, 70, 52), 35, 26)
    assert not len(events_of(frames, placement, SensorSettings()))
    assert len(events_of(frames, placement, SensorSettings(shot_hz=20.0))) > 1000


def test_the_rest_of_the_sensor_has_noise_of_the_same_rate():
    """A portrait video: the outer thirds of the sensor are empty."""
    frames = [Frame(33_000 * number, np.full((260, 116, 3), 99, np.uint8)) for number in range(31)]
    placement = placed(Box(0, 0, 116, 260), 346, 260)
    events = events_of(frames, placement, SensorSettings(shot_hz=4.0))
    assert (np.diff(events['t']) >= 0).all()
    inside = (events['x'] >= 115) & (events['x'] < 231)
    picture, rest = inside.sum() / 116, (~inside).sum() / 230
    assert rest == pytest.approx(picture, rel=0.1)
    assert events['p'][~inside].mean() == pytest.approx(events['p'][inside].mean(), abs=0.03)


def test_the_noise_around_is_that_of_the_quiet_parts():
    """A person in the middle does not count. 2 Hz everywhere else, all ON."""
    rng = np.random.default_rng(0)
    placement = placed(Box(0, 0, 260, 260), 346, 260)
    x, y = rng.integers(0, 260, (2, 2 * 260 * 260))
    person_x, person_y = rng.integers(100, 160, (2, 500_000))
    events = event_array(rng.integers(0, 1_000_000, len(x) + 500_000), np.append(x, person_x),
                         np.append(y, person_y), np.repeat([1, 0], [len(x), 500_000]))
    noise = noise_around(events, 0, 1_000_000, placement, rng)
    assert len(noise) == pytest.approx(2 * 86 * 260, rel=0.06)
    assert noise['p'].all() and not ((noise['x'] >= 43) & (noise['x'] < 303)).any()


def test_a_picture_that_fills_the_sensor_gets_no_noise():
    placement = placed(Box(0, 0, 346, 260), 346, 260)
    assert not len(noise_around(no_events(), 0, 1000, placement, np.random.default_rng(0)))


def test_a_cut_is_one_line():
    rng = np.random.default_rng(0)
    scenes = [np.kron(rng.integers(0, 255, (13, 17)), np.ones((8, 8))).astype(np.uint8)
              for _ in range(2)]
    frames = [Frame(40_000 * number, np.stack(3 * [scenes[number // 3]], axis=-1))
              for number in range(6)]
    with pytest.raises(InputError, match=r'^v has a cut at 0\.12 s: .*split the video there'):
        events_of(frames, placed(Box(0, 0, 136, 104), 68, 52), SensorSettings())
