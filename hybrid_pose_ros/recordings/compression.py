# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decompression with a size limit, since a few bytes can expand to gigabytes."""

import lz4.frame
import zstandard

from hybrid_pose_ros.errors import RecordingError

ZSTD = b'\x28\xb5\x2f\xfd'
"""First bytes of a Zstandard frame."""

MOST_BYTES = 1 << 28
"""Maximum uncompressed size of a chunk, message or packet; recorders write 1 MiB at a time."""

STEP_BYTES = 1 << 12
"""Compressed bytes per step; 4 KiB expand to at most 128 MiB."""

_UNPACKERS = {'zstd': lambda: zstandard.ZstdDecompressor().decompressobj(),
              'lz4': lz4.frame.LZ4FrameDecompressor}


def unpacked(packed: bytes, compression: str) -> bytes:
    """Return the uncompressed bytes.

    Args:
        packed: one compressed frame.
        compression: 'zstd', 'lz4', or '' for none.

    Raises:
        RecordingError: the frame is damaged, truncated or too large, or the compression unknown.
    """
    if not compression:
        return packed
    if compression not in _UNPACKERS:
        raise RecordingError(f'unknown compression {compression!r}, expected zstd or lz4')
    unpacker, parts, size = _UNPACKERS[compression](), [], 0
    try:
        for start in range(0, len(packed), STEP_BYTES):
            parts.append(unpacker.decompress(packed[start:start + STEP_BYTES]))
            size += len(parts[-1])
            if size > MOST_BYTES:
                raise RecordingError(f'it unpacks to more than {MOST_BYTES} bytes')
            if unpacker.eof:
                return b''.join(parts)
    except (zstandard.ZstdError, RuntimeError, MemoryError) as error:  # RuntimeError: from lz4
        raise RecordingError(f'it cannot be unpacked ({str(error) or type(error).__name__})'
                             ) from error
    raise RecordingError(f'it cannot be unpacked: the {compression} frame is truncated')
