# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose demo`: the whole graph in separate processes, recorded, and a report of it."""

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

from hybrid_pose_ros.checkpoint import load
from hybrid_pose_ros.cli import demo_folder
from hybrid_pose_ros.cli.executors import processes
from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.cli.up import require_ros
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.run_plots import plot_run
from hybrid_pose_ros.evaluation.run_report import Run, summarize
from hybrid_pose_ros.evaluation.takes import find_takes
from hybrid_pose_ros.evaluation.world_report import world_report
from hybrid_pose_ros.graph import NodeSpec, graph, share
from hybrid_pose_ros.graph_check import check_graph
from hybrid_pose_ros.outputs import writing
from hybrid_pose_ros.pose.rig import Rig
from hybrid_pose_ros.recordings.formats import open_recording
from hybrid_pose_ros.recordings.rig_files import dhp19_rig, save_rig
from hybrid_pose_ros.ros_domain import own_domain
from hybrid_pose_ros.simulation.take import record_take
from hybrid_pose_ros.supervision import Supervisor
from hybrid_pose_ros.visualization.video import write_gif, write_video

SUMMARY = 'run the whole graph on a simulated person or a recording; leave bag, video and report'

IDLE_S = 2.0
"""The recorder ends when nothing has come for so long: longer than any backlog's pause."""

END_S = 60.0
"""A recorder that was started anew behind the last event never sees that something has come."""

SHARED_ANN_HZ = 10.0
"""States a second of each of several cameras, which share the machine, unless it is said."""

CORES_A_GRAPH = 2
"""That 1000 poses a second of one camera take, its recorder and player included."""

LONGEST_US = 10_000
"""Time bins that the weights are trained for end there."""

START_S = 180.0
"""Nodes compile their kernels when they start for the first time on a machine."""

PLAYED = re.compile(r'played ([\d.]+)')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument('--recording', default='', help='bag, .raw, .aedat4 or .h5 to play; of '
                        'several cameras: folder of a take, as `simulate --cameras` makes')
    parser.add_argument('--cameras', type=int, default=1, metavar='N',
                        help='2 or 4 cameras of DHP19 that see the person together, and a '
                        'triangulator (1)')
    add_output(parser, '--output', 'folder', needs=('matplotlib',),
               type=Path, default=Path('demo'),
               help='folder for bag, video and report; an earlier demo in it is replaced')
    parser.add_argument('--duration', type=float, default=10.0,
                        help='length of the simulated scene [s]')
    parser.add_argument('--rate', default='', help='speed of the playback (1; of several cameras '
                        'lower on a machine with few cores); latencies count from the stamps, so '
                        'they hold at 1 only')
    parser.add_argument('--ann-rate', default='', help='states a second [Hz]')
    parser.add_argument('--step-us', default='', help='length of a time bin [us]')
    parser.add_argument('--preset', default='')
    parser.add_argument('--checkpoint', default='')
    parser.add_argument('--seed', default='')
    parser.add_argument('--no-video', action='store_true')
    parser.add_argument('--gif', action='store_true', help='write skeleton.gif too')


def run(args: argparse.Namespace) -> dict:
    """Play, record, evaluate."""
    require_ros()
    output, console = args.output.resolve(), Console(stderr=True)
    rig = _checked(args, output)
    demo_folder.claim(output)
    simulated = rig is not None and not args.recording
    nodes = _nodes(args, output, rig,
                   str(output / demo_folder.TAKE) if simulated else args.recording)
    if simulated:
        _simulate(args, rig, output / demo_folder.TAKE, console)
    logs = output / demo_folder.LOGS
    with _domain() as domain, Supervisor(
            nodes, params_file=_params_file(), logs=logs,
            environment=os.environ | domain) as supervisor:
        console.print(f'ROS_DOMAIN_ID={domain["ROS_DOMAIN_ID"]}, logs in {logs}')
        _follow(supervisor, args, console)
        restarts = dict(supervisor.restarts)
    with console.status('reading the bags back'), writing(output):
        if rig is None:
            report, _ = _report(output, output, supervisor.log('evaluator'), restarts,
                                video=not args.no_video)
            if args.gif:
                write_gif(output / report['bag'], output / demo_folder.GIF)
        else:
            report = _rig_report(output, rig, supervisor, restarts)
        (output / demo_folder.REPORT).write_text(json.dumps(report, indent=2) + '\n')
    return report | {'output': str(output)}


def kept(args: argparse.Namespace) -> str:
    """Return what an interrupt leaves."""
    return f'logs and bags in {args.output} are kept, without a report'


def show(report: dict) -> None:
    """Print the table and where everything is."""
    table = Table('', '', title='hybrid-pose demo', show_header=False)
    for label, text in _rows(report):
        table.add_row(label, text)
    Console().print(table)
    print(f'bag, video, plots and report are in {report["output"]}')


