# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Feed every decoder and reader of the package with broken inputs; see docs/fuzzing.md.

Exit status 1 where one of them did anything but return a result or its own error.
"""

import argparse
import hashlib
import os
import pickle
import signal
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
MEMORY = '/dev/shm'


def main() -> int:
    """Run the targets that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('targets', nargs='*', metavar='TARGET', help='all by default')
    parser.add_argument('--inputs', type=int, default=10_000, help='for each target')
    parser.add_argument('--minutes', type=float, default=float('inf'),
                        help='for each target: end with fewer inputs')
    parser.add_argument('--seed', default='0')
    parser.add_argument('--workers', type=int, default=1, help='processes')
    parser.add_argument('--findings', type=Path, default=Path('out', 'fuzz'),
                        help='folder for inputs that must not do what they do')
    parser.add_argument('--replay', type=Path, help='run one of these files in this process; '
                        'only your own: a pickle runs what it says')
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # or files stay in MEMORY
    targets = _targets()
    unknown = set(args.targets) - set(targets)
    if unknown:
        parser.error(f'{", ".join(sorted(unknown))} is none of {", ".join(targets)}')
    with TemporaryDirectory(dir=MEMORY, prefix='fuzz.') as folder:
        if args.replay:
            return _replay(args.replay, targets, Path(folder))
        return max(_run(name, targets[name], args, Path(folder))
                   for name in args.targets or targets)


def _targets() -> dict:
    # Compiled code checks no index unless told so before numba is loaded, and what is compiled so
    # must not be taken for what the nodes run.
    os.environ['NUMBA_BOUNDSCHECK'] = '1'
    os.environ.setdefault('NUMBA_CACHE_DIR', str(ROOT / 'build' / 'fuzz'))
    sys.path[1:1] = [str(ROOT), str(ROOT / 'test')]
    from fuzzing import arrays, datasets, files, packets, recorded, states, yaml_files
    return (packets.TARGETS | states.TARGETS | files.TARGETS | datasets.TARGETS | arrays.TARGETS
            | recorded.TARGETS | yaml_files.TARGETS)


def _run(name: str, target, args: argparse.Namespace, folder: Path) -> int:
    from fuzzing.campaign import fuzz
    report = fuzz(target, inputs=args.inputs, seed=f'{args.seed}/{name}', folder=folder,
                  workers=args.workers, most_s=60 * args.minutes)
    print(f'{name:12}{report.inputs:>10} inputs in {report.seconds:7.1f} s, {report.kept:5} led '
          f'to something new, {report.failed} failed in {len(report.findings)} ways', flush=True)
    for key, finding in report.findings.items():
        data = pickle.dumps((name, finding.input))
        path = args.findings / f'{name}-{hashlib.sha256(data).hexdigest()[:8]}.pickle'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        print(f'--- {key}, {path}\n{finding.what}{finding.input!r:.2000}', flush=True)
    return int(bool(report.findings))


def _replay(path: Path, targets: dict, folder: Path) -> int:
    name, value = pickle.loads(path.read_bytes())
    started = time.monotonic()
    with targets[name].open(folder) as run:
        try:
            print(f'{name}: {run(value)}')
        except targets[name].errors as error:
            print(f'{name}: {type(error).__name__}: {error}')
    print(f'{time.monotonic() - started:.3f} s')
    return 0


if __name__ == '__main__':
    sys.exit(main())
