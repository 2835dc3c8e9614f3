# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag as a recording of the Rerun viewer, read back by Rerun's own reader."""

import sys
from pathlib import Path

import numpy as np
import pytest
from labeled_clips import HEIGHT, WIDTH, circling_clip
from run_bags import odd_bag, write_bag

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.recorded_runs.run_report import RecordedRun
from hybrid_pose_ros.recordings.pose_topics import SKELETON, TRUTH, TYPES

BAG_US = 200_000


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return write_bag(tmp_path_factory.mktemp('bags') / 'run',
                     circling_clip(duration_ms=BAG_US // 1000, events_ms=20), since_us=0)


@pytest.fixture(scope='module')
def columns(bag):
    return exported(bag)


def exported(bag):
    """Return the columns of each entity of the exported file, rows in the order of time."""
    chunk = pytest.importorskip('rerun.chunk', reason='needs rerun-sdk')
    path = bag.with_name('run.rrd')
    assert main(['export', str(bag)]) == 0
    found: dict[str, list] = {}
    for each in chunk.RrdReader(path).stream():
        rows = each.to_record_batch()
        if 'sensor_time' in rows.schema.names:
            kept = [name for name in rows.schema.names if ':' in name or name == 'sensor_time']
            found.setdefault(str(each.entity_path), []).extend(rows.select(kept).to_pylist())
    return {name: sorted(rows, key=lambda row: row['sensor_time']) for name, rows in found.items()}


def times_us(rows) -> list[int]:
    return [round(row['sensor_time'].total_seconds() * 1e6) for row in rows]


def test_every_pose_is_there_at_its_time(bag, columns):
    poses = RecordedRun(bag).poses
    rows = columns['/camera/skeleton/joints']
    assert times_us(rows) == [pose.sensor_time_us for pose in poses]
    for row, pose in zip(rows, poses, strict=True):
        expected_px = np.stack([pose.x_px, pose.y_px], axis=1) + 0.5  # from the pixels' corners
        assert np.array(row['Points2D:positions']) == pytest.approx(expected_px)


def test_the_numbers_of_every_pose_are_there(bag, columns):
    poses = RecordedRun(bag).poses
    rows = columns['/plots/state_age_ms']
    assert times_us(rows) == [pose.sensor_time_us for pose in poses]
    assert [row['Scalars:scalars'][0] for row in rows] == pytest.approx(
        [pose.state_age_us * 1e-3 for pose in poses])


def test_pictures_of_the_events_come_25_times_a_second(columns):
    import cv2
    rows = columns['/camera/events']
    assert len(rows) == BAG_US // 40_000
    image = cv2.imdecode(np.array(rows[-1]['EncodedImage:blob'][0], np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (HEIGHT, WIDTH, 3) and image.any()


def test_the_truth_is_there(columns):
    assert len(columns['/camera/truth/joints']) == BAG_US // 4_000


def test_poses_and_truth_of_other_turns_are_at_the_time_of_their_events(tmp_path, columns):
    clip = circling_clip(duration_ms=BAG_US // 1000, events_ms=20)
    ahead = write_bag(tmp_path / 'run', clip, since_us=0, turns=lambda stamp_us: (1, -2))
    assert exported(ahead) == columns


def test_odd_messages_are_left_out_and_counted(tmp_path, capsys):
    """Each of them was a traceback."""
    pytest.importorskip('rerun', reason='needs rerun-sdk')
    clip = circling_clip(duration_ms=BAG_US // 1000, events_ms=20)
    path = odd_bag(tmp_path / 'odd.mcap', clip, [
        (SKELETON, 'std_msgs/msg/String', b''), (TRUTH, TYPES[TRUTH], b'')])
    assert main(['export', str(path)]) == 0
    out = capsys.readouterr().out
    assert '98 poses' in out  # of 100 ms, but for those of 150 and 200 ms
    assert f'messages left out: 50 of {SKELETON}: type' in out and f'50 of {TRUTH}: 0 bytes' in out


def test_of_a_damaged_bag_the_rest_is_exported_and_the_damage_reported(tmp_path, bag, capsys):
    pytest.importorskip('rerun', reason='needs rerun-sdk')
    split = tmp_path / 'split'
    split.mkdir()
    whole, = bag.glob('*.mcap')
    (split / 'b_0.mcap').write_bytes(whole.read_bytes())
    (split / 'b_1.mcap').write_bytes(b'')
    assert main(['export', str(split)]) == 1
    printed = capsys.readouterr()
    assert f'{len(RecordedRun(bag).poses)} poses' in printed.out
    assert printed.err == f'hybrid-pose export: {split}/b_1.mcap is empty\n'


def test_without_the_sdk_one_line_says_what_to_install(bag, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'rerun', None)
    assert main(['export', str(bag), '--output', str(tmp_path / 'run.rrd')]) == 1
    assert capsys.readouterr().err == (
        'hybrid-pose export: this needs the Rerun SDK: pip install rerun-sdk\n')


@pytest.mark.parametrize('arguments, said', (
    (['nowhere'], 'nowhere'), (['{bag}', '--fps', '0'], '--fps must be 1 to 1000, not 0'),
    (['{bag}', '--output', '/proc/none/run.rrd'], '/proc cannot be written')))
def test_a_mistake_is_one_line(bag, arguments, said, capsys):
    pytest.importorskip('rerun', reason='needs rerun-sdk')
    assert main(['export', *(word.format(bag=bag) for word in arguments)]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count('\n') == 1
    assert not Path('nowhere.rrd').exists()  # nothing is left of what could not be done
