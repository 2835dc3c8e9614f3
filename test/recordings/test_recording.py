# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_data import EVENTS, assert_events_are, ground_truths, needs_recordings
from strategies import event_windows, pieces

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.codec import Decoded
from hybrid_pose_ros.events.event_array import TRIGGER_DTYPE, event_array
from hybrid_pose_ros.recordings.formats import open_recording
from hybrid_pose_ros.recordings.recording import Recording

TRUTHS = ground_truths()


class InMemory(Recording):
    """Events in memory, in the pieces that are given."""

    def __init__(self, parts):
        self._parts = parts

    def pieces(self):
        return (Decoded(part, np.empty(0, TRIGGER_DTYPE)) for part in self._parts)


@needs_recordings
@pytest.mark.parametrize('name', TRUTHS)
def test_a_real_recording_equals_its_ground_truth(name):
    path, truth = TRUTHS[name]
    recording = open_recording(path)
    assert (recording.width, recording.height) == (truth['width'], truth['height'])
    assert recording.encoding == truth['encoding']
    assert_events_are(recording.events(), truth)
    triggers = np.concatenate([piece.triggers for piece in recording.pieces()])
    assert len(triggers) == truth.get('num_triggers', 0)
    assert int(triggers['t'].sum()) == truth.get('sum_trigger_t_us', 0)
    assert int(triggers['edge'].sum(dtype=int)) == truth.get('triggers_rising', 0)


@needs_recordings
@pytest.mark.parametrize('kept', [5, 12, 300, 0.5, 0.9])
def test_an_aedat4_file_that_is_cut_short_says_so(tmp_path, kept):
    whole = (EVENTS / 'aedat4' / 'dvxplorer_lite_person.aedat4').read_bytes()
    path = tmp_path / 'a.aedat4'
    path.write_bytes(whole[:kept if isinstance(kept, int) else int(kept * len(whole))])
    with pytest.raises(RecordingError, match='a.aedat4 (is not a complete|is damaged|has an unk)'):
        open_recording(path).events()


@given(event_windows(duration_us=5000), st.integers(1, 2000), st.data())
def test_chunks_hold_every_event_once_each_in_its_time_bin(events, duration_us, data):
    parts = [events[piece] for piece in data.draw(pieces(len(events)))]
    chunks = list(InMemory(parts).event_chunks(duration_us))
    assert np.array_equal(np.concatenate([events[:0], *chunks]), events)
    bins = [set((chunk['t'] // duration_us).tolist()) for chunk in chunks]
    assert all(len(one) == 1 for one in bins)
    assert len(set.union(set(), *bins)) == len(chunks)


def test_an_event_that_steps_back_in_time_stays_where_it_was_decoded():
    events = event_array([990, 1003, 998, 1999, 2000], range(5), [0] * 5, [0] * 5)
    for parts in ([events], [events[:2], events[2:]]):
        chunks = [chunk['x'].tolist() for chunk in InMemory(parts).event_chunks(1000)]
        assert chunks == [[0], [1, 2, 3], [4]]


@pytest.mark.parametrize('content, text', [
    (None, 'does not exist'), (b'', 'is empty'), (b'hello', 'has an unknown format'),
    (b'#!AER-DAT2.0\r\n', 'is AEDAT 2.0, expected AEDAT4: convert files of DHP19'),
    (b'\x89HDF\r\n\x1a\n', 'is damaged'), (b'SQLite format 3\0', 'is damaged or not a bag'),
    (b'\x89MCAP0\r\n', 'is damaged or truncated'),
    (b'#!AER-DAT4.0\r\n', 'is not a complete AEDAT4 file')])
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path, content, text):
    path = tmp_path / 'recording'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecordingError, match=f'recording {text}'):
        open_recording(path)


def test_a_raw_file_has_no_topics(tmp_path):
    (tmp_path / 'a.raw').write_bytes(b'% evt 3.0\n% geometry 640x480\n')
    with pytest.raises(RecordingError, match='a.raw has no topics, expected a bag or AEDAT4'):
        open_recording(tmp_path / 'a.raw', '/events')
