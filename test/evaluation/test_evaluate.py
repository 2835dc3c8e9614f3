# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of rows, with networks whose behavior is known."""

import copy
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from labeled_clips import HEIGHT, WIDTH, circling_clip

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.evaluate import differences, evaluate, gap_closed, ratios
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.evaluation.outcome import ROWS, run_recording
from hybrid_pose_ros.evaluation.schedule import make_schedule
from hybrid_pose_ros.evaluation.sweeps import SWEEPS, sweep
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.recordings.hdf5 import Hdf5Writer
from hybrid_pose_ros.recordings.labeled import load_seen
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.offline import RecordingAnn
from hybrid_pose_ros.tracking.state_producer import StateProducer, next_due_us

NEEDED = {'mpjpe_px', 'median_px', 'mpjpe_px_by_step', 'mpjpe_px_latency_aware', 'energy',
          'pck_10px', 'velocity_error_px_s', 'acceleration_error_px_s2'}


def write(path, clip, **changed):
    """Write a clip as a file; `changed` replaces fields of it."""
    clip = clip._replace(**changed)
    with Hdf5Writer(path, width=WIDTH, height=HEIGHT) as writer:
        writer.append(clip.events)
        writer.append_labels(clip.label_us, clip.joints_px + 0.5,
                             np.zeros((*clip.visible.shape, 3)), clip.visible)
    return path


@pytest.fixture(scope='module')
def clip():
    return circling_clip(events_ms=20)


@pytest.fixture(scope='module')
def recording(clip):
    return clip


@pytest.fixture(scope='module')
def random_weights():
    return untrained(preset('edge'))


@pytest.fixture(scope='module')
def mute():
    """Return weights whose SNN says nothing and whose ANN pose does not fade."""
    checkpoint = copy.deepcopy(untrained(preset('edge')))
    checkpoint.tensors['snn.output.weight'][...] = 0
    checkpoint.tensors['snn.output.log_tau_held_us'] = np.float32(np.log(1e15)).reshape(())
    return checkpoint


@pytest.fixture(scope='module')
def table(random_weights, recording):
    return evaluate(random_weights, [recording])


def outcome(checkpoint, recording, rows=('hybrid',), **changes):
    return run_recording(checkpoint, checkpoint, recording, EvaluationParams(**changes), rows)


def test_every_row_has_its_errors_and_its_energy_as_json(table):
    table = json.loads(json.dumps(table))
    assert list(table['rows']) == list(ROWS)
    for name, row in table['rows'].items():
        assert NEEDED <= set(row), name
        assert row['mpjpe_px'] > 0 and row['instants_without_pose'] == 0
        assert len(row['mpjpe_px_by_step']) == 34  # 30 Hz: 33 or 34 steps of 1 ms
        assert None not in row['mpjpe_px_by_step'] or name == 'ann'
        for count in ('paper', 'honest'):
            for node in ('45nm', '7nm'):
                assert row['energy'][count][node]['mw'] >= 0


def test_a_mute_snn_holds_the_pose_of_the_ann(mute, recording):
    found = outcome(mute, recording, rows=('hybrid_unfused',)).instants.found
    np.testing.assert_allclose(found['hybrid_unfused'], found['ann_held'], atol=0.02)


def test_a_late_state_put_in_as_it_is_serves_from_when_it_arrives(mute, recording):
    found = outcome(mute, recording, rows=('hybrid_unfused',), ann_delay_us=21_000,
                    replay=False).instants.found
    np.testing.assert_allclose(found['hybrid_unfused'], found['ann_held'], atol=0.02)


def test_a_late_state_that_is_replayed_takes_over_when_it_has_caught_up(mute, recording):
    """A state 45 ms late: 40 bins in four long steps, then the rest in one, and the newest."""
    result = outcome(mute, recording, rows=('hybrid_unfused',), ann_delay_us=45_000)
    found = result.steps.found
    agree = (np.abs(found['hybrid_unfused'] - found['ann_held']) < 0.02).all(axis=(1, 2))
    step = result.steps.truth.step
    assert agree[step > 1].all() and not agree[step <= 1].any()


def test_without_state_initialization_only_the_heatmap_is_of_the_ann(random_weights,
                                                                    recording):
    """With a heatmap of 0 from the ANN both hybrids without it are the windowed SNN."""
    blind = copy.deepcopy(random_weights)
    for name in list(blind.tensors):
        if name.startswith('ann.output'):
            blind.tensors[name][...] = 0
    found = outcome(blind, recording, rows=('hybrid_no_state_init', 'snn_windowed'),
                    quiet_events_per_s=0.0).instants.found
    np.testing.assert_array_equal(found['hybrid_no_state_init'], found['snn_windowed'])


