# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A self-describing POSIX shared-memory segment with a ring of states.

    line 0            magic, version, slots, bytes of a slot, start of slot 0, bytes of the JSON
    line 1            sequence number of the newest complete state, 0 = none
    line 2 + slot     lock, sensor time [us], checksum of the state in that slot
    then              JSON: model and tensors
    page-aligned      the slots

A line is 64 bytes, which avoids false sharing; a word is an int64. The lock of a slot is 2 * n - 1
while state n is being written and 2 * n once it is complete (the *generation*). A reader that sees
the same even number before and after using the slot has used only state n.

Python's multiprocessing.shared_memory is not used, because before Python 3.13 its resource tracker
unlinks segments of other processes at exit. Only Linux is supported. Segments are private to their
user (mode 0600); there is no protection against the user's own programs, which could truncate a
segment in use.
"""

import errno
import fcntl
import functools
import json
import mmap
import os
import secrets
import stat
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid_pose_ros.errors import TransportError
from hybrid_pose_ros.transport.descriptor import (
    ALIGNMENT, MAX_BYTES, SEGMENT_NAME, TensorSpec, aligned, check_integer, check_segment_name,
    check_tensors, state_bytes)
from hybrid_pose_ros.transport.faults import InaccessibleState
from hybrid_pose_ros.transport.fence import store

SHM = '/dev/shm'
MAGIC = int.from_bytes(b'hposring', 'little')
VERSION = 1
LINE = 8  # words
HEAD = LINE
MAX_SLOTS = 64
MAX_HEADER_BYTES = 1 << 20


@dataclass(frozen=True, eq=False)
class Segment:
    """A mapped segment; any view of it keeps the mapping alive."""

    name: str
    mapping: mmap.mmap
    words: np.ndarray  # the header, int64
    slots: int
    slot_bytes: int
    start: int  # offset of slot 0 [bytes]
    model: str
    tensors: tuple[TensorSpec, ...]

    @functools.cached_property
    def byte_count(self) -> int:
        """Size of a state [bytes]."""
        return state_bytes(self.tensors)

    def state(self, slot: int) -> np.ndarray:
        """Return the bytes of the state in a slot, (byte_count,) uint8, as a view."""
        return np.frombuffer(self.mapping, np.uint8, self.byte_count,
                             self.start + slot * self.slot_bytes)

    def views(self, slot: int) -> dict[str, np.ndarray]:
        """Return views of the tensors in a slot by name; they are writable if the mapping is."""
        return tensor_views(self.state(slot), self.tensors)


def lock_word(slot: int) -> int:
    """Return the index of a slot's lock word; the next words are sensor time and checksum."""
    return LINE * (2 + slot)


def tensor_views(state: np.ndarray, tensors: tuple[TensorSpec, ...]) -> dict[str, np.ndarray]:
    """Return views of the tensors of a state by name."""
    return {tensor.name: state[tensor.offset:tensor.offset + tensor.byte_count]
            .view(tensor.dtype).reshape(tensor.shape) for tensor in tensors}


def state_checksum(state: np.ndarray) -> int:
    """Return the CRC-32 of a state's bytes; 0 is reserved for "not computed"."""
    return zlib.crc32(state.data) or 1


@functools.cache
def host_identity() -> str:
    """Return the identity of the kernel and /dev/shm; processes share memory if it is equal.

    Containers share a kernel but not /dev/shm, unless started with docker run --ipc=host.
    """
    try:
        mounted = os.stat(SHM)
        boot = Path('/proc/sys/kernel/random/boot_id').read_text(encoding='ascii').strip()
    except OSError as error:
        raise TransportError(f'this system has no POSIX shared memory: {error}') from error
    return f'{boot}:{mounted.st_dev:x}:{mounted.st_ino:x}'


def segment_path(name: str) -> str:
    """Return the path of a segment; its name must already have been checked."""
    check_segment_name(name)
    return f'{SHM}/{name}'


def new_name() -> str:
    """Return a unique segment name."""
    return f'hybrid_pose.{os.getpid()}.{secrets.token_hex(8)}'


def private_segment(tensors: tuple[TensorSpec, ...], *, model: str, slots: int) -> Segment:
    """Return a segment in private memory, for states that are sent inline."""
    size = _size(tensors, model, slots)
    return _formatted(new_name(), mmap.mmap(-1, size), tensors, model=model, slots=slots)


