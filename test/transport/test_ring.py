# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writer and reader in one process: what a view is, how long it lasts, what is refused."""

import dataclasses
import gc
import os
import stat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ring_states import MODEL, TENSORS, fill, holds, new_ring, own_segments, segments, write_state

from hybrid_pose_ros.errors import TransportError
from hybrid_pose_ros.transport import segment as segment_module
from hybrid_pose_ros.transport.descriptor import StateDescriptor, tensor_specs
from hybrid_pose_ros.transport.faults import (
    ForeignModel, InaccessibleState, OverwrittenState, StaleState, TornState)
from hybrid_pose_ros.transport.reader import StateReader
from hybrid_pose_ros.transport.ring import StateRing


@pytest.fixture
def ring():
    with new_ring() as ring:
        yield ring


@pytest.fixture
def reader():
    return StateReader(model=MODEL, tensors=TENSORS)


def test_a_state_arrives_as_it_was_written(ring, reader):
    rng = np.random.default_rng(1)
    sent = {spec.name: rng.normal(size=spec.shape).astype(spec.dtype) for spec in TENSORS}
    write = ring.begin()
    for name, tensor in sent.items():
        write.tensors[name][...] = tensor
    view = reader.read(write.commit(sensor_time_us=123_456))
    assert view.sensor_time_us == 123_456
    assert list(view.tensors) == list(sent)
    assert all(np.array_equal(view.tensors[name], sent[name]) for name in sent)
    assert view.is_intact()


def test_every_dtype_arrives():
    for dtype in ('float16', 'int8', 'uint8', 'int16', 'int32', 'int64'):
        with StateRing(tensor_specs({'a': (3, 2)}, dtype=dtype), model='') as ring:
            write = ring.begin()
            write.tensors['a'][...] = [[1, 2], [3, 4], [5, 6]]
            view = StateReader().read(write.commit(sensor_time_us=np.int64(-5)))
            assert view.tensors['a'].dtype == dtype
            assert view.tensors['a'].tolist() == [[1, 2], [3, 4], [5, 6]]


def test_tensors_lie_on_cache_lines(ring, reader):
    view = reader.read(write_state(ring))
    assert all(tensor.ctypes.data % 64 == 0 for tensor in view.tensors.values())


def test_a_view_is_the_writers_memory_and_not_a_copy(ring, reader):
    write = ring.begin()
    tensor = np.asarray(write.tensors['heatmap'])
    alias = tensor.view()
    view = reader.read(write.commit(sensor_time_us=0))
    alias[3, 2, 1] = 77
    assert view.tensors['heatmap'][3, 2, 1] == 77


def test_a_view_cannot_be_written(ring, reader):
    tensor = reader.read(write_state(ring)).tensors['heatmap']
    with pytest.raises(ValueError):
        tensor[...] = 0
    with pytest.raises(ValueError):
        tensor.flags.writeable = True


def test_committed_tensors_are_closed_to_the_writer(ring):
    write = ring.begin()
    write.commit(sensor_time_us=0)
    with pytest.raises(ValueError):
        fill(write.tensors, 1)


def test_a_kept_view_outlives_ring_reader_and_segment():
    """A view that does not keep its mapping alive is read after it was unmapped: SIGSEGV."""
    ring, reader = new_ring(), StateReader()
    view = reader.read(write_state(ring))
    tensor = view.tensors['membrane.enc0'][1:, ::2]
    ring.close()
    del ring, reader, view
    gc.collect()
    with new_ring() as other:
        for _ in range(4):
            write_state(other)
        assert (tensor == 1).all()


@pytest.mark.parametrize('slots', [3, 4, 7])
def test_a_view_stays_intact_until_its_slot_is_taken_again(reader, slots):
    with new_ring(slots=slots) as ring:
        view = reader.read(write_state(ring))
        for _ in range(slots - 1):
            write_state(ring)
            assert view.is_intact() and holds(view, 1)
        ring.begin()
        assert not view.is_intact()


def test_a_late_reader_gets_the_newest_complete_state(ring, reader):
    late = write_state(ring)
    for _ in range(4):
        write_state(ring)
    fill(ring.begin().tensors, -1)
    with pytest.raises(OverwrittenState):
        reader.read(late)
    view = reader.latest()
    assert view.sequence == 5 and view.sensor_time_us == 5000 and holds(view, 5)


def test_latest_gives_each_state_once(ring, reader):
    assert reader.latest() is None and reader.newest_sequence() == 0
    reader.read(write_state(ring))
    assert reader.latest() is None
    write_state(ring)
    assert reader.newest_sequence() == 2
    assert reader.latest().sequence == 2
    assert reader.latest() is None


