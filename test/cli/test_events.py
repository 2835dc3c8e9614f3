# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
from bag_files import a_packet, packet_messages, write_mcap
from shared_data import ground_truths, needs_recordings

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.recordings.hdf5 import Hdf5Writer

TRUTHS = ground_truths()


def events(capsys, *arguments):
    """Return what the verb prints for machines."""
    assert main(['events', *map(str, arguments), '--json']) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@needs_recordings
@pytest.mark.parametrize('name', TRUTHS)
def test_the_numbers_of_a_real_recording_are_its_ground_truth(capsys, name):
    path, truth = TRUTHS[name]
    result = events(capsys, path)
    expected = {'width': 'width', 'height': 'height', 'encoding': 'encoding',
                'count': 'num_events', 'first_t_us': 'first_t_us', 'last_t_us': 'last_t_us',
                'on': 'num_on', 'off': 'num_off', 'sum_x': 'sum_x', 'sum_y': 'sum_y'}
    assert {key: result[key] for key in expected} == {
        key: truth[name] for key, name in expected.items()}
    assert result['triggers'] == truth.get('num_triggers', 0)
    assert result.get('packets') == truth.get('num_messages')
    assert result.get('lost_packets') == truth.get('seq_gaps')


def test_lost_packets_of_a_bag_are_counted(capsys, tmp_path):
    write_mcap(tmp_path / 'a.mcap', packet_messages([a_packet(seq) for seq in (0, 1, 4)]))
    result = events(capsys, tmp_path)
    assert (result['count'], result['packets'], result['lost_packets']) == (3, 3, 2)


def test_what_can_be_read_is_counted_and_the_rest_is_one_line_and_exit_status_1(capsys, tmp_path):
    """Of a split bag with one broken file nothing was counted."""
    for index in range(2):
        write_mcap(tmp_path / f'a_{index}.mcap', packet_messages([a_packet(index)]))
    (tmp_path / 'a_2.mcap').write_bytes(b'')
    for arguments in ([], ['--json']):
        assert main(['events', str(tmp_path), *arguments]) == 1
        printed = capsys.readouterr()
        assert printed.err == f'hybrid-pose events: {tmp_path}/a_2.mcap is empty\n'
    result = json.loads(printed.out)
    assert (result['count'], result['damage']) == (2, f'{tmp_path}/a_2.mcap is empty')


def test_a_recording_without_events_has_no_first_time(capsys, tmp_path):
    path = tmp_path / 'a.raw'
    path.write_bytes(b'% evt 3.0\n% geometry 640x480\n')
    result = events(capsys, path)
    assert (result['count'], result['first_t_us'], result['sum_x']) == (0, None, 0)


def test_the_topic_is_chosen_by_name(capsys, tmp_path):
    write_mcap(tmp_path / 'a.mcap', packet_messages([a_packet(0)], '/left')
               + packet_messages([a_packet(0), a_packet(1)], '/right'))
    assert events(capsys, tmp_path, '--topic', '/right')['count'] == 2


def test_a_rate_does_not_count_gaps_which_are_reported(capsys, tmp_path):
    """A thousand events in 1 s, ten minutes without any, and a thousand in 1 s."""
    seconds = np.arange(2000) // 1000
    events = event_array(np.arange(2000) % 1000 * 1000 + seconds * 601_000_000, *[seconds] * 3)
    with Hdf5Writer(tmp_path / 'a.h5', width=9, height=9) as writer:
        writer.append(events)
    assert main(['events', str(tmp_path / 'a.h5')]) == 0
    out = capsys.readouterr().out
    assert 'duration  601.999000 s' in out
    assert 'rate  0.001 million events per second, gaps not counted' in out
    assert 'gaps  600.0 s without events at 1.0 s\n' in out


def test_people_get_a_line_for_each_number(capsys, tmp_path):
    write_mcap(tmp_path / 'a.mcap', packet_messages([a_packet(0), a_packet(1)]))
    assert main(['events', str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert 'count  2' in out and 'encoding  evt3' in out


@pytest.mark.parametrize('arguments', [['gone.raw'], ['.', '--topic', '/events']])
def test_a_mistake_is_one_line_and_exit_status_1(capsys, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    assert main(['events', *arguments]) == 1
    printed = capsys.readouterr()
    assert printed.out == ''
    assert printed.err.startswith('hybrid-pose events: ') and printed.err.count('\n') == 1
