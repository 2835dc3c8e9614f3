# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The report of a demo, summarized from its bags and printed as a table."""

import json
import re
from pathlib import Path

from hybrid_pose_ros.cli import demo_folder
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph.supervision import Supervisor
from hybrid_pose_ros.pose.rig import Rig
from hybrid_pose_ros.recorded_runs.run_plots import plot_run
from hybrid_pose_ros.recorded_runs.run_report import RecordedRun, summarize
from hybrid_pose_ros.recorded_runs.video import write_video
from hybrid_pose_ros.recorded_runs.world_report import world_report


def last_line(log: Path) -> str:
    """Return the last line of a node's log."""
    lines = log.read_text(errors='replace').strip().splitlines()
    return lines[-1] if lines else 'no output'


def _recorder_counts(log: Path) -> dict:
    """Return the summary that the recorder printed on exit."""
    try:
        return json.loads(last_line(log))
    except ValueError:
        return {'messages': {}, 'failure': f'the recorder was killed, see {log}'}


def bag_report(folder: Path, output: Path, log: Path, restarts: dict[str, int], *, video: bool,
               plots: bool = True, name: str = demo_folder.BAG) -> tuple[dict, RecordedRun]:
    """Return the report of a bag and the bag; write plots and video to `output`.

    If a recorder is killed, its successor starts a new bag; the largest bag is used.

    Raises:
        InputError: there is no bag.
    """
    recorded = _recorder_counts(log)
    bags = [file.parent for file in folder.glob(f'{name}*/*.mcap')
            if re.fullmatch(rf'{name}(_\d+)?', file.parent.name)]
    if not bags:
        raise InputError(f'nothing was recorded: {recorded["failure"]}')
    bag = max(bags, key=lambda path: sum(file.stat().st_size for file in path.iterdir()))
    run = RecordedRun(bag)
    report = {'bag': str(bag.relative_to(output)), 'recorder': recorded, 'restarts': restarts,
              **summarize(run)}
    if len(run.poses) and plots:
        plot_run(run, output)
    if video and run.stream.counts.events:
        report['video_frames'] = write_video(bag, output / demo_folder.VIDEO)
    return report, run


def rig_report(output: Path, rig: Rig, supervisor: Supervisor, restarts: dict[str, int]) -> dict:
    """Return the report of several cameras: one per camera, and one of the 3D poses."""
    reports, runs = zip(*(
        bag_report(output / demo_folder.BAGS, output, supervisor.log(f'{name}/recorder'),
                   restarts, video=False, plots=False, name=name) for name in rig.names))
    bags = [output / report['bag'] for report in reports]
    return {'cameras': dict(zip(rig.names, reports)), 'world': world_report(rig, bags, runs),
            'restarts': restarts}


def _world_rows(report: dict) -> list[tuple[str, str]]:
    world = report['world']
    rows = [(f'{name}: poses, lost packets', f'{one["poses"]:,}, {one["lost_packets"]}')
            for name, one in report['cameras'].items()]
    rows.append(('3D poses', f'{world["poses"]:,}'))
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


def table_rows(report: dict) -> list[tuple[str, str]]:
    """Return the labels and values of the table."""
    if 'world' in report:
        return _world_rows(report)
    rows = [('packets', f'{report["packets"]:,} ({report["lost_packets"]} lost, '
                        f'{report["bad_packets"]} bad)'),
            ('events', f'{report["events"]:,}'),
            ('states received',
             f'{report.get("state_handovers", 0)} of {report["states"]} states'),
            ('poses', f'{report["poses"]:,}')]
    if report['poses']:
        latency = report['latency_ms']
        rows += [('poses per second of sensor time', f'{report["poses_per_sensor_s"]:.1f}'),
                 ('poses missing', f'{report["missing_poses"]}'),
                 ('bag', f'{report["mib_per_minute"]:.0f} MiB per minute'),
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
                     'UNTRAINED WEIGHTS: the poses are meaningless'))
    return rows


def _levels(levels: dict[str, float]) -> str:
    return ' '.join(f'{name} {value:.2f}' for name, value in levels.items()) + ' ms'
