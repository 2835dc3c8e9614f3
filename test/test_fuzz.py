# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The fuzzer itself: every target runs, and what must not happen is found."""

import ctypes
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numba
import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / 'tools'))

from fuzzing import (
    arrays, datasets, files, packets, recorded, states, yaml_files)
from fuzzing.campaign import Target, fuzz, run_inputs
from fuzzing.mutations import mutated

from hybrid_pose_ros.events.codecs import CODECS

TARGETS = (packets.TARGETS | states.TARGETS | files.TARGETS | datasets.TARGETS | arrays.TARGETS
           | recorded.TARGETS | yaml_files.TARGETS)


@numba.njit(boundscheck=True)
def _word_behind_the_last(words):
    return words[len(words)]


def reading(read, errors=(ValueError,)):
    """Return a target of short byte strings that calls a function with each."""
    @contextmanager
    def opened(_):
        yield read
    return Target(lambda rng: [b'abcd', b'0123'], mutated, opened, errors)


def findings(target, tmp_path, inputs=300):
    """Run a target in this process; return what was found."""
    found = {}
    run_inputs(target, inputs, Random(7), tmp_path, lambda *_: None, found.setdefault)
    return found


@pytest.mark.parametrize('name', TARGETS)
def test_no_reader_does_anything_but_return_or_refuse(name, tmp_path):
    inputs = 20 if name == 'dhp19' else 200  # it starts a process to read each MATLAB file
    assert findings(TARGETS[name], tmp_path, inputs) == {}


@pytest.mark.parametrize('name', TARGETS)
def test_a_seed_is_not_refused(name, tmp_path):
    """Else everything further would be mutations of what is refused at the first byte."""
    target = TARGETS[name]
    with target.open(tmp_path) as run:
        def accepted(seed):
            try:
                return bool(run(seed))
            except target.errors:
                return False
        assert any(map(accepted, target.seeds(Random(0))))


def with_decoder(monkeypatch, decode):
    """Let mono be decoded by another function."""
    monkeypatch.setitem(CODECS, 'mono', CODECS['mono']._replace(decode=decode))


def test_a_decoder_that_reads_behind_its_words_is_found(tmp_path, monkeypatch):
    right = CODECS['mono'].decode

    def decode(words, *rest):
        if len(words) == 7:
            _word_behind_the_last(words)
        return right(words, *rest)
    with_decoder(monkeypatch, decode)
    assert any(key.startswith('IndexError') for key in findings(packets.TARGETS['mono'], tmp_path))


def test_a_decoder_that_gives_events_beside_the_sensor_is_found(tmp_path, monkeypatch):
    right = CODECS['mono'].decode

    def decode(*words_and_rest):
        decoded, state = right(*words_and_rest)
        decoded.events['x'] += np.uint16(5000)
        return decoded, state
    with_decoder(monkeypatch, decode)
    assert any(key.startswith('Wrong') for key in findings(packets.TARGETS['mono'], tmp_path))


def test_another_error_than_a_reader_may_raise_is_found_with_its_input(tmp_path):
    def read(content):
        if content[:1] == b'\xff':
            raise KeyError('key')
    (key, finding), = findings(reading(read), tmp_path, 5000).items()
    assert key.startswith('KeyError at test/test_fuzz.py') and finding.input[:1] == b'\xff'


def test_an_input_that_takes_too_much_memory_is_found(tmp_path):
    """In a child: this process may have had a higher peak before, in another test."""
    def read(content):
        if len(content) > 20 and not taken:
            taken.append(len(np.ones(40 << 20, np.int64)))
    taken = []
    report = fuzz(reading(read), inputs=300, seed='', folder=tmp_path)
    assert list(report.findings) == ['memory'] and report.inputs == 300


@pytest.mark.parametrize('what, fail', [
    ('crash: SIGSEGV', lambda: ctypes.string_at(0)),
    ('crash: exit status 3', lambda: os._exit(3)),
    ('hang', lambda: time.sleep(60))])
def test_a_crash_and_a_hang_are_found_with_their_input_and_the_rest_is_run(tmp_path, what, fail):
    def read(content):
        if content == b'0123':
            fail()
    report = fuzz(reading(read), inputs=4, seed='', folder=tmp_path, longest_s=0.3)
    assert report.findings[what].input == b'0123'
    assert report.inputs == 4


def test_a_run_ends_in_time(tmp_path):
    report = fuzz(reading(lambda _: time.sleep(0.01)), inputs=10**6, seed='', folder=tmp_path,
                  workers=2, most_s=0.3)
    assert 0 < report.inputs < 1000 and not report.findings


def test_same_seed_same_inputs(tmp_path):
    runs = []
    for _ in range(2):
        runs.append([])
        run_inputs(reading(len), 50, Random(3), tmp_path, lambda _, value: runs[-1].append(value),
                   lambda *_: None)
    assert runs[0] == runs[1]


def test_inputs_that_lead_to_something_new_are_built_upon(tmp_path):
    """Four right bytes in a row, found one by one: 1 of 4e9 at random."""
    def read(content):
        return next((i for i, (a, b) in enumerate(zip(content, b'HPOS')) if a != b), 4)
    seen = set()

    def remember(content):
        seen.add(read(content))
        return read(content)
    run_inputs(reading(remember), 60_000, Random(1), tmp_path, lambda *_: None, lambda *_: None)
    assert 4 in seen
