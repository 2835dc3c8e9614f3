# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compressed parts of files, unpacked with a limit: a few bytes can stand for gigabytes."""

import lz4.frame
import zstandard

from hybrid_pose_ros.errors import RecordingError

ZSTD = b'\x28\xb5\x2f\xfd'
"""First bytes of what Zstandard compressed."""

MOST_BYTES = 1 << 28
"""What one chunk, message or packet may unpack to; recorders write a mebibyte at a time."""

STEP_BYTES = 1 << 12
"""Unpacked at a time: 4 KiB become 128 MiB at most."""

_UNPACKERS = {'zstd': lambda: zstandard.ZstdDecompressor().decompressobj(),
              'lz4': lz4.frame.LZ4FrameDecompressor}


def unpacked(packed: bytes, compression: str) -> bytes:
    """Return what was compressed.

    Args:
        packed: one frame.
        compression: 'zstd', 'lz4', or '' for none.

    Raises:
        RecordingError: the frame is damaged, cut short, too large or of another compression.
    """
    if not compression:
        return packed
    if compression not in _UNPACKERS:
        raise RecordingError(f'compression {compression!r} is not known, expected zstd or lz4')
    unpacker, parts, size = _UNPACKERS[compression](), [], 0
    try:
        for start in range(0, len(packed), STEP_BYTES):
            parts.append(unpacker.decompress(packed[start:start + STEP_BYTES]))
            size += len(parts[-1])
            if size > MOST_BYTES:
                raise RecordingError(f'it unpacks to more than {MOST_BYTES} bytes')
            if unpacker.eof:
                return b''.join(parts)
    except (zstandard.ZstdError, RuntimeError, MemoryError) as error:  # RuntimeError: of lz4
        raise RecordingError(f'it cannot be unpacked ({str(error) or type(error).__name__})'
                             ) from error
    raise RecordingError(f'it cannot be unpacked: the {compression} frame is cut short')
