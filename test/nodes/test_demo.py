# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose demo` as a process, and its bag read back by two readers that are not ours."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
from child_processes import finished, started
from live_graph import EXECUTABLES, SKELETONS
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from ring_states import segments
from rosbags.highlevel import AnyReader
from shared_data import EVENTS, needs_recordings

from hybrid_pose_ros.cli.demo import share_of_machine
from hybrid_pose_ros.graph.description import TOPICS, graph
from hybrid_pose_ros.model.checkpoint import shipped

HYBRID_POSE = EXECUTABLES.parents[1] / 'bin' / 'hybrid-pose'
STATE = '/ann_initializer/state'
STEP_US = 10_000
"""The players do not wait: a machine with much else to do still has the time for these bins."""


def demo(output: Path, *arguments: str) -> dict[str, Any]:
    """Run a demo to its end; return what it prints as JSON."""
    process = finished(HYBRID_POSE, 'demo', '--no-video', '--json', '--step-us', STEP_US,
                       '--ann-rate-hz', 10, '--output', output, *arguments, cwd=output.parent)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


@pytest.fixture(scope='module')
def played(tmp_path_factory) -> SimpleNamespace:
    """Play two seconds of the simulated person, slowly: a busy machine has fewer states."""
    output = tmp_path_factory.mktemp('demo') / 'out'
    printed = demo(output, '--duration', '2', '--rate', '0.25')
    return SimpleNamespace(output=output, bag=output / 'bag', printed=printed,
                           report=json.loads((output / 'report.json').read_text()))


def evaluated(bag: Path) -> dict[str, Any]:
    """Run the tracker again on a bag; return what `hybrid-pose bag` prints as JSON."""
    process = finished(HYBRID_POSE, 'bag', bag, '--json', '--rows', 'hybrid,ann_held')
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def test_a_bag_gives_the_same_numbers_twice_and_those_of_the_live_report(played):
    first = evaluated(played.bag)
    assert first == evaluated(played.bag)
    assert first['re_run']['poses'] > 0
    assert first['run'] == {name: played.report[name] for name in first['run']}


def read_by_mcap(bag: Path) -> Iterator[tuple[str, str, Any]]:
    """Yield topic, type and message, as the MCAP project's own library decodes them."""
    with next(bag.glob('*.mcap')).open('rb') as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        for schema, channel, _, message in reader.iter_decoded_messages():
            yield channel.topic, schema.name, message


def read_by_rosbags(bag: Path) -> Iterator[tuple[str, str, Any]]:
    """Yield the same, as rosbags decodes it by the definitions in the bag."""
    with AnyReader([bag]) as reader:
        for connection, _, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            yield connection.topic, connection.msgtype, message


def poses(read, bag: Path) -> list[Any]:
    """Return the recorded skeletons, which come packet by packet."""
    return [pose for topic, _, message in read(bag) if topic == SKELETONS
            for pose in message.skeletons]


def states_segments(bag: Path) -> set[str]:
    """Return the names of the segments of the recorded states."""
    return {message.segment for topic, _, message in read_by_rosbags(bag)
            if topic.endswith(STATE)}


READERS = pytest.mark.parametrize('read', (read_by_mcap, read_by_rosbags))


@READERS
def test_the_bag_holds_what_the_report_counts(played, read):
    messages = Counter(topic for topic, _, _ in read(played.bag))
    assert messages == played.report['messages']
    told = played.report['recorder']['messages']
    assert told == {topic: messages[topic] for topic in told}
    assert messages['/event_camera/events'] == played.report['packets']
    assert 0 < messages[SKELETONS] <= len(poses(read, played.bag)) == played.report['poses']
    assert messages[STATE] == played.report['states'] > 0
    assert messages['/skeleton_markers/markers'] > 0
    assert messages['/diagnostics'] > 0


@READERS
def test_every_topic_has_the_type_that_the_graph_promises(played, read):
    for topic, kind, _ in read(played.bag):
        assert kind == TOPICS[topic]


