# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from shared_data import EVENTS, needs_recordings

from hybrid_pose_ros.benchmarks import decode as benchmark
from hybrid_pose_ros.benchmarks.decode import OURS, READERS, Reader, decode_benchmark
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.recordings.formats import open_recording

pytestmark = pytest.mark.timing


def altered(**changes):
    """Return a reader of our own whose answer is changed before it is compared."""
    def reader_of(file):
        def events_of(events):
            events = events.copy()
            for field, change in changes.items():
                events[field] += change
            return events
        return Reader(lambda: open_recording(file.path).events(), events_of)
    return reader_of


def missing(_):
    raise ImportError


def failing(_):
    raise RuntimeError('no such word')


@pytest.fixture
def generated(monkeypatch):
    monkeypatch.setattr(benchmark, 'GENERATED_EVENTS', 2000)

    def run(**peers):
        monkeypatch.setattr(benchmark, 'READERS', {OURS: READERS[OURS], **peers})
        monkeypatch.setattr(benchmark.metadata, 'version', lambda name: '1.0')
        return decode_benchmark('no recordings here', repeats=1)
    return run


def test_without_recordings_the_files_are_generated_and_it_says_so(generated):
    result = generated()
    assert [file['encoding'] for file in result['files']] == ['evt3', 'evt2']
    assert all('generated' in file['origin'] for file in result['files'])
    assert all(file['readers'][OURS]['differs'] is None for file in result['files'])
    assert json.loads(json.dumps(result)) == result


def test_a_peer_that_is_wrong_in_times_is_timed_and_said_to_be_wrong(generated):
    result = generated(peer=altered(t=7))
    peer = result['files'][0]['readers']['peer']
    assert peer['differs'] == f't differs in {result["files"][0]["events"]} events, by up to 7'
    assert peer['median'] > 0
    assert set(result['times_faster']['generated_evt3']) == {'peer'}


@pytest.mark.parametrize('reader_of, text', [
    (missing, 'not installed: see requirements-test.txt'),
    (failing, 'cannot read the file: no such word'),
    (lambda file: Reader(lambda: None, lambda _: file.events[1:]), 'events instead of')])
def test_a_peer_without_an_answer_is_not_timed(generated, reader_of, text):
    result = generated(peer=reader_of)
    peer = result['files'][0]['readers']['peer']
    assert text in peer['differs'] and 'median' not in peer
    assert result['times_faster']['generated_evt3'] == {}


def test_a_wrong_answer_of_ours_prints_no_time(generated):
    with pytest.raises(InputError, match='our own decoder is wrong: y differs in'):
        generated(**{OURS: altered(y=1)})


@needs_recordings
def test_real_recordings_are_compared_with_the_peers_that_are_installed():
    pytest.importorskip('faery')
    result = decode_benchmark(EVENTS, repeats=1)
    assert set(result['times_faster']) == {'evt2_gen3_vga_sparks', 'evt3_gen41_hd_driving',
                                           'evt3_gen31_vga_triggers'}
    gen41 = result['files'][1]['readers']
    assert gen41['faery']['differs'].startswith('t differs in ')
    assert gen41[OURS]['differs'] is None
