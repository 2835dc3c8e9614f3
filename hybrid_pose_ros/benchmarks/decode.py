# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Times the decoding of .raw files in this package, expelliarmus, faery and evlib.

Every reader decodes the same file into arrays with full timestamps on one core. The results are
compared first; a reader whose timestamps alone are wrong is also timed, but marked as wrong. Speed
is bounded by mispredicted branches on word types and, on virtual machines, by page faults in new
arrays.
"""

import hashlib
import importlib
import json
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.recordings.event_bag import EventBag
from hybrid_pose_ros.recordings.formats import open_recording

RECORDINGS = Path('../shared/data/events')
"""Real recordings next to a checkout: raw/*.raw and bags/*, each with reference output."""

GENERATED_EVENTS = 500_000
ROUNDS, WARM_UP = 3, 3


class RawFile(NamedTuple):
    """A file to decode, and its contents."""

    name: str
    path: Path
    encoding: str
    width: int
    height: int
    events: np.ndarray  # (N,) of EVENT_DTYPE
    origin: str  # origin of the file


class Reader(NamedTuple):
    """A library's function from file to arrays, and an untimed conversion to EVENT_DTYPE."""

    read: Callable[[], Any]
    events_of: Callable[[Any], np.ndarray]


def decode_benchmark(recordings: str | Path = RECORDINGS, *, repeats: int = 30) -> dict[str, Any]:
    """Return speeds in million events per second, and the ratios of our speed to the others'.

    Args:
        recordings: folder of real recordings; if it does not exist, files are generated.
        repeats: timed runs of each reader.

    Raises:
        InputError: our own output is wrong.
    """
    with tempfile.TemporaryDirectory() as folder, _one_core() as core:
        files = list(_recorded(Path(recordings), Path(folder))) or list(_generated(Path(folder)))
        results = [_compare(file, repeats) for file in files]
    return {
        'times_faster': {result['file']: result.pop('times_faster') for result in results},
        'unit': 'million events per second: median, and at the 95th percentile of the times',
        'machine': {'cpu': _cpu(), 'core': core, 'python': platform.python_version(),
                    'numba': metadata.version('numba'), 'numpy': np.__version__},
        'repeats': repeats,
        'files': results,
    }


def _compare(file: RawFile, repeats: int) -> dict[str, Any]:
    readers: dict[str, Reader] = {}
    rows: dict[str, dict[str, Any]] = {}
    for name, reader_of in READERS.items():
        row: dict[str, Any] = {'version': None, 'differs': None}
        rows[name] = row
        try:
            row['version'] = metadata.version(name) if name != OURS else 'this one'
            reader = reader_of(file)
            answer = reader.events_of(reader.read())
            row['differs'] = _difference(answer, file.events)
            if len(answer) == len(file.events):
                readers[name] = reader
        except ImportError:
            row['differs'] = 'not installed: see requirements-test.txt'
        except Exception as error:  # peers may raise anything
            row['differs'] = f'cannot read the file: {error}'
    if rows[OURS]['differs']:
        raise InputError(f'{file.name}: our own decoder is wrong: {rows[OURS]["differs"]}')
    for name, seconds in _seconds(readers, repeats).items():
        rows[name] |= {key: len(file.events) / float(np.quantile(seconds, quantile)) / 1e6
                       for key, quantile in (('median', 0.5), ('p95', 0.95))}
    return {
        'file': file.name, 'encoding': file.encoding, 'origin': file.origin,
        'events': len(file.events), 'bytes': file.path.stat().st_size, 'readers': rows,
        'times_faster': {name: rows[OURS]['median'] / rows[name]['median']
                         for name in readers if name != OURS},
    }


def _difference(events: np.ndarray, expected: np.ndarray) -> str | None:
    if len(events) != len(expected):
        return f'{len(events)} events instead of {len(expected)}'
    wrong = [f'{field} differs in {int(np.count_nonzero(off))} events, by up to '
             f'{int(np.abs(off).max())}'
             for field in 'txyp'
             if (off := events[field].astype(np.int64) - expected[field]).any()]
    return '; '.join(wrong) or None


def _seconds(readers: dict[str, Reader], repeats: int) -> dict[str, list[float]]:
    """Time each reader in ROUNDS blocks of runs, so that a slow phase affects all readers.

    The first runs of each block re-warm the caches, whose contents the other readers have evicted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(ROUNDS):
        for name, reader in readers.items():
            runs = [_seconds_of(reader) for _ in range(WARM_UP + math.ceil(repeats / ROUNDS))]
            seconds[name] += runs[WARM_UP:]
    return seconds


def _seconds_of(reader: Reader) -> float:
    start = time.perf_counter()
    arrays = reader.read()
    elapsed = time.perf_counter() - start
    del arrays  # freeing is not timed
    return elapsed


def _ours(file: RawFile) -> Reader:
    return Reader(lambda: open_recording(file.path).events(), lambda events: events)


def _expelliarmus(file: RawFile) -> Reader:
    wizard = importlib.import_module('expelliarmus').Wizard(encoding=file.encoding)

    def events_of(array) -> np.ndarray:
        if array is None:
            raise ValueError('it returns nothing, since it does not know a word type')
        return event_array(array['t'], array['x'], array['y'], array['p'])

    return Reader(lambda: wizard.read(str(file.path)), events_of)


def _faery(file: RawFile) -> Reader:
    faery = importlib.import_module('faery')
    return Reader(
        lambda: faery.events_stream_from_file(
            file.path, dimensions_fallback=(file.width, file.height)).to_array(),
        lambda array: event_array(array['t'], array['x'], array['y'], array['on']))


def _evlib(file: RawFile) -> Reader:
    evlib = importlib.import_module('evlib')

    def events_of(frame) -> np.ndarray:
        return event_array(frame['t'].dt.total_microseconds().to_numpy(), frame['x'].to_numpy(),
                           frame['y'].to_numpy(), frame['polarity'].to_numpy() > 0)

    return Reader(lambda: evlib.load_events(str(file.path)).collect(), events_of)


OURS = 'hybrid_pose_ros'
READERS = {OURS: _ours, 'expelliarmus': _expelliarmus, 'faery': _faery, 'evlib': _evlib}


def _recorded(recordings: Path, folder: Path) -> Iterator[RawFile]:
    """Yield real files, and the payloads of EVT3 bags as files, each with reference output."""
    for path in sorted(recordings.glob('raw/*.raw')):
        recording = open_recording(path)
        yield RawFile(path.stem, path, recording.encoding, recording.width, recording.height,
                      _checked(recording.events(), path.with_suffix('.json')), 'recorded')
    for path in sorted(recordings.glob('bags/*')):
        bag = EventBag(path)
        if bag.encoding == 'evt3':
            payload = b''.join(packet.payload for packet in bag.packets())
            yield RawFile(path.name, _raw_file(folder, path.name, bag, payload), bag.encoding,
                          bag.width, bag.height,
                          _checked(bag.events(), path / 'ground_truth.json'),
                          'payload of a recorded bag')


def _checked(events: np.ndarray, truth: Path) -> np.ndarray:
    expected = json.loads(truth.read_text())
    for field, key in (('t', 't_us_int64le'), ('x', 'x_uint16le'), ('y', 'y_uint16le'),
                       ('p', 'p_uint8')):
        if hashlib.sha256(events[field].tobytes()).hexdigest() != expected[f'sha256_{key}']:
            raise InputError(f'our own decoder is wrong: {field} differs from {truth}')
    return events


def _generated(folder: Path) -> Iterator[RawFile]:
    """Yield files written by our own encoder: short edges that move randomly."""
    rng = np.random.default_rng(0)
    edges = GENERATED_EVENTS // 4
    lengths = rng.geometric(0.25, edges)
    along = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    events = event_array(
        np.repeat(4096 + np.sort(rng.integers(0, edges, edges)), lengths),
        np.repeat(rng.integers(0, 1200, edges), lengths) + along,
        np.repeat(rng.integers(0, 720, edges), lengths),
        np.repeat(rng.integers(0, 2, edges), lengths))[:GENERATED_EVENTS]
    events = events[events['x'] < 1280]
    for encoding, payload in (('evt3', Evt3Encoder(1280, 720).encode(events)),
                              ('evt2', _evt2_words(events).tobytes())):
        name = f'generated_{encoding}'
        path = _raw_file(folder, name, RawFile(name, folder, encoding, 1280, 720, events, ''),
                         payload)
        yield RawFile(name, path, encoding, 1280, 720, events, 'generated by our own encoder')


def _evt2_words(events: np.ndarray) -> np.ndarray:
    """Return a TIME_HIGH word and an event word for each event."""
    words = np.empty((len(events), 2), '<u4')
    words[:, 0] = 0x8 << 28 | events['t'] >> 6
    words[:, 1] = (events['p'].astype(np.int64) << 28 | (events['t'] & 0x3F) << 22
                   | events['x'].astype(np.int64) << 11 | events['y'])
    return words


def _raw_file(folder: Path, name: str, sensor, payload: bytes) -> Path:
    """Write a .raw file whose header satisfies every reader."""
    path = folder / f'{name}.raw'
    size = f'{sensor.width}x{sensor.height}'
    version = sensor.encoding[-1]
    header = (f'% evt {version}.0\n% format EVT{version};height={sensor.height};'
              f'width={sensor.width}\n% geometry {size}\n% end\n')
    path.write_bytes(header.encode() + payload)
    return path


@contextmanager
def _one_core() -> Iterator[int | None]:
    """Pin this thread, and those that it starts, to one core; yield None if that is impossible."""
    if not hasattr(os, 'sched_setaffinity'):
        yield None
        return
    cores = os.sched_getaffinity(0)
    core = max(cores)
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, cores)


def _cpu() -> str:
    info = Path('/proc/cpuinfo')
    names = [line.partition(':')[2].strip() for line in info.read_text().splitlines()
             if line.startswith('model name')] if info.exists() else []
    return names[0] if names else platform.processor()
