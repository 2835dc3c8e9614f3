# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Notices that are forged or foreign: refused with one warning, and the next one helps."""

from dataclasses import replace

import pytest
from live_graph import (
    HEIGHT, SKELETON, WIDTH, Camera, States, moved, stamps_us)

from hybrid_pose_ros.msg import Skeleton2D

GONE = 'hybrid_pose.1.0123456789abcdef'

FORGERIES = {
    'offset outside': (
        lambda good: replace(good, tensors=moved(good.tensors, good.byte_count)),
        'are outside a state'),
    'offset of 2^63': (
        lambda good: replace(good, tensors=moved(good.tensors, 1 << 63)), 'offset = '),
    'offset overlapping': (
        lambda good: replace(good, tensors=moved(good.tensors, good.tensors[1].offset)),
        'overlap'),
    'tensor lacking': (
        lambda good: replace(good, tensors=good.tensors[:-1]), 'lacks the tensors region'),
    'other shape': (
        lambda good: replace(good, tensors=(good.tensors[0]._replace(shape=(1, 1, 1)),
                                            *good.tensors[1:])), 'float32 (1, 1, 1), expected'),
    'foreign model': (
        lambda good: replace(good, model='paper'),
        'start both nodes with the same preset and weights'),
    'segment gone': (
        lambda good: replace(good, segment=GONE), f'segment {GONE} is gone'),
    'file instead of a segment': (
        lambda good: replace(good, segment='../../etc/passwd'), 'must be text of the form'),
    'future state': (
        lambda good: replace(good, sequence=good.sequence + 1), 'disagree'),
    'short payload': (
        lambda good: replace(good, payload=b'0' * 64), 'payload has 64 bytes'),
    'no such slot': (
        lambda good: replace(good, slot=60_000), 'disagree: slot'),
}


@pytest.mark.parametrize('name', FORGERIES)
def test_a_forged_notice_is_refused_and_the_next_good_one_is_used(live, name):
    forge, said = FORGERIES[name]
    live.start('snn_tracker')
    skeletons = live.listen(SKELETON, Skeleton2D)
    camera, states = Camera(live, 1), States(live)
    camera.send(20_000)
    live.report('snn_tracker', lambda values: values.get('steps') == '19')
    states.announce(forge(states.write(10_000)))
    report = live.report('snn_tracker', lambda values: values['states_refused'] == '1')
    assert said in report['last_refusal']
    assert not skeletons
    warnings = live.log('snn_tracker')
    assert len(warnings) == 1 and warnings[0].startswith('rejected a state: ')
    assert said in warnings[0]
    states.announce(states.write(10_000))
    live.spin_until(lambda: skeletons, 'a pose from the good state')
    assert stamps_us(skeletons)[0] == 19_000


def test_a_state_of_another_sensor_size_is_refused(live):
    live.start('snn_tracker')
    camera, states = Camera(live, 1, width=2 * WIDTH, height=2 * HEIGHT), States(live)
    camera.send(20_000)
    live.report('snn_tracker', lambda values: values.get('steps') == '19')
    states.announce(states.write(10_000))
    report = live.report('snn_tracker', lambda values: values['states_refused'] == '1')
    assert 'tensor membrane.enc0 is float32' in report['last_refusal']


def test_a_notice_that_comes_late_gets_the_newest_state_instead(live):
    live.start('snn_tracker')
    skeletons = live.listen(SKELETON, Skeleton2D)
    camera, states = Camera(live, 1), States(live)
    camera.send(20_000)
    live.report('snn_tracker', lambda values: values.get('steps') == '19')
    late = states.write(5_000)
    for _ in range(4):  # the slot is another state's by now
        states.write(10_000)
    states.announce(late)
    live.spin_until(lambda: skeletons, 'a pose from the newest state')
    assert skeletons[0].state_age_us == 9_000
    assert live.log('snn_tracker') == []


def test_a_state_from_before_the_clock_began_anew_is_got_over(live):
    """A bag in a loop: the last state of one pass used to keep out all of the next pass."""
    live.start('snn_tracker')
    skeletons = live.listen(SKELETON, Skeleton2D)
    camera, states = Camera(live, 1), States(live)
    camera.send(100_000)
    live.report('snn_tracker', lambda values: values.get('steps') == '99')
    states.announce(states.write(90_000))
    live.spin_until(lambda: skeletons, 'a pose of the first pass')
    camera.begin_again()
    camera.send(20_000)
    live.report('snn_tracker', lambda values: values.get('steps') == str(99 + 19))
    states.announce(states.write(95_000))  # on its way while the bag began again
    states.announce(states.write(10_000))
    live.spin_until(lambda: stamps_us(skeletons)[-1] < 90_000, 'a pose of the second pass')
    assert stamps_us(skeletons)[-1] == 19_000
    assert skeletons[-1].state_age_us == 9_000
    assert live.log('snn_tracker') == ["the sensor's clock restarted: state reset"]


def test_a_pose_waits_for_a_state_after_the_clock_began_anew(live):
    live.start('snn_tracker')
    skeletons = live.listen(SKELETON, Skeleton2D)
    camera, states = Camera(live, 1), States(live)
    camera.send(100_000)
    live.report('snn_tracker', lambda values: values.get('steps') == '99')
    states.announce(states.write(90_000))
    live.spin_until(lambda: skeletons, 'a pose of the first pass')
    camera.begin_again()
    camera.send(40_000)
    report = live.report('snn_tracker', lambda values: values.get('steps') == str(99 + 39))
    assert report['restarts'] == '1' and report['state_age_ms'] == 'none'
    assert max(stamps_us(skeletons)) == 99_000 == stamps_us(skeletons)[-1]