def _domain() -> AbstractContextManager[dict[str, str]]:
    """Return the user's ROS domain, or one that a robot's graph on this host does not use."""
    given = os.environ.get('ROS_DOMAIN_ID')
    return own_domain() if given is None else nullcontext({
        'ROS_DOMAIN_ID': given, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'})


def _checked(args: argparse.Namespace, output: Path) -> Rig | None:
    """Return the rig of several cameras; find what is wrong before anything is replaced.

    Raises:
        InputError: the folder is not a demo's, or an argument has a value that is not legal.
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
            raise InputError(f'--duration {args.duration:g} of several cameras must be above 0 s')
    elif args.recording:
        open_recording(args.recording)
    check_graph(_nodes(args, output, None, args.recording), _params_file())
    if args.checkpoint:
        load(args.checkpoint, args.preset or None, task=None)
    return rig


def _params_file() -> Path:
    return share() / 'config' / 'hybrid_pose.yaml'


def _rig(args: argparse.Namespace) -> Rig:
    """Return the cameras of a take, or those of DHP19."""
    if not args.recording:
        return dhp19_rig(args.cameras)
    take, *others = find_takes([Path(args.recording)])
    if others:
        raise InputError(f'{args.recording} holds {1 + len(others)} takes: name one, such as '
                         f'{take.paths[0].parent}')
    if len(take.rig.cameras) != args.cameras:
        raise InputError(f'{args.recording} is a take of {len(take.rig.cameras)} cameras, not '
                         f'{args.cameras}')
    return take.rig


def _simulate(args: argparse.Namespace, rig: Rig, folder: Path, console: Console) -> None:
    """Record what the cameras see before anything is played: together with it is too much."""
    with (processes(os.cpu_count()) as workers,
          Progress(TextColumn('{task.description}'), BarColumn(), TimeElapsedColumn(),
                   console=console, transient=True) as progress):
        progress.add_task(f'simulating {args.duration:g} s before {len(rig.names)} cameras',
                          total=None)
        for _ in record_take(folder, rig.names, seed=int(args.seed or 0), duration_s=args.duration,
                             executor=workers):
            pass


class MachineShare(NamedTuple):
    """What one of several cameras may take of a machine."""

    step_us: int  # length of a time bin
    rate: float  # speed of the playback


def share_of_machine(cameras: int, cores: int) -> MachineShare:
    """Return with which time bins and at which speed so many cameras' graphs fit on the cores.

    Half of what a graph takes does not depend on the length of its bins, and states of the ANN
    that come late are worth nothing, so both go with the square of the load.
    """
    load = max(1, math.ceil(CORES_A_GRAPH * cameras / cores))
    return MachineShare(min(LONGEST_US, 1_000 * load ** 2), 1 / load ** 2)


def _nodes(args: argparse.Namespace, output: Path, rig: Rig | None, recording: str
           ) -> tuple[NodeSpec, ...]:
    values = {'preset': args.preset, 'checkpoint': args.checkpoint, 'step_us': args.step_us,
              'ann_rate_hz': args.ann_rate, 'rate': args.rate, 'recording': recording,
              'seed': args.seed, 'duration_s': str(args.duration),
              'record': str(output / demo_folder.BAG)}
    listeners = 3  # tracker, initializer, evaluator
    file = ''
    if rig is not None:
        file = str(output / demo_folder.RIG)
        save_rig(rig, file)
        shared = share_of_machine(len(rig.names), os.cpu_count() or 1)
        values |= {'record': str(output / demo_folder.BAGS),
                   'step_us': args.step_us or f'{shared.step_us}',
                   'rate': args.rate or f'{shared.rate}',
                   'ann_rate_hz': args.ann_rate or f'{SHARED_ANN_HZ}'}
    return graph(driver='player', rig=file, values=values,
                 more={'event_player': {'subscribers': listeners},
                       'evaluator': {'idle_s': IDLE_S, 'complete': True}})


def _follow(supervisor: Supervisor, args: argparse.Namespace, console: Console) -> None:
    """Show how far the player is; return when the recorder has ended.

    Raises:
        InputError: a node refused to start; the text is the node's own.
    """
    columns = (TextColumn('{task.description}'), BarColumn(), TextColumn('{task.fields[time]}'),
               TimeElapsedColumn())
    started = time.monotonic()
    players, recorders = (
        [name for name in supervisor.restarts if name.rpartition('/')[2] == kind]
        for kind in ('event_player', 'evaluator'))
    with Progress(*columns, console=console, transient=True) as progress:
        total = None if args.recording else args.duration
        task = progress.add_task('starting nodes', total=total, time='')
        ended: float | None = None  # when the player had
        while True:
            done = supervisor.check()
            for name, status in done.items():
                if status:
                    raise InputError(f'{name} ended: {_last_line(supervisor.log(name))}')
            if done.keys() >= set(recorders):
                return
            finishing = done.keys() >= set(players)
            if finishing:
                ended = ended or time.monotonic()
                if time.monotonic() - ended > END_S:
                    supervisor.stop(recorders)
            played = [_played_s(supervisor.log(player)) for player in players]
            if None not in played:
                played = min(played)
                label = 'finishing' if finishing else 'playing'
                progress.update(task, description=label, completed=played, time=f'{played:.1f} s')
            elif time.monotonic() - started > START_S:
                raise InputError(f'no node was ready within {START_S:.0f} s: see the logs in '
                                 f'{supervisor.log(players[0]).parent}')
            time.sleep(0.2)


def _played_s(log: Path) -> float | None:
    found = PLAYED.findall(log.read_text(errors='replace'))
    return float(found[-1]) if found else None


def _last_line(log: Path) -> str:
    lines = log.read_text(errors='replace').strip().splitlines()
    return lines[-1] if lines else 'it said nothing'


def _recorder_counts(log: Path) -> dict:
    """Return what the evaluator said last."""
    try:
        return json.loads(_last_line(log))
    except ValueError:
        return {'messages': {}, 'failure': f'the evaluator was killed, see {log}'}


def _report(folder: Path, output: Path, log: Path, restarts: dict[str, int], *, video: bool,
            plots: bool = True, name: str = demo_folder.BAG) -> tuple[dict, Run]:
    """Read a bag in a folder back; write plots and video to `output`.

    A recorder that was killed has left its bag, and another one has begun the next: the largest
    says most.
    """
    recorded = _recorder_counts(log)
    bags = [file.parent for file in folder.glob(f'{name}*/*.mcap')
            if re.fullmatch(rf'{name}(_\d+)?', file.parent.name)]
    if not bags:
        raise InputError(f'nothing was recorded: {recorded["failure"]}')
    bag = max(bags, key=lambda path: sum(file.stat().st_size for file in path.iterdir()))
    run = Run(bag)
    report = {'bag': str(bag.relative_to(output)), 'recorder': recorded, 'restarts': restarts,
              **summarize(run)}
    if len(run.poses) and plots:
        plot_run(run, output)
    if video and run.stream.counts.events:
        report['video_frames'] = write_video(bag, output / demo_folder.VIDEO)
    return report, run


def _rig_report(output: Path, rig: Rig, supervisor: Supervisor, restarts: dict[str, int]) -> dict:
    """Return the report of several cameras: of each, and of the world."""
    reports, runs = zip(*(
        _report(output / demo_folder.BAGS, output, supervisor.log(f'{name}/evaluator'), restarts,
                video=False, plots=False, name=name) for name in rig.names))
    bags = [output / report['bag'] for report in reports]
    return {'cameras': dict(zip(rig.names, reports)), 'world': world_report(rig, bags, runs),
            'restarts': restarts}


def _world_rows(report: dict) -> list[tuple[str, str]]:
    world = report['world']
    rows = [(f'{name}: poses, lost packets', f'{one["poses"]:,}, {one["lost_packets"]}')
            for name, one in report['cameras'].items()]
    rows.append(('poses in the world', f'{world["poses"]:,}'))
    if world['poses']:
        rows += [('joints with a point', f'{world["share_of_joints"]:.1%}, of '
                                         f'{world["cameras_used"]:.2f} cameras'),
                 ('triangulating', _levels(world['compute_ms'])),
                 ('instant to pose', _levels(world['latency_ms']))]
        if world['reprojection_error_px']:
            median_px = world['reprojection_error_px']['p50']
            rows.append(('reprojection error', f'median {median_px:.2f} px'))
    if 'mpjpe_mm' in world:
        rows.append(('error against ground truth', f'mean {world["mpjpe_mm"]:.0f} mm, median '
                                                   f'{world["median_mm"]:.0f} mm'))
    return rows


def _rows(report: dict) -> list[tuple[str, str]]:
    if 'world' in report:
        return _world_rows(report)
    rows = [('packets', f'{report["packets"]:,} ({report["lost_packets"]} lost, '
                        f'{report["bad_packets"]} bad)'),
            ('events', f'{report["events"]:,}'),
            ('state hand-overs',
             f'{report.get("state_handovers", 0)} of {report["states"]} states'),
            ('poses', f'{report["poses"]:,}')]
    if report['poses']:
        latency = report['latency_ms']
        rows += [('poses a second of sensor time', f'{report["poses_per_sensor_s"]:.1f}'),
                 ('poses missing', f'{report["missing_poses"]}'),
                 ('bag', f'{report["mib_per_minute"]:.0f} MiB a minute'),
                 ('age of the state', _levels(report['state_age_ms'])),
                 ('packet arrival to pose', _levels(latency['packet_arrival_to_publish'])),
                 ('network and decoding', _levels(latency['compute']))]
        if 'ann_ms' in report:
            rows.append(('ANN and heads', _levels(report['ann_ms'])))
        if 'power' in report:
            power = report['power']
            rows.append(('power, honest count at 45 nm',
                         f'{sum(power["mw"].values()):.0f} mW, {power["saving"]:.1%} less than '
                         'the ANN at every step'))
        if 'mpjpe_px' in report:
            rows.append(('error against ground truth', f'{report["mpjpe_px"]:.1f} px'))
    restarts = {name: count for name, count in report['restarts'].items() if count}
    rows.append(('nodes restarted', str(restarts or 'none')))
    if report['poses']:
        rows.append(('weights', 'trained' if report['trained'] else
                     'UNTRAINED WEIGHTS: the poses mean nothing'))
    return rows


def _levels(levels: dict[str, float]) -> str:
    return ' '.join(f'{name} {value:.2f}' for name, value in levels.items()) + ' ms'
