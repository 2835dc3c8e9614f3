# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a target on many inputs in child processes and tells what should not have happened.

Inputs that lead to something new, an outcome or in Python code a step from line to line, join
those that further ones are made of. A child may crash, hang or be killed: its last input lies in
shared memory.
"""

import faulthandler
import math
import mmap
import multiprocessing
import os
import pickle
import resource
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

MOST_INPUT_BYTES = 1 << 20
CORPUS = 4096
TRACED = 8  # one input in so many is traced: it takes ten times as long
WEIGHED = 16  # memory is asked for after so many inputs: the answer takes as long as an input
MOST_MEMORY = 256 << 20  # of one input [bytes]
ADDRESS_SPACE = 4 << 30  # beyond what the child begins with [bytes]
LONGEST_S = 5.0
"""Processor time for one input; they take less than a millisecond. Ten times as long on the clock,
for those that wait for something."""


class Wrong(Exception):
    """A result that contradicts what the reader promises."""


class Target(NamedTuple):
    """One reader and what it is fed with."""

    seeds: Callable[[Random], list]  # valid inputs
    mutate: Callable[[Random, Any, Any], Any]  # an input, and another one to splice from
    open: Callable[[Path], AbstractContextManager[Callable[[Any], Hashable]]]
    """Given a folder of its own: the function that reads an input and returns what to call it.

    Inputs with results of another name are kept. It raises Wrong, or one of `errors`."""
    errors: tuple[type[Exception], ...]  # with which the reader may refuse an input
    traced: tuple[str, ...] = ()  # parts of the paths of the Python code that it runs through


class Finding(NamedTuple):
    """One way to fail, with the first input that did."""

    what: str  # exception and place; 'crash', 'hang' or 'memory' and what is known of it
    input: Any


class Report(NamedTuple):
    """What a run of one target came to."""

    inputs: int
    kept: int  # inputs that led to something new
    seconds: float
    findings: dict[str, Finding]  # by what they have in common
    failed: int  # inputs, those of the same finding included


class _Slot:
    """Number and bytes of the input that a child works on."""

    def __init__(self):
        self._memory = mmap.mmap(-1, 16 + MOST_INPUT_BYTES)

    def put(self, number: int, value: Any) -> None:
        data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)[:MOST_INPUT_BYTES]
        self._memory[8:16] = len(data).to_bytes(8, 'little')
        self._memory[16:16 + len(data)] = data
        self._memory[:8] = number.to_bytes(8, 'little')

    @property
    def number(self) -> int:
        return int.from_bytes(self._memory[:8], 'little')

    def value(self) -> Any:
        return pickle.loads(self._memory[16:16 + int.from_bytes(self._memory[8:16], 'little')])


class _Steps:
    """The steps from line to line that code in some files takes."""

    def __init__(self, parts: tuple[str, ...]):
        self._parts = parts
        self._known: set[tuple] = set()
        self._last = 0
        self.new = False  # whether the last block took steps never taken before

    def __enter__(self) -> None:
        self._last, self.new = 0, False
        self._before = sys.gettrace()
        sys.settrace(self._call)

    def __exit__(self, *_) -> None:
        sys.settrace(self._before)

    def _call(self, frame, event, _):
        name = frame.f_code.co_filename
        return self._line if any(part in name for part in self._parts) else None

    def _line(self, frame, event, _):
        if event == 'line':
            step = frame.f_code, self._last, frame.f_lineno
            self._last = frame.f_lineno
            if step not in self._known:
                self._known.add(step)
                self.new = True
        return self._line


def fuzz(target: Target, *, inputs: int, seed: str, folder: Path, workers: int = 1,
         longest_s: float = LONGEST_S, most_s: float = math.inf) -> Report:
    """Run a target in child processes; one that ends early is replaced.

    Args:
        target: what to run.
        inputs: how many in total.
        seed: same seed and number of workers, same inputs, but for hangs and crashes.
        folder: for files of the children.
        workers: children at a time.
        longest_s: processor time after which an input counts as a hang; on the clock 10 times it.
        most_s: time after which to end, with fewer inputs.
    """
    started = time.monotonic()
    until = started + most_s
    findings: dict[str, Finding] = {}
    done = kept = failed = 0
    children = [_Child(target, inputs // workers + (index < inputs % workers), f'{seed}/{index}',
                       folder, until) for index in range(workers)]
    while children:
        wait([child.pipe for child in children], timeout=0.2)
        for child in list(children):
            for key, finding, count in child.news(longest_s):
                findings.setdefault(key, finding)
                failed += count
            if not child.ended:
                continue
            done += child.done
            kept += child.kept
            children.remove(child)
            if child.done < child.inputs and time.monotonic() < until:
                children.append(_Child(target, child.inputs - child.done, f'{child.seed}+', folder,
                                       until))
    return Report(done, kept, time.monotonic() - started, findings, failed)


class _Child:
    """A process that runs inputs, seen from its parent."""

    def __init__(self, target: Target, inputs: int, seed: str, folder: Path, until: float):
        self.inputs, self.seed = inputs, seed
        self.done = self.kept = 0
        self.ended = False
        self._slot = _Slot()
        self._hung = False
        self._seen = 0, time.monotonic(), 0.0
        self.pipe, end = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context('fork')  # what is compiled need not be loaded again
        self._process = context.Process(
            target=_work, args=(target, inputs, seed, folder, until, self._slot, end), daemon=True)
        self._process.start()
        end.close()

    def news(self, longest_s: float) -> list[tuple[str, Finding, int]]:
        """Return what was found since the last call, with how often."""
        news = []
        try:
            while self.pipe.poll():
                message = self.pipe.recv()
                if isinstance(message, int):
                    self.kept = message
                else:
                    news.append(message)
        except EOFError:
            self._process.join()
            self.ended = True
            self.done = self._slot.number
            if self._process.exitcode:
                news.append(self._death())
        self._watch(longest_s)
        return news

    def _watch(self, longest_s: float) -> None:
        if self.ended or self._hung:
            return
        number, since, cpu_s = self._seen
        if self._slot.number != number:
            self._seen = self._slot.number, time.monotonic(), self._cpu_s()
        elif number and (self._cpu_s() - cpu_s > longest_s
                         or time.monotonic() - since > 10 * longest_s):
            self._hung = True
            os.kill(self._process.pid, signal.SIGABRT)  # faulthandler tells where it was

    def _cpu_s(self) -> float:
        try:
            fields = Path(f'/proc/{self._process.pid}/stat').read_text().rpartition(')')[2].split()
        except OSError:  # it has just ended
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def _death(self) -> tuple[str, Finding, int]:
        code = self._process.exitcode
        if not self.done:
            raise RuntimeError(f'a child ended with {code} before its first input')
        what = ('hang' if self._hung else f'crash: {signal.Signals(-code).name}' if code < 0
                else f'crash: exit status {code}')
        return what, Finding(what, self._slot.value()), 1


def _work(target: Target, inputs: int, seed: str, folder: Path, until: float, slot: _Slot,
          pipe: Connection) -> None:
    faulthandler.enable()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    now = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + ADDRESS_SPACE, now + ADDRESS_SPACE))
    counts: dict[str, int] = {}

    def on_finding(key: str, finding: Finding) -> None:
        counts[key] = counts.get(key, 0) + 1
        pipe.send((key, finding if counts[key] == 1 else None, 1))

    folder = folder / f'{os.getpid()}'
    folder.mkdir()
    pipe.send(run_inputs(target, inputs, Random(seed), folder, slot.put, on_finding, until))
    pipe.close()


def run_inputs(target: Target, inputs: int, rng: Random, folder: Path,
               before: Callable[[int, Any], None],
               on_finding: Callable[[str, Finding], None], until: float = math.inf) -> int:
    """Run so many inputs in this process; return how many led to something new.

    Args:
        target: what to run.
        inputs: how many.
        rng: where they come from.
        folder: for files.
        before: called with the number, from 1, of every input and the input.
        on_finding: called with what findings have in common, and with the finding.
        until: time of the monotonic clock at which to end, with fewer inputs.
    """
    seeds = target.seeds(rng)
    corpus = list(seeds)
    known: set[Hashable] = set()
    steps = _Steps(target.traced)
    kept = 0
    recent = deque(maxlen=WEIGHED)
    peak = _peak_bytes()
    with target.open(folder) as run:
        for number in range(1, inputs + 1):
            value = (seeds[number - 1] if number <= len(seeds) else
                     target.mutate(rng, rng.choice(corpus), rng.choice(corpus)))
            before(number, value)
            recent.append(value)
            traced = bool(target.traced) and number % TRACED == 0
            try:
                with steps if traced else nullcontext():
                    outcome = run(value)
            except target.errors as error:
                outcome = place_of(error)
            except BaseException as error:  # also a panic of Rust code, which is no Exception
                if isinstance(error, KeyboardInterrupt):
                    raise
                outcome = place_of(error)
                text = ''.join(traceback.format_exception(error, limit=-5, chain=False))
                on_finding(outcome, Finding(text, value))
            ends = number == inputs or time.monotonic() > until
            if number % WEIGHED == 0 or ends:
                last_peak, peak = peak, _peak_bytes()
                if peak - last_peak > MOST_MEMORY:
                    on_finding('memory', Finding(f'memory: {peak - last_peak} bytes more for one '
                                                 'of these: ', list(recent)))
            if (traced and steps.new) or outcome not in known:
                known.add(outcome)
                kept += 1
                if len(corpus) < CORPUS:
                    corpus.append(value)
                else:
                    corpus[rng.randrange(CORPUS)] = value
            if ends:
                break
    return kept


def place_of(error: BaseException) -> str:
    """Return the kind of an exception, and where it comes from: what makes two the same."""
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    return _place(type(error).__name__, last.tb_frame.f_code.co_filename, last.tb_lineno)


@cache
def _place(kind: str, filename: str, line: int) -> str:
    path = Path(filename)
    return f'{kind} at {path.parent.name}/{path.name}:{line}'


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
