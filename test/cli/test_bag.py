# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags as our recorder leaves them, evaluated."""

import json

import numpy as np
import pytest
from bag_files import EVENT_PACKET, a_packet, packet_messages, write_mcap
from labeled_clips import HEIGHT, WIDTH, circling_clip
from run_bags import EVENTS, PACKET_US, diagnostics, odd_bag, skeleton, write_bag

from hybrid_pose_ros.cli import bag as bag_verb
from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.clock import EVT3_PERIOD_US
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.recorded_runs.bag_report import sides
from hybrid_pose_ros.recorded_runs.run_report import run_report
from hybrid_pose_ros.recordings.event_packet_cdr import EVENT_TYPES
from hybrid_pose_ros.recordings.event_times import EventTimes
from hybrid_pose_ros.recordings.hdf5 import Hdf5Writer
from hybrid_pose_ros.recordings.pose_topics import DIAGNOSTICS, SKELETON, STATE, TRUTH, TYPES

@pytest.fixture(scope='module')
def clip():
    return circling_clip(duration_ms=640, events_ms=20)


@pytest.fixture(scope='module')
def bag(tmp_path_factory, clip):
    return write_bag(tmp_path_factory.mktemp('bags') / 'run', clip)


def evaluated(capsys, *arguments):
    """Return what the verb prints for machines."""
    assert main(['bag', *map(str, arguments), '--rows', 'hybrid', '--json']) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def refused(capsys, *arguments):
    """Return the one line with which the verb refuses."""
    assert main(['bag', *map(str, arguments)]) == 1
    printed = capsys.readouterr()
    assert printed.out == '' and printed.err.count('\n') == 1
    return printed.err


@pytest.mark.parametrize('against, said', (
    ('nope', 'nope does not exist: --against takes a bag or weights'),
    ('text.safetensors', 'text.safetensors cannot be read as safetensors'),
    ('text.mcap', 'text.mcap')))
def test_what_a_bag_is_compared_with_is_read_before_the_tracker_runs(capsys, bag, tmp_path,
                                                                     monkeypatch, against, said):
    for name in ('text.safetensors', 'text.mcap'):
        (tmp_path / name).write_text('text')
    monkeypatch.setattr(bag_verb, '_evaluated', lambda *_: pytest.fail('evaluated'))
    assert said in refused(capsys, bag, '--against', tmp_path / against)


def test_the_tables_are_there_though_the_disk_fills_up_while_the_video_is_written(
        capsys, bag, tmp_path, monkeypatch):
    """OpenCV printed an error for each frame, and the tables were lost."""
    def full(folder, _=0):
        raise InputError(f'{folder} cannot be written')

    monkeypatch.setattr('hybrid_pose_ros.recorded_runs.video.check_space', full)
    assert main(['bag', str(bag), '--no-re-run', '--output', str(tmp_path / 'out')]) == 1
    printed = capsys.readouterr()
    assert 'recorded poses' in printed.out
    assert printed.err == f'hybrid-pose bag: {tmp_path}/out cannot be written\n'


def test_recorded_poses_have_the_numbers_of_the_live_report(capsys, bag):
    result, live = evaluated(capsys, bag, '--no-re-run'), run_report(bag)
    assert result['run'] == live
    assert round(result['errors']['recorded']['mpjpe_px'], 3) == live['mpjpe_px']
    assert live['mpjpe_px'] == pytest.approx(6.0, abs=0.1)


def test_a_bag_gives_the_same_numbers_twice(capsys, bag):
    first, second = (evaluated(capsys, bag) for _ in range(2))
    assert first == second
    assert first['errors']['re_run']['mpjpe_px'] > 0
    assert first['evaluation']['rows']['hybrid']['mpjpe_px'] > 0


def test_of_several_cameras_in_a_bag_each_is_evaluated_by_itself(capsys, tmp_path, bag, clip):
    """Poses of all of them used to be taken for one camera's."""
    both = write_bag(tmp_path / 'both', clip, cameras=('/left', '/right'))
    left, right = (evaluated(capsys, both, '--no-re-run', '--topic', f'{side}{EVENTS}')
                   for side in ('/left', '/right'))
    alone = evaluated(capsys, bag, '--no-re-run')
    assert left['errors'] == alone['errors']
    for name in ('packets', 'events', 'lost_packets', 'poses', 'missing_poses', 'mpjpe_px'):
        assert left['run'][name] == alone['run'][name], name
    assert right['run']['poses'] == left['run']['poses']
    assert right['run']['mpjpe_px'] == pytest.approx(left['run']['mpjpe_px'] / 2, abs=0.01)
    assert '/left/event_camera/events' in refused(capsys, both)