def test_membranes_and_heatmap_of_the_ann_are_told_apart(random_weights, recording):
    rows = tuple(row for row in ROWS if row != 'ann')  # a pass at every step, not compared here
    found = outcome(random_weights, recording, rows=rows).instants.found
    for row in ('hybrid_no_state_init', 'hybrid_no_output_init', 'snn_windowed', 'ann_held'):
        assert np.abs(found['hybrid'] - found[row]).mean() > 0.05, row
    assert np.abs(found['snn_windowed'] - found['snn_streaming']).mean() > 0.05


def test_the_offline_ann_sees_what_the_node_sees(random_weights, recording):
    """The node's frame ends with the last bin that an event has completed."""
    at_us = 300_000
    until = int(np.searchsorted(recording.events['t'], at_us)) + 1
    producer = StateProducer(random_weights, InitializerParams(), WIDTH, HEIGHT)
    producer.append(recording.events[:until])
    expected = {name: np.empty(shape, np.float32) for name, shape in producer.layout.items()}
    producer.run_into(producer.frame(), expected)
    state = RecordingAnn(random_weights, recording).state_at(at_us)
    for name in expected:
        np.testing.assert_array_equal(state.tensors[name], expected[name])


def test_ann_at_every_step_is_the_held_ann_where_it_looks_at_every_step(random_weights,
                                                                      recording):
    """Held poses are of the step before: at a rate of one look a step they are one step old."""
    result = outcome(random_weights, recording, rows=('ann',), step_us=10_000, ann_rate_hz=100.0)
    np.testing.assert_array_equal(result.instants.found['ann_held'][1:],
                                  result.instants.found['ann'][:-1])


def test_what_is_available_is_what_had_come_by_then(mute, recording):
    result = outcome(mute, recording, rows=('ann', 'hybrid'), step_us=10_000, ann_rate_hz=100.0,
                     ann_latency_us=25_000, pose_latency_us=10_000)
    found = result.instants.found
    # Asked every millisecond, of which each tenth is an instant.
    available = {row: poses[::10] for row, poses in result.available.found.items()}
    # Looks are every 10 ms, so that one that takes 25 ms is there 30 ms later.
    np.testing.assert_array_equal(available['ann_held'][3:], found['ann'][:-3])
    # One pass after another: they begin every 30 ms.
    assert np.isnan(available['ann'][:3]).all()
    np.testing.assert_array_equal(available['ann'][3:6], found['ann'][[0, 0, 0]])
    np.testing.assert_array_equal(available['ann'][6], found['ann'][3])


def test_a_pose_is_there_when_it_has_been_computed(mute, recording):
    result = outcome(mute, recording, step_us=10_000, ann_rate_hz=20.0, ann_latency_us=0,
                     pose_latency_us=10_000)
    asked, found = result.available.found['hybrid'], result.instants.found['hybrid']
    np.testing.assert_array_equal(asked[10::10], found[:-1])
    np.testing.assert_array_equal(asked[19:-1:10], found[:-2])


def test_the_velocity_that_is_stated_is_compared_with_that_of_the_labels(mute, recording):
    """The joints circle once a second, 8 px from their centers: 50 px/s."""
    result = outcome(mute, recording, ann_rate_hz=5.0)
    speed = np.linalg.norm(result.true_velocity, axis=-1)
    np.testing.assert_allclose(speed, 16 * np.pi, rtol=1e-3)
    # With a mute SNN poses rest between two states, and so velocities are 0 in the end.
    resting = result.instants.truth.step > 150
    assert resting.any() and np.abs(result.velocity['hybrid'][resting]).max() < 1


def test_a_pause_after_the_first_event_does_not_keep_the_streaming_snn_from_starting(
        random_weights, recording):
    """A state of before the first complete bin was refused, and the row had no pose at all."""
    times_us = recording.events['t']
    late = recording._replace(events=recording.events[(times_us < 500) | (times_us > 8_000)],
                              label_us=recording.label_us + 1_000)
    found = outcome(random_weights, late, rows=('snn_streaming',)).instants.found['snn_streaming']
    assert np.isfinite(found).all()


