# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that are not what their topics carry: left out and counted."""

import struct

import numpy as np
import pytest
from run_bags import diagnostics, skeleton

from hybrid_pose_ros.recordings.bag_messages import BagMessage
from hybrid_pose_ros.recordings.pose_topics import (
    DIAGNOSTICS, SKELETON, SKELETONS, STATE, TRUTH, TYPES, WORLD)
from hybrid_pose_ros.recordings.typed_messages import MessageReader

WHOLE = bytes(skeleton(1000, np.full((13, 2), 5.0), np.ones(13)))
STEP_US_AT, WIDTH_AT, X_PX_AT = 36, 40, 48
"""Where the CDR bytes of `WHOLE` have them: behind encapsulation, stamp, frame_id and time."""


def put(at, code, value):
    """Return WHOLE with one value changed."""
    changed = bytearray(WHOLE)
    struct.pack_into('<' + code, changed, at, value)
    return bytes(changed)


def read(topic, cdr, kind=None):
    """Return a message, and what is reported of it."""
    reader = MessageReader()
    message = reader.read(BagMessage(topic, kind or TYPES[topic], 0, cdr))
    return message, reader.bad.line()


def test_a_message_has_the_fields_of_its_type():
    message, line = read('/left' + SKELETON, WHOLE, TYPES[SKELETON])
    assert (message.sensor_time_us, message.step_us, line) == (1000, 1000, '')
    assert message.x_px.tolist() == [5.0] * 13


@pytest.mark.parametrize('topic', [SKELETON, SKELETONS, TRUTH, STATE, WORLD, DIAGNOSTICS])
def test_a_message_of_another_type_than_its_topic_carries_is_left_out(topic):
    message, line = read(topic, b'\0\1\0\0\2\0\0\0a\0', 'std_msgs/msg/String')
    assert message is None
    assert line == f'1 of {topic}: type std_msgs/msg/String, expected {TYPES[topic]}'


@pytest.mark.parametrize('topic', [SKELETON, SKELETONS, TRUTH, STATE, WORLD, DIAGNOSTICS])
@pytest.mark.parametrize('cdr', [b'', b'\0', b'\0\1\0\0', b'\0\1\0\0' + b'\xff' * 40])
def test_bytes_that_do_not_hold_the_message_are_left_out(topic, cdr):
    message, line = read(topic, cdr)
    assert message is None
    assert line.startswith(f'1 of {topic}: {len(cdr)} bytes are not a {TYPES[topic]}')


def test_a_message_of_another_version_of_its_type_is_left_out():
    """One field more at the end, as a later version would have it."""
    message, line = read(SKELETON, WHOLE + bytes(8))
    assert message is None and 'are not a hybrid_pose_ros/msg/Skeleton2D as defined' in line


@pytest.mark.parametrize('cdr, reason', [
    (put(28, 'q', 2**62), 'sensor_time_us is 4611686018427387904'),
    (put(STEP_US_AT, 'I', 0), 'step_us is 0, expected 1'),
    (put(WIDTH_AT, 'I', 0), 'width is 0, expected 1'),
    (put(WIDTH_AT, 'Q', 65_536 << 32 | 65_536), 'a sensor of 65536x65536 px'),
    (put(X_PX_AT, 'f', np.nan), 'x_px contains NaN'),
    (put(X_PX_AT, 'f', 1e30), 'x_px contains NaN or'),
    (put(len(WHOLE) - 4, 'f', np.inf), 'compute_ms is inf')])
def test_a_pose_with_an_impossible_value_is_left_out(cdr, reason):
    message, line = read(SKELETON, cdr)
    assert message is None and reason in line


def test_poses_that_hold_none_are_left_out():
    """The length of a time bin was taken from the first pose: an IndexError."""
    assert read(SKELETONS, b'\0\1\0\0' + bytes(8) + b'\1' + bytes(11)) == (
        None, f'1 of {SKELETONS}: no skeletons, expected at least one')


def test_each_topic_has_one_line_with_the_first_reason():
    reader = MessageReader()
    for topic, cdr in ((SKELETON, b''), (TRUTH, b''), (SKELETON, put(STEP_US_AT, 'I', 0))):
        reader.read(BagMessage(topic, TYPES[topic], 0, cdr))
    first, second = reader.bad.line().split('; ')
    assert first.startswith(f'2 of {SKELETON}: 0 bytes are not a')
    assert second.startswith(f'1 of {TRUTH}: ')


def test_diagnostics_are_read():
    message, line = read(DIAGNOSTICS, diagnostics('snn_tracker', power_mw='1.5'))
    assert line == '' and message.status[0].values[0].value == '1.5'
