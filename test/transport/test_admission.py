# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest
from ring_states import MODEL, TENSORS

from hybrid_pose_ros.errors import TransportError
from hybrid_pose_ros.transport.admission import admit
from hybrid_pose_ros.transport.descriptor import (
    StateDescriptor, TensorSpec, state_bytes, tensor_specs)
from hybrid_pose_ros.transport.faults import ForeignModel, InaccessibleState, StaleState
from hybrid_pose_ros.transport.segment import host_identity, private_segment

BYTES = state_bytes(TENSORS)
GOOD = StateDescriptor(
    sensor_time_us=1000, sequence=1, model=MODEL, host=host_identity(), byte_count=BYTES,
    checksum=0, segment='hybrid_pose.12.0123456789abcdef', slot=1, generation=2, tensors=TENSORS)
ENC0, RES1, HEATMAP = TENSORS


SEGMENT = private_segment(TENSORS, model=MODEL, slots=3)


def with_tensors(*tensors):
    return dataclasses.replace(GOOD, tensors=tensors)


def segment_of(name):
    """Return the segment that GOOD is in, whatever it is called."""
    return SEGMENT


def not_opened(name):
    raise AssertionError(f'{name} was opened')


def refuse(descriptor, text, kind=TransportError, **expectation):
    with pytest.raises(kind, match=text):
        admit(descriptor, not_opened, **expectation)


def test_what_a_ring_describes_is_admitted():
    assert admit(GOOD, segment_of, model=MODEL, expected=TENSORS) is SEGMENT


def test_a_state_in_the_message_needs_no_segment_and_no_host():
    inline = dataclasses.replace(GOOD, payload=bytes(BYTES), host='elsewhere')
    assert admit(inline, not_opened, model=MODEL, expected=TENSORS) is None


def test_the_segment_of_another_host_is_not_opened():
    refuse(dataclasses.replace(GOOD, host='elsewhere'), 'another host or container',
           InaccessibleState)


def test_where_there_is_no_shared_memory_no_segment_is_opened(monkeypatch):
    def none():
        raise TransportError('this system has no POSIX shared memory')
    monkeypatch.setattr('hybrid_pose_ros.transport.admission.host_identity', none)
    refuse(GOOD, 'has no POSIX shared memory', InaccessibleState)


def test_a_foreign_model_on_another_host_is_foreign_first():
    """Otherwise the tracker would request states of it in messages."""
    refuse(dataclasses.replace(GOOD, host='elsewhere'), 'paper:ff', ForeignModel,
           model='paper:ff')


@pytest.mark.parametrize('field, value', [
    ('slot', 2), ('generation', 4), ('sequence', 2), ('model', 'edge'),
    ('tensors', tensor_specs({'heatmap': (1,)}))])
def test_a_descriptor_that_differs_from_its_segment_is_refused(field, value):
    with pytest.raises(TransportError, match='disagree'):
        admit(dataclasses.replace(GOOD, **{field: value}), segment_of)


@pytest.mark.parametrize('payload', [b'', bytes(BYTES)])
def test_a_state_is_admitted_once(payload):
    state = dataclasses.replace(GOOD, sequence=4, slot=1, generation=8, payload=payload)
    for used in (4, 5):
        with pytest.raises(StaleState, match='not newer than state'):
            admit(state, segment_of, used={GOOD.segment: used})
    admit(state, segment_of, used={GOOD.segment: 3, 'hybrid_pose.12.another': 7})


@pytest.mark.parametrize('segment', [
    '../etc/passwd', '/etc/passwd', 'hybrid_pose.12.0123456789abcdef/x', 'hybrid_pose.12.0123',
    'hybrid_pose..0123456789abcdef', 'hybrid_pose.12.0123456789ABCDEF', '', '.', 12,
    'hybrid_pose.12.0123456789abcdef\n', 'hybrid_pose.١٢.0123456789abcdef'])
def test_no_name_but_our_own_segments_is_accepted(segment):
    refuse(dataclasses.replace(GOOD, segment=segment), 'segment')


@pytest.mark.parametrize('field, value', [
    ('sequence', 0), ('sequence', -1), ('sequence', 1 << 62), ('sequence', 1.0), ('slot', -1),
    ('slot', True), ('generation', 0), ('generation', 1 << 64), ('byte_count', 0),
    ('byte_count', -64), ('byte_count', 1 << 62), ('checksum', -1), ('checksum', 1 << 32),
    ('sensor_time_us', 1 << 63), ('sensor_time_us', None), ('model', 'a b'), ('model', 7),
    ('host', 'x' * 200)])
def test_a_value_out_of_range_is_named(field, value):
    refuse(dataclasses.replace(GOOD, **{field: value}), field)


@pytest.mark.parametrize('tensor, text', [
    (RES1._replace(offset=BYTES), 'outside'),
    (RES1._replace(offset=-64), 'offset'),
    (RES1._replace(offset=RES1.offset + 4), 'multiple'),
    (RES1._replace(offset=0), 'overlap'),
    (RES1._replace(shape=(-5, -7, 3)), 'length'),
    (RES1._replace(shape=(0, 7, 3)), 'length'),
    (RES1._replace(shape=(1 << 39, 1 << 39, 1 << 39)), 'outside'),
    (RES1._replace(shape=(1,) * 9), 'shape'),
    (RES1._replace(shape=[5, 7, 3]), 'shape'),
    (RES1._replace(dtype='object'), 'dtype'),
    (RES1._replace(dtype='>f4'), 'dtype'),
    (RES1._replace(dtype='float64'), 'dtype'),
    (RES1._replace(name='membrane.enc0'), 'same name'),
    (RES1._replace(name='a/b'), 'name'),
    (RES1._replace(name=['list']), 'name')])
def test_a_forged_tensor_is_refused(tensor, text):
    refuse(with_tensors(ENC0, tensor, HEATMAP), text)


def test_a_state_without_tensors_or_with_too_many_is_refused():
    many = tensor_specs({f't{i}': () for i in range(64)})
    refuse(with_tensors(), 'tensors')
    refuse(with_tensors(*many, TensorSpec('one_more', 'int8', (), 64 * 64)), 'tensors')


@pytest.mark.parametrize('payload', [b'x', bytes(BYTES - 1), bytes(BYTES + 1)])
def test_a_payload_of_another_size_is_refused(payload):
    refuse(dataclasses.replace(GOOD, payload=payload), 'payload')


def test_a_foreign_model_is_told_before_its_shapes_are():
    refuse(GOOD, 'edge:0123abcd.*paper:ff', ForeignModel, model='paper:ff',
           expected=(RES1._replace(shape=(1,)),))


def test_missing_tensors_are_named():
    refuse(with_tensors(ENC0), 'membrane.res1, heatmap', expected=TENSORS)


def test_another_shape_or_dtype_than_expected_is_told():
    refuse(GOOD, r'res1 is float32 \(5, 7, 3\), expected float32 \(7, 5, 3\)',
           expected=(RES1._replace(shape=(7, 5, 3)),))
    refuse(GOOD, 'expected float16', expected=(RES1._replace(dtype='float16'),))


def test_the_reader_may_lay_tensors_out_in_its_own_order():
    admit(GOOD, segment_of,
          expected=(HEATMAP._replace(offset=0), ENC0._replace(offset=64000)))


@pytest.mark.parametrize('payload', [None, 'text', 7, [0] * BYTES])
def test_a_payload_that_is_no_bytes_is_refused(payload):
    """It was a TypeError."""
    refuse(dataclasses.replace(GOOD, payload=payload), 'payload .* must be bytes')