def test_a_report_of_several_cameras_needs_one_of_them(tmp_path, clip):
    both = write_bag(tmp_path / 'both', clip, cameras=('/left', '/right'))
    with pytest.raises(InputError, match=r'of several cameras \(/left, /right\)'):
        run_report(both)


def test_truth_may_be_in_a_file(capsys, tmp_path, clip):
    path = tmp_path / 'truth.h5'
    with Hdf5Writer(path, width=WIDTH, height=HEIGHT) as writer:
        writer.append(clip.events)
        writer.append_labels(clip.label_us, clip.joints_px + 0.5,
                             np.zeros((*clip.visible.shape, 3)), clip.visible)
    bag = write_bag(tmp_path / 'run', clip, truth=False)
    result = evaluated(capsys, bag, '--truth', path, '--no-re-run')
    errors = result['errors']['recorded']
    assert errors['instants'] == result['run']['poses']
    assert errors['mpjpe_px'] == pytest.approx(5.6, abs=0.05)
    assert errors['pck_10px'] == 1.0


def test_without_truth_there_are_rates_and_latencies(capsys, tmp_path, clip):
    result = evaluated(capsys, write_bag(tmp_path / 'run', clip, truth=False))
    assert result['truth'] is None and result['errors'] == {} and 'evaluation' not in result
    assert result['run']['latency_ms']['compute']['p50'] == 0.5
    assert result['re_run']['poses'] > 100 and result['same_instants']['instants'] > 100


def test_without_skeletons_only_the_re_run_is_scored(capsys, tmp_path, clip):
    bag = write_bag(tmp_path / 'run', clip, poses=False)
    assert list(evaluated(capsys, bag)['errors']) == ['re_run']
    assert 'has no skeletons' in refused(capsys, bag, '--no-re-run')


def test_two_bags_are_compared_in_one_report(capsys, tmp_path, bag, clip):
    other = write_bag(tmp_path / 'other', clip, since_us=300_000)
    result = evaluated(capsys, bag, '--against', other, '--output', tmp_path / 'out')
    assert result['against']['run']['poses'] < result['run']['poses']
    assert result['against']['re_run'] == result['re_run']
    page = (tmp_path / 'out' / 'report.html').read_text()
    assert 'run against other' in page and page.count('data:image/png') > 4
    assert (tmp_path / 'out' / 'skeleton.mp4').stat().st_size > 0
    assert (tmp_path / 'out' / 'against' / 'skeleton.mp4').exists()


def test_two_checkpoints_are_compared_on_one_bag(capsys, tmp_path, bag):
    path = tmp_path / 'random.safetensors'
    untrained(preset('edge')).save(path)
    result = evaluated(capsys, bag, '--against', path)
    assert result['against']['errors']['recorded'] == result['errors']['recorded']
    assert result['against']['errors']['re_run'] != result['errors']['re_run']
    assert list(sides(result)) == ['shipped edge', 'random.safetensors']


def test_people_get_tables(capsys, bag):
    assert main(['bag', str(bag), '--no-re-run']) == 0
    out = capsys.readouterr().out
    assert 'recorded poses' in out and 'live report, error [px]' in out and 'jitter' in out


def test_differences_do_not_reach_across_missing_poses(capsys, tmp_path, clip):
    """Every 200 ms a pose with truth is missing: the next one is 8 ms later, not 4."""
    bag = write_bag(tmp_path / 'run', clip)
    errors = evaluated(capsys, bag, '--no-re-run')['errors']['recorded']
    assert errors['stride_us'] == PACKET_US
    assert errors['velocity_error_px_s'] == pytest.approx(4.0 / 0.004, rel=1e-3)


