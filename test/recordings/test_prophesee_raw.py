# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import event_windows

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.recordings import prophesee_raw
from hybrid_pose_ros.recordings.formats import open_recording

WORDS = np.array([0x8001, 0x6001, 0x0003, 0x2005], '<u2').tobytes()  # (4097 us, 5, 3, OFF)
GEOMETRY = '% evt 3.0\n% geometry 640x480\n'


def raw_file(folder, header, words=WORDS):
    path = folder / 'a.raw'
    path.write_bytes(header.encode() + words)
    return path


@pytest.mark.parametrize('header, size', [
    ('% evt 3.0\n% geometry 346x260\n', (346, 260)),
    ('% Date 2024-01-01\n% evt 3.0\n% geometry 346x260\n% end\n', (346, 260)),
    ('% format EVT3;height=720;width=1280\n% end\n', (1280, 720)),
    ('% format EVT3;width=1280;height=720\n% end\n', (1280, 720)),
    ('% evt 3.0\n% plugin_name hal_plugin_gen3_fx3\n', (640, 480)),
    ('% evt 3.0\n% plugin_name hal_plugin_gen31_evk3\n', (640, 480)),
    ('% evt 3.0\n% plugin_name hal_plugin_gen41_evk3\n', (1280, 720)),
    ('% evt 3.0\n% plugin_name hal_plugin_imx636_evk4\n', (1280, 720)),
    ('% evt 3.0\n% sensor_generation 3.1\n', (640, 480)),
    ('% evt 3.0\n% sensor_generation 4.2\n', (1280, 720)),
    ('% evt 3.0\n% sensor_name GenX320\n% sensor_generation 0.0\n', (320, 320)),
    ('% evt 3.0\n% system_ID 21\n', (640, 480)),
    ('% evt 3.0\n% system_ID 49\n', (1280, 720)),
])
def test_the_size_is_in_the_header_or_follows_from_the_sensor(tmp_path, header, size):
    recording = open_recording(raw_file(tmp_path, header))
    assert (recording.width, recording.height) == size
    assert recording.events().tolist() == [(4097, 5, 3, 0)]


@pytest.mark.parametrize('header, text', [
    ('% evt 3.0\n% serial_number 1\n', 'does not give the sensor size'),
    ('% evt 3.0\n% system_ID 99\n', 'add a line such as "% geometry 1280x720"'),
    ('% evt 3.0\n% geometry 0x480\n', 'a sensor of 0x480 px'),
    ('% evt 2.1\n% geometry 640x480\n', 'is in 2.1 format'),
    ('% format EVT21;height=320;width=320\n% end\n', 'is in EVT21 format'),
    ('% date today\n% end\n', 'is in an unknown format'),
])
def test_a_header_that_says_too_little_is_refused(tmp_path, header, text):
    with pytest.raises(RecordingError, match=text):
        open_recording(raw_file(tmp_path, header))


def test_evt2_is_read(tmp_path):
    words = np.array([8 << 28 | 100, 1 << 28 | 5 << 22 | 320 << 11 | 240], '<u4').tobytes()
    recording = open_recording(raw_file(tmp_path, '% evt 2.0\n% geometry 640x480\n', words))
    assert recording.encoding == 'evt2'
    assert recording.events().tolist() == [(6405, 320, 240, 1)]


def test_bytes_that_make_no_whole_word_at_the_end_are_ignored(tmp_path):
    recording = open_recording(raw_file(tmp_path, GEOMETRY, WORDS + b'\x05'))
    assert recording.events().tolist() == [(4097, 5, 3, 0)]


def test_a_header_alone_holds_no_events(tmp_path):
    recording = open_recording(raw_file(tmp_path, GEOMETRY, b''))
    assert len(recording.events()) == 0
    assert list(recording.event_chunks(1000)) == []


@given(event_windows(width=640, height=480, duration_us=20_000, max_events=400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pieces_of_a_file_add_up_to_the_whole(tmp_path, monkeypatch, events):
    monkeypatch.setattr(prophesee_raw, 'PIECE_BYTES', 64)
    path = raw_file(tmp_path, GEOMETRY, Evt3Encoder(640, 480).encode(events))
    recording = open_recording(path)
    assert np.array_equal(recording.events(), events)
    assert np.array_equal(np.concatenate([events[:0], *(p.events for p in recording.pieces())]),
                          events)


@pytest.mark.parametrize('field', [
    'geometry 640x' + '9' * 5000, 'geometry ' + '9' * 5000 + 'x480', 'system_ID ' + '1' * 5000,
    'system_ID \xb2'])
def test_a_number_that_is_none_is_not_taken_for_one(tmp_path, field):
    """int() refuses superscripts and more than 4300 digits by a ValueError of its own."""
    path = tmp_path / 'a.raw'
    path.write_bytes(f'% evt 3.0\n% {field}\n'.encode('latin-1') + WORDS)
    with pytest.raises(RecordingError, match='does not give the sensor size'):
        open_recording(path)


def test_a_size_with_too_many_digits_among_the_options_is_not_cut(tmp_path):
    with pytest.raises(RecordingError, match='does not give the sensor size'):
        open_recording(raw_file(tmp_path, f'% format EVT3;width=64;height=48{"0" * 20}\n% end\n'))


def test_a_sensor_larger_than_the_words_can_tell_is_refused_at_once(tmp_path):
    """It was opened, and the first piece of it raised a PacketError."""
    with pytest.raises(RecordingError, match='a sensor of 4096x480 px cannot send evt3'):
        open_recording(raw_file(tmp_path, '% evt 3.0\n% geometry 4096x480\n'))


def test_words_that_begin_like_a_line_of_the_header_are_words(tmp_path):
    """An EVT3 row 0x2025 without `% end` before it: all of the file was taken for its header."""
    recording = open_recording(raw_file(tmp_path, GEOMETRY, b'\x25\x20' + WORDS))
    assert recording.events().tolist() == [(4097, 5, 3, 0)]


def test_a_dat_file_is_named(tmp_path):
    header = '% Data file containing CD events.\n% Version 2\n% Width 640\n'
    with pytest.raises(RecordingError, match='is a .dat file: expected EVT2 or EVT3 words'):
        open_recording(raw_file(tmp_path, header))
