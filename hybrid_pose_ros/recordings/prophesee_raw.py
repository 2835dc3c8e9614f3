# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Prophesee .raw files: a text header followed by EVT2 or EVT3 words.

EVT2.1, EVT4 and .dat files (decoded events) are not supported.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import PacketError, RecordingError
from hybrid_pose_ros.events.codec import Decoded
from hybrid_pose_ros.events.codecs import CODECS, PacketDecoder
from hybrid_pose_ros.events.event_array import no_events
from hybrid_pose_ros.recordings.recording import Recording

PIECE_BYTES = 1 << 18
ENCODINGS = {'2.0': 'evt2', '3.0': 'evt3', 'evt2': 'evt2', 'evt3': 'evt3'}
MAX_HEADER_LINE = 10_000

VGA, HD = (640, 480), (1280, 720)
SENSORS = (('genx320', (320, 320)), ('gen3', VGA), ('gen4', HD), ('imx636', HD), ('imx646', HD))
"""Names of plugins, sensors or generations, with their sensor sizes [px]."""

VGA_SYSTEMS = (0x15, 0x17, 0x19, 0x1C, 0x1D, 0x21, 0x22, 0x23, 0x28, 0x29, 0x97, 0x99, 0xA1, 0xA2)
HD_SYSTEMS = (0x1A, 0x1E, 0x1F, 0x20, 0x27, 0x2E, 0x30, 0x31, 0x32, 0x9A)
"""Values of system_ID of HD cameras, whose headers may lack the size."""


class RawHeader(NamedTuple):
    """Contents of the text header."""

    encoding: str
    width: int
    height: int
    size_bytes: int


class PropheseeRaw(Recording):
    """A file of EVT2 or EVT3 words; an incomplete last word is ignored."""

    def __init__(self, path: Path):
        """Read the header.

        Raises:
            RecordingError: the encoding is missing or not supported, or the sensor is unknown.
        """
        self.path = path
        self._header = read_header(path)
        self.encoding, self.width, self.height, _ = self._header

    def pieces(self) -> Iterator[Decoded]:
        """Yield the events in pieces of PIECE_BYTES of the file."""
        return self._decode(PIECE_BYTES)

    def events(self) -> np.ndarray:
        """Return all events, (N,) of EVENT_DTYPE, in decoding order, decoded in one piece."""
        whole = next(self._decode(self.path.stat().st_size), None)
        return no_events() if whole is None else whole.events

    def _decode(self, piece_bytes: int) -> Iterator[Decoded]:
        decoder = PacketDecoder(self.encoding, self.width, self.height)
        size = CODECS[self.encoding].word_bytes
        with self.path.open('rb') as file:
            file.seek(self._header.size_bytes)
            while len(words := np.fromfile(file, f'<u{size}', piece_bytes // size)):
                yield decoder.decode(words.data)


def read_header(path: Path) -> RawHeader:
    """Return the encoding and sensor size from the lines that start with a percent sign.

    Old files lack the size, which is then derived from the sensor name or the camera's system_ID.
    """
    fields, size_bytes = _fields(path)
    kind, _, options = fields.get('format', fields.get('evt', '')).partition(';')
    encoding = ENCODINGS.get(kind.lower())
    if encoding is None:
        found = 'a .dat file' if 'Data' in fields else f'in {kind or "an unknown"} format'
        raise RecordingError(f'{path} is {found}: expected EVT2 or EVT3 words after a header with '
                             '"% evt 2.0", "% evt 3.0" or "% format EVT2" or "EVT3"; record in '
                             'one of these formats')
    size = re.fullmatch(r'(\d{1,9})x(\d{1,9})', fields.get('geometry', '')) or re.fullmatch(
        r'(?=.*width=(\d{1,9})(?!\d))(?=.*height=(\d{1,9})(?!\d)).*', options)
    width, height = map(int, size.groups()) if size else _size_of_sensor(path, fields)
    try:
        PacketDecoder(encoding, width, height)
    except PacketError as error:
        raise RecordingError(f'{path}: {error}') from error
    return RawHeader(encoding, width, height, size_bytes)


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields of the header by name, and its length."""
    fields: dict[str, str] = {}
    with path.open('rb') as file:
        while True:
            size_bytes = file.tell()
            line = file.readline(MAX_HEADER_LINE)
            # Without `% end`, words that look like a line may follow; but text has no control
            # bytes.
            if not line.startswith(b'% ') or min(line.strip().replace(b'\t', b' ')) < ord(' '):
                return fields, size_bytes
            name, _, value = line[2:].decode('latin-1').strip().partition(' ')
            if name == 'end':
                return fields, file.tell()
            fields[name] = value.strip()


def _size_of_sensor(path: Path, fields: dict[str, str]) -> tuple[int, int]:
    names = ' '.join((fields.get('plugin_name', ''), fields.get('sensor_name', ''),
                      f'gen{fields.get("sensor_generation", "")}')).lower()
    for name, size in SENSORS:
        if name in names:
            return size
    number = fields.get('system_ID', '')
    system = int(number) if re.fullmatch(r'\d{1,9}', number) else None
    if system in VGA_SYSTEMS or system in HD_SYSTEMS:
        return VGA if system in VGA_SYSTEMS else HD
    raise RecordingError(f'{path} does not give the sensor size: add a line such as '
                         '"% geometry 1280x720" to its header')
