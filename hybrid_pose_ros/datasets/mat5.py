# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads a structure of matrices from a MATLAB file of version 5 (also called 6 and 7).

Only what DHP19 needs is implemented; scipy's reader can crash the process on a damaged file.

Source: The MathWorks, MAT-File Format, version 5.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import RecordingError

HEADER_BYTES = 128
MOST_BYTES = 1 << 26
"""Maximum uncompressed size of an element; 13 joint positions take 300 bytes per sample."""

MOST_FIELDS = 1000

_COMPRESSED, _MATRIX = 15, 14
_NUMBERS = {1: 'i1', 2: 'u1', 3: 'i2', 4: 'u2', 5: 'i4', 6: 'u4', 7: 'f4', 9: 'f8', 12: 'i8',
            13: 'u8'}
_STRUCTURE, _FIRST_NUMERIC, _LAST_NUMERIC = 2, 6, 15  # array classes


class _Damaged(ValueError):
    """The file violates the format."""


class _Element(NamedTuple):
    kind: int
    content: memoryview


class _Array(NamedTuple):
    kind: int  # array class
    shape: tuple[int, ...]
    name: str
    parts: Iterator[_Element]  # elements after the name


def read_structure(path: Path, name: str) -> dict[str, np.ndarray]:
    """Return the matrix fields of the variable `name`, a structure with one element.

    Raises:
        RecordingError: the file cannot be read, is damaged, or has no such variable.
    """
    try:
        content = memoryview(path.read_bytes())
    except OSError as error:
        raise RecordingError(f'{path} cannot be read: {error.strerror}') from error
    order = {b'IM': '<', b'MI': '>'}.get(bytes(content[HEADER_BYTES - 2:HEADER_BYTES]))
    if order is None:
        raise RecordingError(f'{path} is not a MATLAB file of version 5: no byte order '
                             f'at byte {HEADER_BYTES - 2}')
    names = []
    try:
        for element in _unpacked(content[HEADER_BYTES:], order):
            if element.kind == _MATRIX and _class(element.content, order) <= _LAST_NUMERIC:
                array = _array(element.content, order)
                if array.name == name:
                    return _fields(array, order)
                names.append(array.name)
    except _Damaged as error:
        raise RecordingError(f'{path} is damaged: {error}') from error
    raise RecordingError(f'{path} has no variable {name}: found '
                         f'{", ".join(names[:5]) or "none"}')


def _elements(content: memoryview, order: str) -> Iterator[_Element]:
    """Yield consecutive elements; a small element has its content within its tag."""
    at = 0
    while at < len(content):
        if at + 8 > len(content):
            raise _Damaged('it is truncated')
        kind, size = struct.unpack_from(order + 'II', content, at)
        start, step = at + 8, 8
        if kind >> 16:
            kind, size, start, step = kind & 0xFFFF, kind >> 16, at + 4, 4
        if (step == 4 and size > 4) or start + size > len(content):
            raise _Damaged(f'an element of {size} bytes exceeds its parent')
        yield _Element(kind, content[start:start + size])
        at = start + size + (0 if kind == _COMPRESSED else -(start + size) % 8)


def _unpacked(content: memoryview, order: str) -> Iterator[_Element]:
    for element in _elements(content, order):
        if element.kind != _COMPRESSED:
            yield element
            continue
        unpacker = zlib.decompressobj()
        try:
            plain = unpacker.decompress(element.content, MOST_BYTES)
        except zlib.error as error:
            raise _Damaged(f'a variable cannot be unpacked: {error}') from error
        if unpacker.unconsumed_tail:
            raise _Damaged(f'a variable has more than {MOST_BYTES} bytes')
        for inner in _elements(memoryview(plain), order):
            yield inner
            break  # a compressed element contains one array


def _class(content: memoryview, order: str) -> int:
    """Return the class of an array; objects and functions have another layout."""
    flags = next(_elements(content, order), None)
    if flags is None or len(flags.content) < 4:
        raise _Damaged('a variable is truncated')
    return struct.unpack_from(order + 'I', flags.content)[0] & 0xFF


def _array(content: memoryview, order: str) -> _Array:
    parts = _elements(content, order)
    kind = _class(content, order)
    _, shape, name = (next(parts, None) for _ in range(3))
    if shape is None or name is None:
        raise _Damaged('a variable is truncated')
    sides = tuple(_integers(shape, order))
    if not (2 <= len(sides) <= 32 and all(side >= 0 for side in sides)):
        raise _Damaged(f'a variable has the shape {sides[:32]}')
    return _Array(kind, sides, bytes(name.content).decode('latin-1'), parts)


def _values(element: _Element, order: str) -> np.ndarray:
    kind = _NUMBERS.get(element.kind)
    if kind is None:
        raise _Damaged(f'type {element.kind} is not numeric')
    dtype = np.dtype(order + kind)
    if len(element.content) % dtype.itemsize:
        raise _Damaged(f'{len(element.content)} bytes are not numbers of {dtype.itemsize} bytes')
    return np.frombuffer(bytes(element.content), dtype)


def _integers(element: _Element, order: str) -> list[int]:
    values = _values(element, order)
    if values.dtype.kind == 'f':
        raise _Damaged(f'type {element.kind} is not an integer type')
    return values.tolist()


def _fields(array: _Array, order: str) -> dict[str, np.ndarray]:
    if array.kind != _STRUCTURE or math.prod(array.shape) != 1:
        raise _Damaged(f'{array.name} has class {array.kind} and shape {array.shape}, expected '
                       f'a structure ({_STRUCTURE}) with one element')
    length, names = next(array.parts, None), next(array.parts, None)
    if length is None or names is None or len(length.content) != 4:
        raise _Damaged(f'{array.name} lacks the names of its fields')
    width, *_ = _integers(length, order)
    text = bytes(names.content)
    if width < 1 or len(text) > MOST_FIELDS * width:
        raise _Damaged(f'{array.name} has field names of {width} bytes, {len(text)} in total')
    named = [text[at:at + width].split(b'\0')[0].decode('latin-1')
             for at in range(0, len(text), width)]
    found = {}
    for name, part in zip(named, array.parts):
        if part.kind == _MATRIX and len(part.content):
            field = _array(part.content, order)
            if _FIRST_NUMERIC <= field.kind <= _LAST_NUMERIC:
                found[name] = _matrix(field, f'{array.name}.{name}', order)
    return found


def _matrix(array: _Array, name: str, order: str) -> np.ndarray:
    """Return the numbers of an array; MATLAB stores them in a smaller type if that is exact."""
    real = next(array.parts, None)
    if real is None:
        raise _Damaged(f'{name} has no numbers')
    values = _values(real, order)
    if len(values) != math.prod(array.shape):
        raise _Damaged(f'{name} has {len(values)} numbers, expected {array.shape}')
    return values.astype(np.float64).reshape(array.shape, order='F')