def test_a_failed_write_is_not_seen_and_its_slot_is_written_anew(ring, reader):
    reader.read(write_state(ring))
    with pytest.raises(ZeroDivisionError):
        write = ring.begin()
        fill(write.tensors, 1 / 0)
    assert reader.newest_sequence() == 1 and reader.latest() is None
    view = reader.read(write_state(ring))
    assert view.sequence == 2 and holds(view, 2)


def test_a_state_that_is_not_complete_is_torn(ring, reader):
    first = write_state(ring)
    ring.begin()
    with pytest.raises(TornState):
        reader.read(dataclasses.replace(first, sequence=2, slot=2, generation=4))


def test_a_state_is_read_once(ring, reader):
    first, second = write_state(ring), write_state(ring)
    reader.read(second)
    for descriptor in (first, second):
        with pytest.raises(StaleState):
            reader.read(descriptor)


@pytest.mark.parametrize('inline', [False, True])
def test_a_checksum_finds_a_changed_byte(ring, reader, inline):
    write = ring.begin()
    alias = write.tensors['membrane.res1'].view()
    descriptor = write.commit(sensor_time_us=0, checksum=True)
    assert descriptor.checksum and StateReader().read(descriptor)
    alias[0, 0, 0] += 1
    with pytest.raises(TornState, match='checksum'):
        reader.read(ring.inline(descriptor) if inline else descriptor)


def test_the_bytes_in_the_message_equal_those_in_shared_memory(ring, reader):
    descriptor = write_state(ring, checksum=True)
    shared, inline = StateReader().read(descriptor), reader.read(ring.inline(descriptor))
    assert inline.inline and not shared.inline
    assert inline.sensor_time_us == shared.sensor_time_us
    for name, tensor in shared.tensors.items():
        assert np.array_equal(tensor, inline.tensors[name])
        assert not inline.tensors[name].flags.writeable
    for _ in range(3):
        write_state(ring)
    assert inline.is_intact() and holds(inline, 1)
    with pytest.raises(TransportError, match='overwritten'):
        ring.inline(descriptor)


def test_a_private_ring_works_without_shared_memory(reader):
    with new_ring(shared=False) as ring:
        assert ring.name not in segments()
        descriptor = write_state(ring)
        with pytest.raises(InaccessibleState, match='another host'):
            reader.read(descriptor)
        assert holds(reader.read(ring.inline(descriptor)), 1)


def test_another_hosts_memory_is_not_looked_for(ring, reader):
    descriptor = write_state(ring)
    foreign = dataclasses.replace(descriptor, host='ffffffff:1:1')
    with pytest.raises(InaccessibleState, match='inline'):
        reader.read(foreign)


def test_the_memory_of_another_user_is_inaccessible(ring, reader, monkeypatch):
    descriptor = write_state(ring)

    def denied(*_):
        raise PermissionError
    with monkeypatch.context() as patch:
        patch.setattr(segment_module.os, 'open', denied)
        with pytest.raises(InaccessibleState, match='run both nodes as the same user'):
            reader.read(descriptor)
    assert holds(reader.read(descriptor), 1)


def test_a_closed_rings_segment_is_gone(reader):
    ring = new_ring()
    descriptor = write_state(ring)
    ring.close()
    ring.close()
    assert ring.name not in segments()
    with pytest.raises(TransportError, match='gone'):
        reader.read(descriptor)
    with pytest.raises(TransportError, match='closed'):
        ring.begin()


def test_a_dropped_ring_takes_its_segment_along():
    ring = new_ring()
    name = ring.name
    del ring
    gc.collect()
    assert name not in segments()


def test_a_new_writer_starts_again_at_one_and_is_read(reader):
    with new_ring() as ring:
        for _ in range(5):
            reader.read(write_state(ring))
    with new_ring() as ring:
        assert reader.read(write_state(ring)).sequence == 1
        write_state(ring)
        assert reader.latest().sequence == 2


def test_a_stale_notice_of_the_old_writer_does_not_lead_back_to_it(reader):
    with new_ring() as old, new_ring() as new:
        late = write_state(old)
        reader.read(late)
        reader.read(write_state(new))
        with pytest.raises(StaleState):
            reader.read(late)
        write_state(new)
        view = reader.latest()
        assert view.segment == new.name and view.sequence == 2


def test_two_rings_are_read_side_by_side(reader):
    with new_ring() as left, new_ring() as right:
        assert {left.name, right.name} <= segments()
        for sequence in range(1, 5):
            write = right.begin()
            fill(write.tensors, -sequence)
            assert holds(reader.read(write_state(left)), sequence)
            assert holds(reader.read(write.commit(sensor_time_us=0)), -sequence)


def test_a_name_that_is_taken_is_never_shared(ring, monkeypatch):
    monkeypatch.setattr(segment_module, 'new_name', lambda: ring.name)
    with pytest.raises(TransportError, match='exists'):
        new_ring()
    assert holds(StateReader().read(write_state(ring)), 1)


