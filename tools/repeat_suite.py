# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run the test suite repeatedly: on a quiet machine, on a busy one, and in the background.

Each run leaves a log and a line in `runs.jsonl`; started again, the script runs what is missing.
A folder belongs to one commit. Exit status 1 if any test failed in any run.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
BUSY_LOOPS = 2
GRACE_S = 60.0

BUSY = 'import os\nwhile os.getppid() == {parent}:\n    sum(range(10**6))'
"""A loop that ends with the process that started it, however that process ends."""

BACKGROUND = ('sh', '-c', 'nohup "$@" & wait $!', 'sh')
"""The command behind these words ignores SIGINT and SIGHUP, as every script's background job."""


@dataclass(frozen=True)
class Run:
    """The result of one run of the suite."""

    number: int
    kind: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    status: int
    commit: str


def main() -> int:
    """Run the suite as often as the command line asks."""
    parser = argparse.ArgumentParser(
        description=__doc__.split('\n')[0], epilog='further arguments go to pytest',
        allow_abbrev=False)
    for kind, count in (('quiet', 5), ('busy', 5), ('background', 2)):
        parser.add_argument(f'--{kind}', type=int, default=count, metavar='N',
                            help='runs (%(default)s)')
    parser.add_argument('--output', type=Path, default=Path('out', 'repeat'),
                        help='folder of logs and results, a folder for each commit (%(default)s)')
    args, pytest_arguments = parser.parse_known_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # it ends the tests, too
    commit = _commit()
    folder = args.output / commit
    folder.mkdir(parents=True, exist_ok=True)
    kinds = ['quiet'] * args.quiet + ['busy'] * args.busy + ['background'] * args.background
    done = {run.number: run for run in _recorded(folder / 'runs.jsonl')}
    for number, kind in enumerate(kinds, 1):
        if number not in done or done[number].kind != kind:
            done[number] = _run(number, kind, commit, folder, pytest_arguments)
            with (folder / 'runs.jsonl').open('a') as results:
                results.write(json.dumps(asdict(done[number])) + '\n')
            print(_row(done[number]), flush=True)
    runs = [done[number] for number in range(1, len(kinds) + 1)]
    _summarize(runs, folder)
    return int(any(run.status for run in runs))


def _recorded(path: Path) -> list[Run]:
    """Return the runs before an interruption."""
    return [Run(**json.loads(line)) for line in path.read_text().splitlines()] \
        if path.exists() else []


def _run(number: int, kind: str, commit: str, folder: Path, arguments: Sequence[str]) -> Run:
    """Run the suite once under the conditions of a kind."""
    results, log = (folder / f'{number:02}_{kind}{suffix}' for suffix in ('.xml', '.log'))
    command = [*(BACKGROUND if kind == 'background' else ()), sys.executable, '-m', 'pytest',
               f'--junitxml={results.resolve()}', *arguments]
    results.unlink(missing_ok=True)
    start_s = time.monotonic()
    with _busy_loops(BUSY_LOOPS if kind == 'busy' else 0), log.open('w') as output:
        status = _finished(command, output)
    passed, failed, skipped = _counts(results) if results.exists() else (0, 0, 0)
    return Run(number, kind, passed, failed, skipped, round(time.monotonic() - start_s, 1),
               status, commit)


@contextmanager
def _busy_loops(count: int) -> Iterator[None]:
    """Keep this many cores busy."""
    loops = [subprocess.Popen([sys.executable, '-c', BUSY.format(parent=os.getpid())])
             for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def _finished(command: Sequence[str], output) -> int:
    """Return a command's exit status; an interrupt of this script ends the command first."""
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output,
                          stderr=subprocess.STDOUT, start_new_session=True) as process:
        try:
            return process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(GRACE_S)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
            raise


def _counts(results: Path) -> tuple[int, int, int]:
    """Return how many tests passed, failed and were skipped, by a JUnit file."""
    tests, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in ElementTree.parse(results).iter('testsuite'))
        for name in ('tests', 'failures', 'errors', 'skipped'))
    return tests - failures - errors - skipped, failures + errors, skipped


def _summarize(runs: Sequence[Run], folder: Path) -> None:
    """Print a line for each run, and the failed tests of those that failed."""
    print(f'\n{len(runs)} runs at {runs[0].commit}, logs in {folder}' if runs else 'no runs')
    for run in runs:
        print(_row(run))
    for run in runs:
        if run.status:
            log = (folder / f'{run.number:02}_{run.kind}.log').read_text(errors='replace')
            print(*(f'run {run.number}: {line}' for line in log.splitlines()
                    if line.startswith(('FAILED', 'ERROR'))), sep='\n')


def _row(run: Run) -> str:
    return (f'{run.number:2} {run.kind:10} {run.passed:5} passed {run.failed:3} failed '
            f'{run.skipped:4} skipped {run.seconds:7.1f} s  status {run.status}')


def _commit() -> str:
    described = subprocess.run(['git', 'describe', '--always', '--dirty'], cwd=ROOT, text=True,
                               capture_output=True)
    return described.stdout.strip() or 'unversioned'


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print('interrupted: the same command continues', file=sys.stderr)
        sys.exit(130)
