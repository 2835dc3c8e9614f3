# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Video files, good and bad."""

import struct

import numpy as np
import pytest
from rendered_videos import write_frames

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.footage.video import Video


def images(count=12, height=48, width=64):
    """Return frames whose left half is white; gray elsewhere, brighter from frame to frame."""
    frames = np.zeros((count, height, width), np.uint8)
    frames += np.arange(count, dtype=np.uint8)[:, None, None]
    frames[:, :, :width // 2] = 250
    return frames


def rotated(path, width):
    """Write into an MP4 that it is to be shown rotated by 90 degrees."""
    content = bytearray(path.read_bytes())
    at = content.index(b'tkhd') + 44
    content[at:at + 36] = struct.pack('>9i', 0, 1 << 16, 0, -(1 << 16), 0, 0, width << 16, 0,
                                      1 << 30)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize('fps', [23.976, 30.0, 59.94, 120.0])
def test_frames_have_the_times_of_the_file(tmp_path, fps):
    video = Video(write_frames(tmp_path / 'v.avi', images(), fps))
    for _ in range(2):  # it can be iterated again
        frames = list(video)
        assert [frame.t_us for frame in frames] == pytest.approx(
            1e6 / fps * np.arange(12), abs=2)
    assert [int(frame.image[0, -1, 1]) for frame in frames] == list(range(12))


def test_slow_motion_runs_at_the_speed_of_the_scene(tmp_path):
    frames = list(Video(write_frames(tmp_path / 'v.avi', images(), 30), slowed=4.0))
    assert frames[-1].t_us == pytest.approx(11e6 / 120, abs=2)


def test_a_video_is_turned_upright_as_its_metadata_demand(tmp_path):
    path = rotated(write_frames(tmp_path / 'v.mp4', images(), 30, 'mp4v'), 48)
    image = next(iter(Video(path))).image
    assert image.shape == (64, 48, 3)
    assert image[:28].mean() > 240 and image[36:].mean() < 20  # the left half is at the top now


@pytest.mark.parametrize('fps, count, message', [
    (5, 12, r'v\.avi has 5\.0 frames per second: expected at least 10'),
    (1, 12, r'v\.avi has no frame from 0\.00 to 1\.00 s'),
    (30, 1, r'v\.avi has 1 frames: expected a video')])
def test_too_few_frames_are_one_line(tmp_path, fps, count, message):
    with pytest.raises(RecordingError, match=message):
        list(Video(write_frames(tmp_path / 'v.avi', images(count), fps)))


def test_a_truncated_video_is_one_line(tmp_path):
    path = write_frames(tmp_path / 'v.avi', images(60), 30)
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    with pytest.raises(RecordingError, match=r'v\.avi is truncated: it has [01]\.\d+ of 2\.00 s'):
        list(Video(path))


@pytest.mark.parametrize('content', [b'', b'no video at all', b'\0' * 4000])
def test_another_file_is_one_line(tmp_path, capfd, content):
    (tmp_path / 'v.mp4').write_bytes(content)
    with pytest.raises(RecordingError, match='is not a video, or it is truncated'):
        Video(tmp_path / 'v.mp4')
    assert capfd.readouterr().err == ''


def test_an_mp4_that_lacks_its_end_is_one_line(tmp_path, capfd):
    path = write_frames(tmp_path / 'v.mp4', images(60), 30, 'mp4v')
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    with pytest.raises(RecordingError, match='is not a video, or it is truncated'):
        list(Video(path))
    assert capfd.readouterr().err == ''


def test_a_missing_file_is_named():
    with pytest.raises(RecordingError, match=r'nowhere\.mp4 does not exist'):
        Video('nowhere.mp4')
