# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose demo`: run the whole graph in separate processes, record it, write a report."""

import argparse
import importlib
import json
import math
import os
import re
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from hybrid_pose_ros.cli import demo_folder
from hybrid_pose_ros.cli.demo_report import bag_report, last_line, rig_report, table_rows
from hybrid_pose_ros.cli.executors import processes
from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.cli.up import require_ros
from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.takes import find_takes
from hybrid_pose_ros.graph.check import check_graph
from hybrid_pose_ros.graph.description import ARGUMENTS, NodeSpec, graph, share
from hybrid_pose_ros.graph.ros_domain import own_domain
from hybrid_pose_ros.graph.supervision import Supervisor
from hybrid_pose_ros.model.checkpoint import load
from hybrid_pose_ros.outputs import writing
from hybrid_pose_ros.playback.player_params import PlayerParams
from hybrid_pose_ros.pose.rig import Rig
from hybrid_pose_ros.recorded_runs.video import write_gif
from hybrid_pose_ros.recordings.formats import open_recording
from hybrid_pose_ros.recordings.rig_files import save_rig
from hybrid_pose_ros.simulation.take import record_take

SUMMARY = 'Run the whole graph on a simulated person or a recording; write bag, video and report.'

IDLE_S = 2.0
"""The recorder stops after this long without messages; pauses while a backlog is processed are
shorter."""

END_S = 60.0
"""Timeout for a recorder that restarted after the last event and thus receives no messages."""

SHARED_ANN_HZ = 10.0
"""Default ANN rate of each of several cameras, which share the machine."""

CORES_A_GRAPH = 2
"""Cores used by one camera at 1000 poses per second, including recorder and player."""

LONGEST_US = 10_000
"""Longest time bin that the weights are trained for."""

START_S = 180.0
"""Startup timeout; the first start on a machine includes compiling the kernels."""

PLAYED = re.compile(r'played ([\d.]+)')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument('--recording', default='', help='bag, .raw, .aedat4 or .h5 to play; for '
                        'several cameras: folder of a take from `simulate --cameras`')
    parser.add_argument('--cameras', type=int, default=1, metavar='N',
                        help='simulate 2 or 4 DHP19 cameras that see the same person, and '
                        'triangulate their poses (1)')
    add_output(parser, '--output', 'folder', needs=('matplotlib',),
               type=Path, default=Path('demo'),
               help='folder for bag, video and report; replaces an earlier demo')
    parser.add_argument('--duration', type=float, default=PlayerParams.duration_s,
                        help='length of the simulated scene [s] (%(default)g)')
    parser.add_argument('--rate', default='', help='playback speed (1; lower with several cameras '
                        'on a machine with few cores); latencies are only valid at speed 1, '
                        'because they are measured relative to the stamps')
    for argument in ARGUMENTS:
        if argument.name in ('ann_rate_hz', 'step_us', 'preset', 'checkpoint', 'seed'):
            parser.add_argument('--' + argument.name.replace('_', '-'), default='',
                                help=argument.description)
    parser.add_argument('--no-video', action='store_true', help='do not write skeleton.mp4')
    parser.add_argument('--gif', action='store_true', help='also write skeleton.gif')


def run(args: argparse.Namespace) -> dict:
    """Play, record and evaluate."""
    require_ros()
    output, console = args.output.resolve(), Console(stderr=True)
    rig = _checked(args, output)
    demo_folder.claim(output)
    simulated = None if args.recording else rig  # cameras of a take to simulate
    nodes = _nodes(args, output, rig, args.recording if simulated is None
                   else str(output / demo_folder.TAKE))
    if simulated is not None:
        _simulate(args, simulated, output / demo_folder.TAKE, console)
    logs = output / demo_folder.LOGS
    with _domain() as domain, Supervisor(
            nodes, params_file=_params_file(), logs=logs,
            environment=os.environ | domain) as supervisor:
        console.print(f'ROS_DOMAIN_ID={domain["ROS_DOMAIN_ID"]}, logs in {logs}')
        _follow(supervisor, args, console)
        restarts = dict(supervisor.restarts)
    with console.status('reading the bags back'), writing(output):
        if rig is None:
            report, _ = bag_report(output, output, supervisor.log('recorder'), restarts,
                                   video=not args.no_video)
            if args.gif:
                write_gif(output / report['bag'], output / demo_folder.GIF)
        else:
            report = rig_report(output, rig, supervisor, restarts)
        (output / demo_folder.REPORT).write_text(json.dumps(report, indent=2) + '\n')
    return report | {'output': str(output)}


def kept(args: argparse.Namespace) -> str:
    """Return what an interrupt keeps."""
    return f'logs and bags in {args.output} are kept, without a report'


def show(report: dict) -> None:
    """Print the table and the output folder."""
    table = Table('', '', title='hybrid-pose demo', show_header=False)
    for label, text in table_rows(report):
        table.add_row(label, text)
    Console().print(table)
    print(f'bag, video, plots and report are in {report["output"]}')