@READERS
def test_skeletons_come_at_the_configured_rate_with_rising_sensor_stamps(played, read):
    skeletons = poses(read, played.bag)
    steps_us = np.diff([skeleton.sensor_time_us for skeleton in skeletons])
    assert (steps_us > 0).all() and (steps_us % STEP_US == 0).all()
    assert steps_us.min() == STEP_US
    assert {skeleton.step_us for skeleton in skeletons} == {STEP_US}
    # On a busy machine bins are left out; all of them are accounted for.
    assert sum(steps_us // STEP_US - 1) == played.report['missing_poses']


@READERS
def test_joints_are_numbers_and_say_whether_they_mean_anything(played, read):
    trained = bool(shipped('edge').card.get('trained'))
    for pose in poses(read, played.bag):
        assert len(pose.x_px) == len(pose.confidence) == 13
        assert np.isfinite([*pose.x_px, *pose.y_px, *pose.confidence]).all()
        assert pose.trained == trained
    assert played.report['trained'] == trained


def test_both_readers_read_the_same_joints(played):
    first, second = ([(pose.sensor_time_us, *map(float, pose.x_px))
                      for pose in poses(read, played.bag)]
                     for read in (read_by_mcap, read_by_rosbags))
    assert first == second


def test_every_node_is_heard_on_diagnostics(played):
    names = {status.name for topic, _, message in read_by_rosbags(played.bag)
             if topic == '/diagnostics' for status in message.status}
    assert names == {spec.name for spec in graph(driver='player', values={'record': 'bag'})}


def test_the_demo_leaves_plots_and_the_report_that_it_prints(played):
    assert (played.output / 'run.png').stat().st_size > 10_000
    assert {name: played.printed[name] for name in played.report} == played.report
    assert (played.report['bad_packets'], played.report['cut_short']) == (0, '')
    assert not any(played.report['restarts'].values())


def test_shared_memory_is_clean_behind_the_demo(played):
    used = states_segments(played.bag)
    assert used and not used & segments()


def test_a_recording_that_is_not_there_is_one_line(tmp_path):
    process = finished(HYBRID_POSE, 'demo', '--recording', tmp_path / 'none.raw',
                       '--output', tmp_path / 'out')
    assert process.returncode == 1
    assert process.stderr == f'hybrid-pose demo: {tmp_path / "none.raw"} does not exist\n'


def test_up_takes_its_nodes_along_when_it_is_terminated(tmp_path):
    with started(HYBRID_POSE, 'up', '--driver', 'player', '--duration-s', '0',
                 cwd=tmp_path) as process:
        ready = set()
        while len(ready) < 4:  # their log is up's own
            line = process.stderr.readline()
            assert line, 'up has ended'
            ready |= set(re.findall(r'\[(\w+)\]: (?:ready|playing)', line))
        nodes = psutil.Process(process.pid).children()
        process.terminate()
        _, log = process.communicate()
    assert len(nodes) == 4 and not any(node.is_running() for node in nodes)
    assert process.returncode == 0 and 'Traceback' not in log


@needs_recordings
def test_a_real_recording_is_played_to_its_last_event(tmp_path):
    bag = EVENTS / 'bags' / 'libcaer_cmp_davis346'
    truth = json.loads((bag / 'ground_truth.json').read_text())
    report = demo(tmp_path / 'out', '--recording', str(bag))
    # Best effort: a machine that does much else may lose one, and then it is told.
    assert report['packets'] + report['lost_packets'] == truth['num_messages']
    assert report['events'] == truth['num_events'] or report['lost_packets']
    assert (report['width'], report['height']) == (truth['width'], truth['height'])
    assert report['poses'] > 0 and report['sensor_stamps_monotonic']


def test_two_cameras_see_one_person_in_one_command(tmp_path):
    """Two players that begin together, two graphs, one triangulator; all of it recorded."""
    report = demo(tmp_path / 'out', '--cameras', '2', '--duration', '1', '--rate', '0.25')
    assert set(report['cameras']) == {'dhp19_2', 'dhp19_3'}
    for name, one in report['cameras'].items():
        assert one['step_us'] == STEP_US
        assert one['poses'] > 0 and one['mpjpe_px'] < 30
        assert one['messages'][f'/{name}/event_camera/events'] == one['packets'] > 0
        assert not any(f'/{other}/' in topic for topic in one['messages']
                       for other in report['cameras'] if other != name)
    world = report['world']
    assert world['poses'] > 0 and world['share_of_joints'] > 0 and world['cameras_used'] == 2
    assert 0 < world['median_mm'] < 300  # of the truth that the players sent, 3 m away
    assert set(world['camera_missing']) == {'dhp19_2', 'dhp19_3'}
    assert not any(report['restarts'].values())
    used = {segment for path in (tmp_path / 'out' / 'bags').glob('**/metadata.yaml')
            for segment in states_segments(path.parent)}
    assert used and not used & segments()
    assert json.loads((tmp_path / 'out' / 'report.json').read_text())['world'] == world


@pytest.mark.parametrize('cameras, cores, step_us, rate', (
    (2, 4, 1_000, 1), (2, 3, 4_000, 1 / 4), (2, 2, 4_000, 1 / 4), (2, 1, 10_000, 1 / 16),
    (4, 8, 1_000, 1), (4, 2, 10_000, 1 / 16)))
def test_several_cameras_take_longer_and_slower_steps_where_cores_are_few(
        cameras, cores, step_us, rate):
    assert share_of_machine(cameras, cores) == (step_us, rate)


@pytest.mark.parametrize('arguments, said', (
    (['--cameras', '3'], 'there is no rig of 3 cameras: choose 2 or 4'),
    (['--cameras', '2', '--recording', '.'], 'no takes found in'),
    (['--cameras', '2', '--duration', '0'], '--duration 0 with several cameras must be above 0 s'),
    (['--cameras', '2', '--seed', 'x'], "seed of event_player must be of type int, not 'x'")))
def test_cameras_that_there_are_not_are_told_in_one_line(tmp_path, arguments, said):
    process = finished(HYBRID_POSE, 'demo', *arguments, cwd=tmp_path)
    assert process.returncode == 1
    line, = process.stderr.splitlines()
    assert line.startswith('hybrid-pose demo: ') and said in line
