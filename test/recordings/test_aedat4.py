# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AEDAT4 files with other streams, and damaged ones; test_recording.py reads real ones."""

import pytest
from aedat4_files import aedat4, event_packet, packet, stream
from child_processes import python

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.formats import open_recording

WHOLE = aedat4()
HEADER_BYTES = int.from_bytes(WHOLE[14:18], 'little')


def read(path, content):
    path.write_bytes(content)
    return open_recording(path).events()


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'a.aedat4'


@pytest.mark.parametrize('compression', ['none', 'lz4', 'zstd'])
def test_events_are_read(path, compression):
    events = read(path, aedat4(compression))
    assert events[['t', 'x', 'y', 'p']].tolist()[:3] == [(1000, 0, 0, 0), (1001, 1, 2, 1),
                                                         (1002, 2, 4, 0)]
    assert len(events) == 10


@pytest.mark.parametrize('start', [b'\xff\xff\xff\xff', b'\xff\xff\x00\x00', b'\x01'])
def test_a_header_that_does_not_end_in_the_file_is_refused(path, start):
    """As much memory as it says was taken, up to 4 GiB; with less the process ended."""
    with pytest.raises(RecordingError, match='is not a complete AEDAT4 file'):
        read(path, WHOLE[:14] + start + WHOLE[14 + len(start):][:300])


def test_a_packet_that_does_not_end_in_the_file_comes_after_the_whole_ones(path):
    """So it was with its size; 2 GiB were filled with zeros first."""
    first = 18 + HEADER_BYTES
    second = first + 8 + int.from_bytes(WHOLE[first + 4:first + 8], 'little')
    path.write_bytes(WHOLE[:second + 4] + b'\xff\xff\xff\x7f' + WHOLE[second + 8:])
    pieces = open_recording(path).pieces()
    assert len(next(pieces).events) == 5
    with pytest.raises(RecordingError, match='truncated: a packet ends at byte 2147'):
        next(pieces)


def test_a_list_of_streams_that_is_no_text_is_refused(path):
    """The library ended the process: a panic within a panic."""
    path.write_bytes(WHOLE.replace(b'<node name="0"', b'<no\xdde name="0"'))
    script = ('import sys; from hybrid_pose_ros.recordings.formats import open_recording as read\n'
              'try: read(sys.argv[1])\nexcept ValueError as error: print(error)')
    result = python(script, path)
    assert result.returncode == 0 and 'is not a complete AEDAT4 file' in result.stdout


@pytest.mark.parametrize('at, value', [(18, 0), (18, 1 << 30), (42, 1 << 30), (42, 1),
                                       (50, 1 << 31), (74, 1 << 31)])
def test_a_header_whose_places_lie_elsewhere_is_refused(path, at, value):
    """The library panicked, which is no Exception: `except Exception` let it pass."""
    with pytest.raises(RecordingError, match='is not a complete AEDAT4 file'):
        read(path, WHOLE[:at] + value.to_bytes(4, 'little') + WHOLE[at + 4:])


def test_a_packet_that_is_no_table_is_damage(path):
    first = 18 + HEADER_BYTES
    with pytest.raises(RecordingError, match='packet at byte [0-9]* contains no valid events'):
        read(path, WHOLE[:first] + bytes(4) + b'\4\0\0\0' + bytes(4))


def read_parts(path, content, name=None):
    """Return the times of the first events of packets, and what is reported of the others."""
    path.write_bytes(content)
    first_us = []
    try:
        for piece in open_recording(path, name).pieces():
            first_us.append(int(piece.events['t'][0]))
    except RecordingError as error:
        return first_us, str(error)
    return first_us, ''


@pytest.mark.parametrize('kind', ['FRME', 'IMUS', 'TRIG', 'POSE', 'BBOX'])
def test_streams_of_other_types_and_what_they_hold_have_no_effect(path, kind):
    """A type that the library did not know, or a damaged frame, ended the events."""
    content = aedat4(streams=[stream(0), stream(1, kind)], packets=[
        packet(1, b'\xff' * 30), event_packet(1000), packet(1, b''), event_packet(2000)])
    assert read_parts(path, content) == ([1000, 2000], '')


TWO = aedat4(streams=[stream(0, name='events'), stream(1, name='filtered', size='32x24')],
             packets=[event_packet(1000), event_packet(1500, number=1), event_packet(2000)])


@pytest.mark.parametrize('name, first_us', [('0', [1000, 2000]), ('events', [1000, 2000]),
                                            ('1', [1500]), ('filtered', [1500])])
def test_of_several_event_streams_one_is_chosen_by_number_or_name(path, name, first_us):
    assert read_parts(path, TWO, name) == (first_us, '')
    assert open_recording(path, name).width == (320 if 1000 in first_us else 32)


def test_several_event_streams_are_named(path):
    path.write_bytes(TWO)
    with pytest.raises(RecordingError, match=r'several event streams, .*: 0 \(events\), 1 \(filt'):
        open_recording(path)
    with pytest.raises(RecordingError, match=r'has 0 event streams raw: it has 0 \(events\), 1'):
        open_recording(path, 'raw')


def test_a_file_without_an_event_stream_says_what_it_holds(path):
    path.write_bytes(aedat4(streams=[stream(3, 'FRME', 'frames')]))
    with pytest.raises(RecordingError, match=r'no event stream, only 3 \(frames\) of type FRME'):
        open_recording(path)


@pytest.mark.parametrize('broken, reason', [
    (packet(0, b'\4\0\0\0' + bytes(4)), 'contains no valid events'),
    (packet(0, b''), 'contains no valid events'),
    (event_packet(1500).replace(b'\4\0\x08\0', b'\x40\1\x08\0'), 'sensor of 320x240'),
    (packet(7, b'abc'), 'is of stream 7, which is not in the header')])
def test_a_damaged_event_packet_does_not_hide_the_next(path, broken, reason):
    content = aedat4(packets=[event_packet(1000), broken, event_packet(2000)])
    first_us, fault = read_parts(path, content)
    assert first_us == [1000, 2000] and reason in fault


def test_a_list_of_streams_with_entities_is_refused(path):
    """Entities of entities can stand for gigabytes."""
    with pytest.raises(RecordingError, match='its list of streams has XML declarations'):
        read(path, aedat4(streams=['<!DOCTYPE a>']))