def create_segment(tensors: tuple[TensorSpec, ...], *, model: str,
                   slots: int) -> tuple[Segment, int]:
    """Return a new shared segment and the file descriptor that holds its lock.

    The lock (flock) marks the writer as alive: the kernel releases it however the writer dies, and
    it works across containers. The file gets its name last, so no process sees an unlocked or
    incomplete segment, and a writer that is killed in this function leaves nothing behind.

    Raises:
        TransportError: /dev/shm is full or missing.
    """
    size = _size(tensors, model, slots)
    fd = -1
    try:
        fd = os.open(SHM, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        # Allocate the pages now: later, a full /dev/shm would cause SIGBUS instead of an
        # exception.
        os.posix_fallocate(fd, 0, size)
        mapping = mmap.mmap(fd, size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
        segment = _formatted(new_name(), mapping, tensors, model=model, slots=slots)
        _link(fd, segment.name)
    except OSError as error:
        if fd >= 0:
            os.close(fd)
        raise TransportError(_no_room(size) if error.errno == errno.ENOSPC else
                             f'cannot create a segment in {SHM}: {error}') from error
    return segment, fd


def open_segment(name: str) -> Segment:
    """Map a segment read-only.

    Raises:
        InaccessibleState: the segment belongs to another user.
        TransportError: the segment no longer exists, or is not one of this package.
    """
    path = segment_path(name)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise TransportError(f'segment {name} is gone, its writer has ended: wait for the next '
                             'state') from error
    except PermissionError as error:
        raise InaccessibleState(f'segment {name} belongs to another user: send states inline or '
                                'run both nodes as the same user') from error
    except OSError as error:
        raise TransportError(f'segment {name} cannot be opened: {error.strerror}') from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size < mmap.PAGESIZE:
            raise TransportError(f'{path} is not a segment of this package')
        mapping = mmap.mmap(fd, status.st_size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE,
                            prot=mmap.PROT_READ)
    except (OSError, ValueError) as error:
        raise TransportError(f'segment {name} cannot be mapped: {error}') from error
    finally:
        os.close(fd)
    return _parsed(name, mapping)


def remove_segment(name: str) -> None:
    """Unlink a segment; processes that have mapped it keep access to the memory."""
    try:
        os.unlink(segment_path(name))
    except FileNotFoundError:
        pass


def segments_of(pids: Collection[int]) -> set[str]:
    """Return the names of all existing segments."""
    return {name for name in os.listdir(SHM)
            if SEGMENT_NAME.fullmatch(name) and int(name.split('.')[1]) in pids}


def collect_stale() -> tuple[str, ...]:
    """Remove the segments of dead writers, never of live ones; return their names."""
    collected = []
    for name in sorted(filter(SEGMENT_NAME.fullmatch, os.listdir(SHM))):
        try:
            fd = os.open(segment_path(name), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
                         | os.O_NONBLOCK)
        except OSError:
            continue  # owned by another user, or already removed
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_segment(name)
            collected.append(name)
        except OSError:
            continue  # locked: its writer is alive
        finally:
            os.close(fd)
    return tuple(collected)


def _link(fd: int, name: str) -> None:
    # Python follows the symbolic link in /proc only if a directory is passed.
    directory = os.open(SHM, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.link(f'/proc/self/fd/{fd}', name, dst_dir_fd=directory, follow_symlinks=True)
    finally:
        os.close(directory)


def _no_room(size: int) -> str:
    free = os.statvfs(SHM)
    return (f'{SHM} is full: {size / 2**20:.1f} MiB are needed, '
            f'{free.f_bavail * free.f_frsize / 2**20:.1f} MiB are free; enlarge it (docker run '
            '--shm-size) or use fewer slots')


def _description(tensors: tuple[TensorSpec, ...], model: str) -> bytes:
    return json.dumps({'model': model, 'tensors': tensors}).encode()


def _start(slots: int, description: bytes) -> int:
    return aligned(8 * lock_word(slots) + len(description), mmap.PAGESIZE)


def _size(tensors: tuple[TensorSpec, ...], model: str, slots: int) -> int:
    slot_bytes = aligned(state_bytes(tensors), mmap.PAGESIZE)
    return _start(slots, _description(tensors, model)) + slots * slot_bytes


def _formatted(name: str, mapping: mmap.mmap, tensors: tuple[TensorSpec, ...], *, model: str,
               slots: int) -> Segment:
    description = _description(tensors, model)
    start = _start(slots, description)
    slot_bytes = aligned(state_bytes(tensors), mmap.PAGESIZE)
    words = np.frombuffer(mapping, np.int64, start // 8)
    words[:6] = MAGIC, VERSION, slots, slot_bytes, start, len(description)
    store(words, HEAD, 0)
    described_at = 8 * lock_word(slots)
    mapping[described_at:described_at + len(description)] = description
    return Segment(name, mapping, words, slots, slot_bytes, start, model, tensors)


def _parsed(name: str, mapping: mmap.mmap) -> Segment:
    magic, version, slots, slot_bytes, start, described = (
        int(word) for word in np.frombuffer(mapping, np.int64, 6))
    if (magic, version) != (MAGIC, VERSION):
        raise TransportError(f'segment {name} was created by another version of the package')
    check_integer(f'segment {name}: slots', slots, 1, MAX_SLOTS)
    described_at = 8 * lock_word(slots)
    check_integer(f'segment {name}: start', start, described_at, MAX_HEADER_BYTES)
    check_integer(f'segment {name}: JSON bytes', described, 2, start - described_at)
    check_integer(f'segment {name}: slot bytes', slot_bytes, 1, MAX_BYTES)
    if (start | slot_bytes) % ALIGNMENT or start + slots * slot_bytes != len(mapping):
        raise TransportError(f'segment {name} has {len(mapping)} bytes, its header says '
                             f'{start} + {slots} * {slot_bytes}')
    try:
        description = json.loads(mapping[described_at:described_at + described])
        model = str(description['model'])
        tensors = tuple(TensorSpec(tensor, dtype, tuple(shape), offset)
                        for tensor, dtype, shape, offset in description['tensors'])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise TransportError(f'segment {name} does not describe its tensors') from error
    check_tensors(tensors, byte_count=slot_bytes)
    words = np.frombuffer(mapping, np.int64, start // 8)
    return Segment(name, mapping, words, slots, slot_bytes, start, model, tensors)