def test_instants_meet_every_step_between_two_looks(recording):
    long = recording._replace(label_us=np.array([0, 3_000_000]),
                              joints_px=recording.joints_px[:2], visible=recording.visible[:2])
    for rate_hz, step_us in ((10.0, 1_000), (30.0, 1_000), (10.0, 2_000), (10.0, 10_000)):
        schedule = make_schedule(long, EvaluationParams(ann_rate_hz=rate_hz, step_us=step_us))
        due_us = [0]
        while due_us[-1] < 3_000_000:
            due_us.append(next_due_us(due_us[-1], rate_hz, step_us))
        since = (schedule.instants_us[:, None] - np.array(due_us)) // step_us
        steps = np.where(since > 0, since, 10 ** 9).min(axis=1)
        assert set(steps) >= set(range(1, int(1e6 / rate_hz) // step_us + 1))


DARK_US = 600_000_000


@pytest.mark.parametrize('labeled', [True, False])
def test_ten_dark_minutes_are_not_looked_at_scored_or_computed(mute, recording, labeled, capsys,
                                                              tmp_path):
    """Of a gap, 2 to 3 s are left; it is reported whether or not somebody was labeled in it."""
    middle_us = 300_000
    events = recording.events.copy()
    events['t'] += (events['t'] >= middle_us) * DARK_US
    label_us = recording.label_us + (recording.label_us >= middle_us) * DARK_US
    dark = recording._replace(events=events, label_us=label_us)
    if labeled:  # four times a second, at rest
        within_us = np.arange(middle_us, middle_us + DARK_US, 250_000)
        places = np.insert(np.arange(len(label_us)), 300, [300] * len(within_us))
        dark = dark._replace(label_us=np.insert(label_us, 300, within_us), **{
            name: getattr(recording, name)[places]
            for name in ('joints_px', 'visible', 'occluded')})
    found, whole = (outcome(mute, one) for one in (dark, recording))
    assert whole.gaps == '' and found.gaps == '600.0 s without events at 0.3 s: skipped'
    for view, longest in (('instants', 3_000), ('available', 3_001)):
        times_us, whole_us = (getattr(one, view).truth.stamps_us for one in (found, whole))
        step_us = whole_us[1] - whole_us[0]
        assert 0 < len(times_us) - len(whole_us) <= longest * 1000 // step_us + 1
    assert len(found.work['hybrid'].stamps_us) <= len(whole.work['hybrid'].stamps_us)
    path = write(tmp_path / 'dark.h5', dark)
    assert main(['evaluate', '--recording', str(path), '--rows', 'hybrid']) == 0
    assert 'dark: 600.0 s without events at 0.3 s: skipped' in capsys.readouterr().out


def test_a_label_at_a_time_that_is_far_away_costs_no_more_than_a_gap(mute, recording):
    """Its time was once taken as the end: work and memory for 30 years."""
    label_us = recording.label_us.copy()
    label_us[-1] += 10**15
    found = outcome(mute, recording._replace(label_us=label_us))
    assert found.gaps.startswith('1000000000.0 s without events at 0.6 s')
    assert len(found.available.truth.stamps_us) < 4_000


def test_workers_give_the_figures_of_one_process(random_weights, clip, tmp_path):
    paths = [write(tmp_path / f'{seed}.h5', circling_clip(seed, events_ms=20)) for seed in (0, 1)]
    params = EvaluationParams(step_us=5_000)
    alone = evaluate(random_weights, paths, params)
    names = []
    with ThreadPoolExecutor(2) as executor:
        together = evaluate(random_weights, paths, params, executor=executor,
                            progress=names.append)
    assert alone['rows'] == together['rows'] and sorted(names) == ['0', '1']
    assert alone['recordings'] == ['0', '1'] and len(
        alone['rows']['hybrid']['mpjpe_px_by_recording']) == 2


def test_ratios_are_of_the_hybrid_to_the_others():
    rows = {'hybrid': {'mpjpe_px': 3.0, 'mpjpe_px_latency_aware': 4.0, 'mpjpe_px_by_step': [2, 5]},
            'ann': {'mpjpe_px': 2.0, 'mpjpe_px_latency_aware': 8.0, 'mpjpe_px_by_step': [1, None]},
            'kalman': {'mpjpe_px': 6.0, 'mpjpe_px_latency_aware': None,
                       'mpjpe_px_by_step': [8, 10]}}
    assert ratios(rows) == {
        'hybrid_to_ann': 1.5, 'hybrid_to_ann_latency_aware': 0.5,
        'hybrid_to_ann_at_last_step': 2.5, 'hybrid_to_kalman': 0.5,
        'hybrid_to_kalman_at_last_step': 0.5}
    assert ratios({'ann': rows['ann']}) == {}


def test_the_gap_is_closed_as_far_as_the_hybrid_is_from_held_poses_to_the_ann():
    rows = {'ann': {'mpjpe_px': 6.0}, 'ann_held': {'mpjpe_px': 8.0},
            'hybrid_unfused': {'mpjpe_px': 6.5}, 'hybrid': {'mpjpe_px': 5.0}}
    assert gap_closed(rows) == 0.75
    assert gap_closed({name: row for name, row in rows.items() if name != 'ann'}) is None
    assert gap_closed(rows | {'ann_held': {'mpjpe_px': 6.0}}) is None


def test_differences_are_paired_by_recording():
    """1 and 3 px less: 2 in the mean, sqrt(2) px of spread, over sqrt(2) its error."""
    rows = {'kalman': {'mpjpe_px_by_recording': [10.0, 50.0]},
            'hybrid': {'mpjpe_px_by_recording': [9.0, 47.0]}}
    assert differences(rows) == {
        'hybrid_minus_kalman': {'mean_px': -2.0, 'standard_error_px': 1.0}}
    alone = {name: {'mpjpe_px_by_recording': row['mpjpe_px_by_recording'][:1]}
             for name, row in rows.items()}
    assert differences(alone)['hybrid_minus_kalman']['standard_error_px'] is None
    assert differences({'kalman': rows['kalman']}) == {}


def test_energy_follows_rates_and_parts(table, random_weights, recording):
    rows = {name: row['energy'] for name, row in table['rows'].items()}
    ann, held = (rows[name]['honest']['45nm']['mw'] for name in ('ann', 'ann_held'))
    assert held == pytest.approx(0.03 * ann, abs=1e-3)
    assert set(rows['hybrid']['paper']['7nm']['parts_mw']) == {'ann', 'heads', 'snn'}
    assert set(rows['hybrid_no_state_init']['honest']['7nm']['parts_mw']) == {'ann', 'snn'}
    assert set(rows['snn_streaming']['honest']['7nm']['parts_mw']) == {'snn'}
    assert rows['ann']['honest']['7nm']['saving_against_ann'] == 0
    assert rows['hybrid']['honest']['45nm']['mw'] > rows['hybrid']['paper']['45nm']['mw'] > held


def test_rows_that_cost_time_can_be_left_out(random_weights, recording):
    rows = evaluate(random_weights, [recording], EvaluationParams(step_us=10_000),
                    rows=('hybrid',))['rows']
    assert list(rows) == ['ann_held', 'constant_velocity', 'kalman', 'confidence_kalman',
                          'hybrid']


def test_a_sweep_is_an_evaluation_for_each_value(random_weights, recording):
    swept = sweep('step_rate', random_weights, [recording])
    assert [point['value'] for point in swept['points']] == list(SWEEPS['step_rate'].values)
    assert all(point['rows']['hybrid']['mpjpe_px'] > 0 for point in swept['points'])
    at_1000_hz = evaluate(random_weights, [recording], EvaluationParams(stride_us=10_000),
                          rows=('hybrid',))['rows']['hybrid']
    assert swept['points'][-1]['rows']['hybrid']['mpjpe_px'] == at_1000_hz['mpjpe_px']


def evaluate_by_cli(capsys, *arguments):
    """Return exit status, last line of stdout and stderr."""
    status = main(['evaluate', '--json', '--step-us', '10000', *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out.splitlines()[-1:], captured.err


def test_the_command_prints_the_rows_and_writes_a_report(clip, tmp_path, capsys):
    path = write(tmp_path / 'a.h5', clip)
    weights = tmp_path / 'weights.safetensors'
    untrained(preset('edge')).save(weights)
    status, (line,), _ = evaluate_by_cli(capsys, '--recording', path, '--checkpoint', weights,
                                         '--ann-rate-hz', 10, '--ann-delay-us', 20_000,
                                         '--output', tmp_path / 'out')
    result = json.loads(line)
    assert status == 0 and list(result['rows']) == list(ROWS) and not result['trained']
    assert 'not trained to run alone' in result['rows']['snn_streaming']['note']
    report = (tmp_path / 'out' / 'report.html').read_text()
    assert all(row in report for row in ROWS) and report.count('data:image/png') == 3
    assert json.loads((tmp_path / 'out' / 'result.json').read_text())['rows'] == result['rows']


def test_the_command_prints_a_table_for_people(clip, tmp_path, capsys):
    path = write(tmp_path / 'a.h5', clip)
    assert main(['evaluate', '--recording', str(path.parent), '--step-us', '10000', '--rows',
                 'ann,hybrid', '--sweep', 'no_init', '--max-s', '0.6']) == 0
    printed = capsys.readouterr().out
    assert all(row in printed for row in ('ann', 'ann_held', 'kalman', 'hybrid', 'no_init'))


def test_two_settings_are_swept_as_a_map(clip, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(SWEEPS, 'robustness', SWEEPS['robustness']._replace(
        values=((0.5, 0), (0.5, 3), (1, 0), (1, 3))))
    path = write(tmp_path / 'a.h5', clip)
    assert main(['evaluate', '--recording', str(path), '--step-us', '10000', '--rows', 'hybrid',
                 '--sweep', 'robustness', '--max-s', '0.6', '--output', str(tmp_path)]) == 0
    assert '0.5; 3' in capsys.readouterr().out
    points = json.loads((tmp_path / 'result.json').read_text())['sweeps'][0]['points']
    assert [point['value'] for point in points] == [[0.5, 0], [0.5, 3], [1, 0], [1, 3]]
    errors = [point['rows']['hybrid']['mpjpe_px'] for point in points]
    assert len(set(errors)) == 4
    assert (tmp_path / 'sweep_robustness.png').stat().st_size > 10_000


def broken(tmp_path, clip, what):
    """Return arguments that name a recording or weights with something wrong."""
    path = tmp_path / 'r.h5'
    if what == 'no labels':
        with Hdf5Writer(path, width=WIDTH, height=HEIGHT) as writer:
            writer.append(clip.events)
    elif what == 'no events':
        write(path, clip, events=clip.events[:0])
    elif what == 'nobody':
        write(path, clip, visible=np.zeros_like(clip.visible))
    elif what == 'too short':
        write(path, clip, label_us=clip.label_us[:100], joints_px=clip.joints_px[:100],
              visible=clip.visible[:100])
    elif what == 'too few events':
        write(path, clip, events=clip.events[::100])
    elif what != 'no file':
        write(path, clip)
    if what == 'another preset':
        untrained(preset('edge')).save(tmp_path / 'w.safetensors')
        return ['--recording', path, '--checkpoint', tmp_path / 'w.safetensors',
                '--preset', 'paper']
    if what == 'damaged':
        path.write_bytes(path.read_bytes()[:500])
    return ['--recording', path, *(['--rows', 'ann,best'] if what == 'unknown row' else []),
            *(['--sweep', 'color'] if what == 'unknown sweep' else [])]


@pytest.mark.parametrize(('what', 'words'), [
    ('no labels', 'no labels'), ('no events', 'is empty'), ('nobody', 'shows nobody'),
    ('too short', 'are needed'), ('too few events', 'too few events'), ('no file', 'no recording'),
    ('another preset', 'paper is configured'), ('damaged', 'is damaged'),
    ('unknown row', "row 'best'"), ('unknown sweep', "sweep 'color'")])
def test_a_mistake_is_one_line(tmp_path, clip, capsys, what, words):
    status, out, err = evaluate_by_cli(capsys, *broken(tmp_path, clip, what))
    assert status == 1 and not out
    assert err.count('\n') == 1 and words in err


def test_sensors_of_two_sizes_are_a_mistake(random_weights, recording):
    wider = recording._replace(width=WIDTH + 2)
    with pytest.raises(InputError, match='several sensor sizes'):
        evaluate(random_weights, [recording, wider], EvaluationParams(step_us=10_000),
                 rows=())


def test_labels_lie_half_a_pixel_from_the_centers_that_poses_count_from(clip, tmp_path):
    loaded = load_seen(write(tmp_path / 'a.h5', clip))
    np.testing.assert_allclose(loaded.joints_px, clip.joints_px, atol=1e-5)
    between, visible, occluded = loaded.joints_at(np.array([1_500]))
    np.testing.assert_allclose(between[0], clip.joints_px[1:3].mean(axis=0), atol=1e-5)
    assert visible.all() and not occluded.any()
