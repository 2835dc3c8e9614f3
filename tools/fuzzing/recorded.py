# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Targets: whole bags, with odd messages next to the events or with broken files."""

from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from bag_files import EVENT_PACKET, TOPIC, a_packet, packet_messages, write_mcap, write_sqlite
from mcap.writer import CompressionType
from run_bags import diagnostics, skeleton

from fuzzing.campaign import Target, Wrong
from fuzzing.mutations import mutated, sequence_mutated
from hybrid_pose_ros.errors import InputError, RecordingError
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.events.codecs import compile_codecs
from hybrid_pose_ros.recorded_runs.bag_evaluation import evaluate_bag, recorded_step_us
from hybrid_pose_ros.recorded_runs.run_moments import run_moments, skeleton_of
from hybrid_pose_ros.recordings.bag_messages import bag_messages
from hybrid_pose_ros.recordings.event_packet_cdr import parse_event_packet
from hybrid_pose_ros.recordings.pose_topics import (
    DIAGNOSTICS, SKELETON, SKELETONS, STATE, TRUTH, TYPES, WORLD)

PACKETS = [a_packet(seq, bytes([1, 128, 1, 96 + seq, 3, 0, 5, 32])) for seq in range(10)]
LOGGED_NS = PACKETS[0].stamp_ns
OTHER_TYPES = ('std_msgs/msg/String', '', 'no/msg/Type', 'hybrid_pose_ros/msg/TrackerStatus',
               EVENT_PACKET, *TYPES.values())


class Odd(NamedTuple):
    """A message next to the events."""

    topic: str
    type: str
    cdr: bytes


def _messages(_: Random) -> list[tuple[Odd, ...]]:
    poses = [skeleton(4000 + 4096 * step, np.full((13, 2), 50.0 + step), np.ones(13),
                      age_us=1000 * step) for step in range(6)]
    array = b'\0\1\0\0' + bytes(8) + b'\1\0\0\0\0\0\0\0' + b'\1\0\0\0' + bytes(poses[0])[4:]
    typed = [(SKELETON, pose) for pose in poses] + [(TRUTH, pose) for pose in poses]
    typed += [(DIAGNOSTICS, diagnostics(name, power_mw='1.5', power_mw_at_every_step='100'))
              for name in ('snn_tracker', 'ann_initializer', 'battery')]
    seeds = [tuple(Odd(topic, TYPES[topic], bytes(cdr)) for topic, cdr in some) for some in (
        typed, [*typed, (SKELETONS, array)], [(STATE, bytes(400)), (WORLD, bytes(400)), *typed])]
    return [*seeds, tuple(odd._replace(topic=f'/left{odd.topic}') for odd in seeds[0]) + seeds[0]]


def _mutated_messages(rng: Random, messages: tuple, other: tuple) -> tuple[Odd, ...]:
    if not messages or not rng.randrange(5):
        return tuple(sequence_mutated(rng, messages, other))
    at = rng.randrange(len(messages))
    odd = messages[at]
    match rng.randrange(8):
        case 0:
            odd = odd._replace(type=rng.choice(OTHER_TYPES))
        case 1:
            odd = odd._replace(topic=rng.choice((*TYPES, '/left' + SKELETON, '/a', TOPIC)))
        case _:
            odd = odd._replace(cdr=mutated(rng, odd.cdr, rng.choice(other or messages).cdr))
    return (*messages[:at], odd, *messages[at + 1:])


@contextmanager
def _open_messages(folder: Path):
    compile_codecs()
    path = folder / 'bag.mcap'

    def read(messages):
        odd = [(topic, kind, LOGGED_NS + 1000 * index, cdr)
               for index, (topic, kind, cdr) in enumerate(messages)]
        write_mcap(path, packet_messages(PACKETS) + odd, compression=CompressionType.NONE)
        params = EvaluationParams(step_us=recorded_step_us(path) or 1000)
        moments = 0
        for moment in run_moments(path, period_us=40_000):
            moments += 1
            if moment.pose is not None:
                skeleton_of(moment.pose)
        with np.errstate(all='ignore'):
            result = evaluate_bag(path, None, params, topic=TOPIC, re_run=False, partial=True)
        report = result['run']
        if report['packets'] < len(PACKETS) or report['cut_short']:
            raise Wrong(f'{report}')
        return min(moments, 8), min(report['poses'], 8), len(report), bool(result['errors'])
    yield read


class Split(NamedTuple):
    """The files of a bag, and whether metadata names them."""

    named: bool
    files: tuple[bytes | None, ...]  # None: missing


def _whole_files() -> dict[bytes, list[int]]:
    """Return files of a split bag, and the numbers of their packets."""
    ways = (lambda path, some: write_mcap(path, some, chunk_size=300),
            lambda path, some: write_mcap(path, some, finish=False, chunk_size=300),
            lambda path, some: write_mcap(path, some, compression=CompressionType.NONE),
            write_sqlite)
    files = {}
    for number, write in enumerate(ways):
        seqs = list(range(8 * number, 8 * number + 8))
        with TemporaryDirectory() as folder:
            path = Path(folder, 'file')
            write(path, packet_messages([a_packet(seq) for seq in seqs]))
            files[path.read_bytes()] = seqs
    return files


WHOLE = _whole_files()


def _splits(_: Random) -> list[Split]:
    files = tuple(WHOLE)
    return [Split(True, files), Split(False, files[:2]), Split(True, files[::-1])]


def _mutated_split(rng: Random, split: Split, other: Split) -> Split:
    at, files = rng.randrange(len(split.files)), list(split.files)
    another = rng.choice(other.files)
    files[at] = rng.choice((b'', None, another, rng.choice(tuple(WHOLE)),
                            mutated(rng, files[at] or b'', another or b'')))
    named = split.named if rng.randrange(8) else not split.named
    return Split(named, tuple(files))


@contextmanager
def _open_split(folder: Path):
    compile_codecs()
    bag = folder / 'bag'
    bag.mkdir()
    names = [f'bag_{index}.mcap' for index in range(len(WHOLE))]  # the first bytes say what it is

    def read(split):
        for name, content in zip(names, split.files):
            (bag / name).unlink(missing_ok=True)
            if content is not None:
                (bag / name).write_bytes(content)
        (bag / 'metadata.yaml').unlink(missing_ok=True)
        if split.named:
            (bag / 'metadata.yaml').write_text(
                'rosbag2_bagfile_information:\n  relative_file_paths: '
                f'{names[:len(split.files)]}\n')
        seqs, fault = _packets(bag)
        found = iter(seqs)
        for content in split.files:
            if not all(seq in found for seq in WHOLE.get(content, ())):
                raise Wrong(f'{seqs} lack packets of whole files: {fault}')
        if not fault and None in split.files and split.named:
            raise Wrong('a missing file is not reported')
        return len(seqs), fault.count(';')
    yield read


def _packets(bag: Path) -> tuple[list[int], str]:
    """Return the numbers of the packets that can be read, and what is reported of the rest."""
    seqs = []
    try:
        for message in bag_messages(bag, [TOPIC]):
            seqs.append(_seq(message.cdr))
    except RecordingError as error:
        return seqs, str(error)
    return seqs, ''


def _seq(cdr: bytes) -> int:
    try:
        return parse_event_packet(cdr).seq
    except InputError:
        return -1


READERS = ('hybrid_pose_ros/recordings/', 'hybrid_pose_ros/recorded_runs/')
TARGETS = {'typed': Target(_messages, _mutated_messages, _open_messages, (InputError,), READERS),
           'split': Target(_splits, _mutated_split, _open_split, (InputError,), READERS)}
