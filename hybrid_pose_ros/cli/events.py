# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose events`: count the events of a recording."""

import argparse
from dataclasses import asdict
from typing import Any

import numpy as np

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.recordings.event_times import EventTimes
from hybrid_pose_ros.recordings.formats import open_recording
from hybrid_pose_ros.recordings.recording import PacketRecording

SUMMARY = 'Count the events of a recording: bag, Prophesee .raw, AEDAT4 or HDF5.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: file and topic."""
    parser.add_argument('file', metavar='FILE', help='bag folder or file')
    parser.add_argument('--topic', help='topic of the event packets, if a bag has several; '
                        'number or name of the event stream of an AEDAT4 file')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Return counts, first and last time in decoding order, sums, and, for bags, the losses.

    `damage` describes the parts of the recording that could not be read.
    """
    recording = open_recording(args.file, args.topic)
    stream, times = PacketStream(), EventTimes()
    pieces = (recording.pieces(stream) if isinstance(recording, PacketRecording)
              else recording.pieces())
    result: dict[str, Any] = {
        'width': recording.width, 'height': recording.height, 'encoding': recording.encoding,
        'count': 0, 'first_t_us': None, 'last_t_us': None, 'on': 0, 'off': 0, 'sum_x': 0,
        'sum_y': 0, 'triggers': 0, 'damage': ''}
    try:
        for events, triggers in pieces:
            result['triggers'] += len(triggers)
            if len(events):
                times.add(0, recording.encoding, events['t'])
                _count(result, events)
    except RecordingError as error:
        if not result['count']:
            raise
        result['damage'] = str(error)
    result['off'] = result['count'] - result['on']
    result |= {'gaps': times.gap_line(), 'seconds_of_gaps': times.gaps().seconds}
    if isinstance(recording, PacketRecording):
        result |= {name: value for name, value in asdict(stream.counts).items()
                   if name != 'events'}
    return result


def _count(result: dict[str, Any], events: np.ndarray) -> None:
    """Add the events of a piece."""
    if result['first_t_us'] is None:
        result['first_t_us'] = int(events['t'][0])
    result['last_t_us'] = int(events['t'][-1])
    result['count'] += len(events)
    result['on'] += int(events['p'].sum(dtype=int))
    result['sum_x'] += int(events['x'].sum(dtype=int))
    result['sum_y'] += int(events['y'].sum(dtype=int))


def show(result: dict[str, Any]) -> None:
    """Print the results, one per line."""
    for name, value in result.items():
        if name not in ('gaps', 'seconds_of_gaps', 'damage'):
            print(f'{name.replace("_", " "):>14}  {value}')
    if result['count'] > 1:
        seconds = (result['last_t_us'] - result['first_t_us']) / 1e6
        print(f'{"duration":>14}  {seconds:.6f} s')
        seconds -= result['seconds_of_gaps']
        if seconds > 0:
            print(f'{"rate":>14}  {result["count"] / seconds / 1e6:.3f} million events per second'
                  + (', gaps not counted' if result['gaps'] else ''))
    if result['gaps']:
        print(f'{"gaps":>14}  {result["gaps"].removesuffix(": skipped")}')
