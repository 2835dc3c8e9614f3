# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Damaged AEDAT4 files; that whole ones are read right, test_recording.py shows on real ones."""

import pytest
from aedat4_files import aedat4
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
    with pytest.raises(RecordingError, match='is no whole AEDAT4 file'):
        read(path, WHOLE[:14] + start + WHOLE[14 + len(start):][:300])


def test_a_packet_that_does_not_end_in_the_file_comes_after_the_whole_ones(path):
    """So it was with its size; 2 GiB were filled with zeros first."""
    first = 18 + HEADER_BYTES
    second = first + 8 + int.from_bytes(WHOLE[first + 4:first + 8], 'little')
    path.write_bytes(WHOLE[:second + 4] + b'\xff\xff\xff\x7f' + WHOLE[second + 8:])
    pieces = open_recording(path).pieces()
    assert len(next(pieces).events) == 5
    with pytest.raises(RecordingError, match='cut short: a packet ends at byte 2147'):
        next(pieces)


def test_a_list_of_streams_that_is_no_text_is_refused(path):
    """The library ended the process: a panic within a panic."""
    path.write_bytes(WHOLE.replace(b'<node name="0"', b'<no\xdde name="0"'))
    script = ('import sys; from hybrid_pose_ros.recordings.formats import open_recording as read\n'
              'try: read(sys.argv[1])\nexcept ValueError as error: print(error)')
    result = python(script, path)
    assert result.returncode == 0 and 'is no whole AEDAT4 file' in result.stdout


@pytest.mark.parametrize('at, value', [(18, 0), (18, 1 << 30), (42, 1 << 30), (42, 1),
                                       (50, 1 << 31), (74, 1 << 31)])
def test_a_header_whose_places_lie_elsewhere_is_refused(path, at, value):
    """The library panicked, which is no Exception: `except Exception` let it pass."""
    with pytest.raises(RecordingError, match='is no whole AEDAT4 file'):
        read(path, WHOLE[:at] + value.to_bytes(4, 'little') + WHOLE[at + 4:])


def test_a_packet_that_is_no_table_is_damage(path, capfd):
    first = 18 + HEADER_BYTES
    with pytest.raises(RecordingError, match='is damaged or cut short'):
        read(path, WHOLE[:first] + bytes(4) + b'\4\0\0\0' + bytes(4))