def test_a_bag_that_is_cut_short_is_refused_or_taken_in_part(capsys, tmp_path, bag):
    whole, = bag.glob('*.mcap')
    cut = tmp_path / 'cut.mcap'
    cut.write_bytes(whole.read_bytes()[:-whole.stat().st_size // 4])
    line = refused(capsys, cut, '--no-re-run')
    assert 'truncated' in line


def test_what_is_whole_of_a_cut_bag_is_evaluated_on_request(capsys, tmp_path):
    messages = packet_messages([a_packet(seq) for seq in range(50)]) + [
        (SKELETON, 'hybrid_pose_ros/msg/Skeleton2D', 1_800_000_000_000_000_000 + stamp_us,
         skeleton(stamp_us, np.zeros((13, 2)), np.ones(13)))
        for stamp_us in range(1000, 90_000, 1000)]
    path = write_mcap(tmp_path / 'a.mcap', messages, finish=False, chunk_size=2000)
    path.write_bytes(path.read_bytes()[:-700])
    assert '--partial evaluates the intact part' in refused(capsys, path, '--no-re-run')
    result = evaluated(capsys, path, '--no-re-run', '--partial')
    assert result['run']['cut_short'] and 0 < result['run']['poses'] < 89


@pytest.mark.parametrize('messages, reason', [
    ([('/a', 'std_msgs/msg/String', 1, b'\0\1\0\0')], 'has no event packets'),
    (packet_messages([a_packet(0, payload=b'')]), 'no event'),
    (packet_messages([a_packet(0), a_packet(1)]), 'the tracker needs 0.5 s'),
])
def test_a_bag_without_enough_events_is_refused(capsys, tmp_path, messages, reason):
    assert reason in refused(capsys, write_mcap(tmp_path / 'a.mcap', messages))


def test_of_a_split_bag_with_a_broken_file_the_rest_is_evaluated_on_request(
        capsys, tmp_path, bag):
    """It was refused with --partial, too."""
    split = tmp_path / 'split'
    split.mkdir()
    whole, = bag.glob('*.mcap')
    for name, content in (('b_0.mcap', b''), ('b_1.mcap', whole.read_bytes())):
        (split / name).write_bytes(content)
    assert 'b_0.mcap is empty; --partial evaluates' in refused(capsys, split, '--no-re-run')
    result = evaluated(capsys, split, '--no-re-run', '--partial')
    assert result['run']['cut_short'] == f'{split}/b_0.mcap is empty'
    assert result['errors'] == evaluated(capsys, bag, '--no-re-run')['errors']


def test_a_wrong_file_is_refused(capsys, tmp_path):
    path = tmp_path / 'a.mcap'
    path.write_bytes(b'nothing of the kind')
    assert 'is not a bag file' in refused(capsys, path)
    assert 'does not exist' in refused(capsys, tmp_path / 'gone')


def test_a_truth_of_another_sensor_or_time_is_refused(capsys, tmp_path, bag, clip):
    for name, width, later_us, reason in (('a', WIDTH + 2, 0, 'px, the bag for'),
                                          ('b', WIDTH, 10**7, 'from another time')):
        path = tmp_path / f'{name}.h5'
        with Hdf5Writer(path, width=width, height=HEIGHT) as writer:
            writer.append_labels(clip.label_us + later_us, clip.joints_px,
                                 np.zeros((*clip.visible.shape, 3)), clip.visible)
        assert reason in refused(capsys, bag, '--truth', path)


def without_names(result):
    """Return what is printed of a bag without the names of files."""
    return {name: value for name, value in result.items() if name not in ('bag', 'truth')} | {
        'run': {name: value for name, value in result['run'].items() if name != 'mib_per_minute'}}


@pytest.mark.parametrize('turns', [1, -2])
def test_poses_of_a_tracker_in_another_turn_give_the_figures_of_the_events_turn(
        capsys, tmp_path, bag, clip, turns):
    """Tracker and player count EVT3's turns from their own start, the bag from its first event."""
    other = write_bag(tmp_path / 'run', clip, turns=lambda stamp_us: (turns, 2 * turns))
    assert without_names(evaluated(capsys, other)) == without_names(evaluated(capsys, bag))


def test_the_bins_of_a_re_run_are_those_of_the_recorded_tracker(capsys, tmp_path, bag, clip):
    """A turn is 216 us longer than whole bins: a tracker in another turn has other bins."""
    other = write_bag(tmp_path / 'run', clip, phase_us=EVT3_PERIOD_US % 1000)
    result, whole = evaluated(capsys, other), evaluated(capsys, bag)
    assert without_names(result) == without_names(whole)
    assert result['same_instants']['instants'] > 300


def test_poses_of_a_tracker_that_began_again_in_another_turn_are_those_of_one_turn(
        capsys, tmp_path, bag, clip):
    other = write_bag(tmp_path / 'other', clip, turns=lambda stamp_us: (stamp_us > 300_000, 0))
    result, whole = (evaluated(capsys, one, '--no-re-run') for one in (other, bag))
    assert without_names(result) == without_names(whole)
    assert result['run']['sensor_stamps_monotonic']


def write_truth(path, clip, later_us=0):
    with Hdf5Writer(path, width=WIDTH, height=HEIGHT) as writer:
        writer.append_labels(clip.label_us + later_us, clip.joints_px + 0.5,
                             np.zeros((*clip.visible.shape, 3)), clip.visible)
    return path


def test_a_truth_some_turns_later_gives_the_figures_of_one_on_the_bags_time(
        capsys, tmp_path, bag, clip):
    here, there = (
        evaluated(capsys, bag, '--no-re-run', '--truth',
                  write_truth(tmp_path / f'{turns}.h5', clip, turns * EVT3_PERIOD_US))
        for turns in (0, 3))
    assert here.pop('turn_of_truth') == ''
    assert there.pop('turn_of_truth') == 'moved by -3 periods of 16.777 s'
    assert without_names(here) == without_names(there)


def test_a_pause_of_ten_minutes_costs_no_more_than_a_gap_that_is_kept(capsys, tmp_path, bag, clip):
    """The recorder was paused after 320 ms; sensor and tracker went on."""
    paused = write_bag(tmp_path / 'paused', clip, pause_us=600_000_000)
    result, whole = evaluated(capsys, paused), evaluated(capsys, bag)
    assert result['run']['gaps'] == '600.0 s without events at 0.3 s: skipped'
    assert result['evaluation']['gaps'] == {}  # they are closed before
    errors, errors_whole = (side['errors']['recorded'] for side in (result, whole))
    for name in ('instants', 'joints', 'mpjpe_px', 'median_px', 'pck_10px'):
        assert errors[name] == errors_whole[name]
    assert errors['mpjpe_px_latency_aware'] == pytest.approx(
        errors_whole['mpjpe_px_latency_aware'], rel=0.02)  # nothing is known within the gap
    longer_s = result['seconds_of_events'] - whole['seconds_of_events']
    assert 1.9 < longer_s < 3.1
    scored, scored_whole = (side['evaluation']['scored'] for side in (result, whole))
    assert 0 <= scored['seconds'] - scored_whole['seconds'] < 3.1
    assert 300 < result['re_run']['poses'] <= whole['re_run']['poses']


def test_a_bag_whose_poses_are_all_left_out_says_why(capsys, tmp_path):
    messages = packet_messages([a_packet(0)]) + [(SKELETON, TYPES[SKELETON], 2**60, b'')]
    line = refused(capsys, write_mcap(tmp_path / 'a.mcap', messages), '--no-re-run')
    assert f'without a rerun; messages left out: 1 of {SKELETON}: 0 bytes are not' in line


STRING = 'std_msgs/msg/String', b'\0\1\0\0\2\0\0\0a\0'


@pytest.mark.parametrize('odd, line', [
    (('/chatter', *STRING), ''),
    ((SKELETON, *STRING), f'160 of {SKELETON}: type std_msgs/msg/String, expected hybrid'),
    ((TRUTH, TYPES[TRUTH], b'\0\1\0\0'), f'160 of {TRUTH}: 4 bytes are not a hybrid'),
    ((STATE, TYPES[STATE], b''), f'160 of {STATE}: 0 bytes'),
    ((DIAGNOSTICS, TYPES[DIAGNOSTICS], diagnostics('battery', power_mw='n/a')), ''),
    ((DIAGNOSTICS, TYPES[DIAGNOSTICS], diagnostics('snn_tracker', power_mw='n/a')),
     f'160 of {DIAGNOSTICS}: snn_tracker: could not convert'),
    ((EVENTS, EVENT_PACKET, b'\0\1\0\0'), f'160 of {EVENTS}: message of 4 bytes'),
])
def test_odd_messages_change_no_figure_and_are_counted(tmp_path, clip, bag, odd, line):
    """Each of them was a traceback."""
    path = odd_bag(tmp_path / 'odd.mcap', clip, [odd])
    report, whole = run_report(path), run_report(bag)
    assert report.pop('bad_messages').startswith(line) and whole.pop('bad_messages') == ''
    assert bool(line) == bool(run_report(path)['bad_messages'])
    for figures in (report, whole):
        del figures['messages'], figures['mib_per_minute']
    assert report == whole


def test_times_far_from_all_events_are_of_another_run():
    times = EventTimes()
    times.add(0, 'mono', np.array([0, 640_000]))
    near = times.near(np.array([-60_000_001, -60_000_000, 60_640_000, 60_640_001, 2**50]))
    assert near.tolist() == [False, True, True, False, False]
    assert EventTimes().near(np.array([2**50])).all()  # without events nothing is known


@pytest.mark.parametrize('kind', EVENT_TYPES)
def test_events_of_every_name_of_their_type_are_evaluated(tmp_path, clip, bag, kind):
    path = odd_bag(tmp_path / 'old.mcap', clip, [], kind_of_events=kind)
    report, whole = run_report(path), run_report(bag)
    assert (report['packets'], report['mpjpe_px']) == (whole['packets'], whole['mpjpe_px'])