def _domain() -> AbstractContextManager[dict[str, str]]:
    """Return the ROS domain set by the user, or one unlikely to be in use on this host."""
    given = os.environ.get('ROS_DOMAIN_ID')
    return own_domain() if given is None else nullcontext({
        'ROS_DOMAIN_ID': given, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'})


def _checked(args: argparse.Namespace, output: Path) -> Rig | None:
    """Validate the arguments before replacing any file; return the rig of several cameras.

    Raises:
        InputError: the folder was not written by a demo, or an argument is invalid.
    """
    demo_folder.check(output)
    if args.gif:
        importlib.import_module('PIL.Image')
    rig = None
    if args.recording:
        args.recording = str(Path(args.recording).resolve())
    if args.cameras != 1:
        rig = _rig(args)
        if not args.recording and not args.duration > 0:
            raise InputError(f'--duration {args.duration:g} with several cameras must be above 0 '
                             's')
    elif args.recording:
        open_recording(args.recording)
    check_graph(_nodes(args, output, None, args.recording), _params_file())
    if args.checkpoint:
        load(args.checkpoint, args.preset or None, task=None)
    return rig


def _params_file() -> Path:
    return share() / 'config' / 'hybrid_pose.yaml'


def _rig(args: argparse.Namespace) -> Rig:
    """Return the rig of a take, or the DHP19 rig if a person is simulated."""
    if not args.recording:
        return dhp19_rig(args.cameras)
    take, *others = find_takes([Path(args.recording)])
    if others:
        raise InputError(f'{args.recording} contains {1 + len(others)} takes: choose one, such as '
                         f'{take.paths[0].parent}')
    if len(take.rig.cameras) != args.cameras:
        raise InputError(f'{args.recording} is a take of {len(take.rig.cameras)} cameras, not '
                         f'{args.cameras}')
    return take.rig


def _simulate(args: argparse.Namespace, rig: Rig, folder: Path, console: Console) -> None:
    """Simulate the recordings before playback; doing both at once would overload the machine."""
    with (processes(os.cpu_count() or 1) as workers,
          Progress(TextColumn('{task.description}'), BarColumn(), TimeElapsedColumn(),
                   console=console, transient=True) as progress):
        progress.add_task(f'simulating {args.duration:g} s for {len(rig.names)} cameras',
                          total=None)
        for _ in record_take(folder, rig.names, seed=int(args.seed or 0), duration_s=args.duration,
                             executor=workers):
            pass


class MachineShare(NamedTuple):
    """Settings with which this machine can run the graphs of several cameras."""

    step_us: int  # length of a time bin
    rate: float  # playback speed


def share_of_machine(cameras: int, cores: int) -> MachineShare:
    """Return the time bin and playback speed for running the graphs of several cameras.

    Both scale with the square of the load: half of a graph's cost does not depend on the length of
    its bins, and ANN states that arrive late are useless.
    """
    load = max(1, math.ceil(CORES_A_GRAPH * cameras / cores))
    return MachineShare(min(LONGEST_US, 1_000 * load ** 2), 1 / load ** 2)


def _nodes(args: argparse.Namespace, output: Path, rig: Rig | None, recording: str
           ) -> tuple[NodeSpec, ...]:
    values = {'preset': args.preset, 'checkpoint': args.checkpoint, 'step_us': args.step_us,
              'ann_rate_hz': args.ann_rate_hz, 'rate': args.rate, 'recording': recording,
              'seed': args.seed, 'duration_s': str(args.duration),
              'record': str(output / demo_folder.BAG)}
    listeners = 3  # tracker, initializer, recorder
    file = ''
    if rig is not None:
        file = str(output / demo_folder.RIG)
        save_rig(rig, file)
        shared = share_of_machine(len(rig.names), os.cpu_count() or 1)
        values |= {'record': str(output / demo_folder.BAGS),
                   'step_us': args.step_us or f'{shared.step_us}',
                   'rate': args.rate or f'{shared.rate}',
                   'ann_rate_hz': args.ann_rate_hz or f'{SHARED_ANN_HZ}'}
    return graph(driver='player', rig=file, values=values,
                 more={'event_player': {'subscribers': listeners},
                       'recorder': {'idle_s': IDLE_S, 'complete': True}})


def _follow(supervisor: Supervisor, args: argparse.Namespace, console: Console) -> None:
    """Show the progress of the player; return when the recorder has ended.

    Raises:
        InputError: a node failed to start; the text is its error message.
    """
    columns = (TextColumn('{task.description}'), BarColumn(), TextColumn('{task.fields[time]}'),
               TimeElapsedColumn())
    started = time.monotonic()
    players, recorders = (
        [name for name in supervisor.restarts if name.rpartition('/')[2] == kind]
        for kind in ('event_player', 'recorder'))
    with Progress(*columns, console=console, transient=True) as progress:
        total = None if args.recording else args.duration
        task = progress.add_task('starting nodes', total=total, time='')
        ended: float | None = None  # when the player ended
        while True:
            done = supervisor.check()
            for name, status in done.items():
                if status:
                    raise InputError(f'{name} ended: {last_line(supervisor.log(name))}')
            if done.keys() >= set(recorders):
                return
            finishing = done.keys() >= set(players)
            if finishing:
                ended = ended or time.monotonic()
                if time.monotonic() - ended > END_S:
                    supervisor.stop(recorders)
            played_s = [seconds for player in players
                        if (seconds := _played_s(supervisor.log(player))) is not None]
            if len(played_s) == len(players):
                least_s = min(played_s)
                label = 'finishing' if finishing else 'playing'
                progress.update(task, description=label, completed=least_s,
                                time=f'{least_s:.1f} s')
            elif time.monotonic() - started > START_S:
                raise InputError(f'no node was ready within {START_S:.0f} s: see the logs in '
                                 f'{supervisor.log(players[0]).parent}')
            time.sleep(0.2)


def _played_s(log: Path) -> float | None:
    found = PLAYED.findall(log.read_text(errors='replace'))
    return float(found[-1]) if found else None