def test_a_segment_is_its_owners_only(ring):
    old_mask = os.umask(0)
    try:
        with new_ring() as open_mask:
            for name in (ring.name, open_mask.name):
                mode = os.stat(f'/dev/shm/{name}').st_mode
                assert stat.S_IMODE(mode) == 0o600
    finally:
        os.umask(old_mask)


def test_a_full_shared_memory_is_told_at_the_start():
    before, total = own_segments(), os.statvfs('/dev/shm')
    floats = total.f_blocks * total.f_frsize // 4
    with pytest.raises(TransportError, match='is full.*--shm-size'):
        StateRing(tensor_specs({'a': (floats,)}), model=MODEL)
    assert own_segments() == before


def test_a_write_is_committed_once_and_not_after_another_began(ring):
    abandoned, write = ring.begin(), ring.begin()
    write.commit(sensor_time_us=0)
    for closed in (abandoned, write):
        with pytest.raises(TransportError):
            closed.commit(sensor_time_us=0)


@pytest.mark.parametrize('options, text', [({'slots': 2}, 'slots'), ({'model': 'a b'}, 'model')])
def test_a_ring_that_no_reader_would_accept_is_not_made(options, text):
    with pytest.raises(TransportError, match=text):
        new_ring(**options)


def test_a_segment_of_another_model_is_refused_whatever_the_descriptor_says(ring):
    descriptor = write_state(ring)
    with pytest.raises(ForeignModel):
        StateReader(model='paper:ff').read(descriptor)
    with pytest.raises(TransportError, match='disagree'):
        StateReader(model='paper:ff').read(dataclasses.replace(descriptor, model='paper:ff'))


def forged(real):
    """Descriptors of which some fields are the real ones and some are anything."""
    number = st.integers(-2, 200) | st.integers(-1 << 64, 1 << 64)
    tensor = st.builds(real.tensors[0].__class__, st.sampled_from(['heatmap', 'a', '/']),
                       st.sampled_from(['float32', 'int8', 'object']),
                       st.lists(number, max_size=4).map(tuple), number.map(lambda n: 64 * n))
    forgeries = dict.fromkeys(('sequence', 'slot', 'generation', 'byte_count', 'checksum',
                               'sensor_time_us'), number) | {
        'model': st.sampled_from(['', 'paper:ff']), 'host': st.text(max_size=5),
        'segment': st.text(max_size=30) | st.just('hybrid_pose.1.0123456789abcdef'),
        'tensors': st.lists(tensor, max_size=4).map(tuple)
        | st.permutations(real.tensors).map(tuple), 'payload': st.binary(max_size=200)}
    return st.builds(StateDescriptor, **{
        field.name: st.just(getattr(real, field.name)) | forgeries[field.name]
        for field in dataclasses.fields(StateDescriptor)})


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_descriptor_gives_a_view_inside_the_segment_or_a_clear_error(data):
    with new_ring() as ring:
        descriptor = data.draw(forged(write_state(ring)))
        reader = StateReader()
        try:
            view = reader.read(descriptor)
        except TransportError as error:
            assert 10 < len(str(error)) < 800
            return
        if not view.inline:
            low = np.frombuffer(reader._segments[ring.name].mapping, np.uint8).ctypes.data
            for tensor in view.tensors.values():
                start = tensor.ctypes.data
                assert low <= start and start + tensor.nbytes <= low + os.stat(
                    f'/dev/shm/{ring.name}').st_size


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 120), st.integers(-1 << 63, (1 << 63) - 1)
                          | st.integers(-1, 1 << 20)), min_size=1, max_size=3),
       st.integers(0, 20_000))
def test_a_damaged_segment_is_read_inside_its_bounds_or_refused(damage, cut):
    with new_ring() as ring:
        descriptor = write_state(ring)
        path = f'/dev/shm/{ring.name}'
        if cut > 10_000:
            os.truncate(path, os.stat(path).st_size - cut)
        for word, value in damage:
            ring._segment.words[word] = value
        try:
            reader = StateReader()
            assert holds(reader.read(descriptor), 1)
            reader.latest()
        except TransportError:
            pass


@pytest.mark.parametrize('make', [
    os.mkfifo, os.mkdir, lambda path: os.symlink('/etc/passwd', path),
    lambda path: os.close(os.open(path, os.O_CREAT)),
    lambda path: os.close(os.open(path, os.O_CREAT, 0o600)) or os.truncate(path, 1 << 20)])
def test_what_else_bears_such_a_name_is_refused(ring, make):
    name = segment_module.new_name()
    path = f'/dev/shm/{name}'
    make(path)
    try:
        with pytest.raises(TransportError, match=name):
            StateReader().read(dataclasses.replace(write_state(ring), segment=name))
    finally:
        os.rmdir(path) if os.path.isdir(path) else os.unlink(path)
