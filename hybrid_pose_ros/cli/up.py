# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose up`: start the graph in separate processes without `ros2 launch`."""

import argparse
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph.check import check_graph, with_old_sections
from hybrid_pose_ros.graph.description import ARGUMENTS, graph, share
from hybrid_pose_ros.graph.supervision import Supervisor

SUMMARY = 'Run the graph with a driver until Ctrl-C, or with the player until it finishes.'

SETTLE_S = 2.0
"""Time allowed to process and record the last packets of the player."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument('--driver', choices=('none', 'player'), default='none',
                        help='source of the events: a driver that is already running, or the '
                             'player')
    parser.add_argument('--camera', default='event_camera',
                        help='node name of the driver, which publishes /CAMERA/events')
    parser.add_argument('--namespace', default='',
                        help='namespace of all nodes; use a different one for each camera')
    parser.add_argument('--ros4hri', action='store_true',
                        help='also publish the tracked body on /humans (REP-155); needs hri_msgs')
    parser.add_argument('--rig', default='', metavar='FILE',
                        help='YAML file of several calibrated cameras: for each camera NAME, '
                        'start a graph in namespace NAME with driver /NAME/CAMERA; also start a '
                        'triangulator')
    parser.add_argument('--params-file', type=Path, help='parameter file (YAML) to use instead '
                                                         'of the shipped one')
    for argument in ARGUMENTS:
        flag = '--' + argument.name.replace('_', '-')
        text = argument.description.replace('%', '%%')
        if argument.name == 'record':
            add_output(parser, flag, 'folder', default='', help=text)
        else:
            parser.add_argument(flag, default='', help=text)


def run(args: argparse.Namespace) -> dict:
    """Start the nodes; return when the players or all nodes have ended, or after Ctrl-C."""
    require_ros()
    values = {argument.name: getattr(args, argument.name) for argument in ARGUMENTS}
    nodes = graph(driver=args.driver, camera=args.camera, namespace=args.namespace, rig=args.rig,
                  ros4hri=args.ros4hri, values=values)
    params_file = args.params_file or share() / 'config' / 'hybrid_pose.yaml'
    check_graph(nodes, params_file)
    nodes, notices = with_old_sections(nodes, params_file)
    for notice in notices:
        print(f'hybrid-pose up: {notice}', file=sys.stderr)
    players = {node.full_name for node in nodes if node.name == 'event_player'}
    with Supervisor(nodes, params_file=params_file) as supervisor:
        try:
            while not has_ended(done := supervisor.check(), players, len(nodes)):
                time.sleep(0.2)
            if players and not any(done.values()):
                time.sleep(SETTLE_S)
        except KeyboardInterrupt:
            done = {}
    if any(done.values()):
        raise InputError(f'{", ".join(name for name, status in done.items() if status)} ended '
                         'with an error, see above')
    return {'nodes': [node.name for node in nodes], 'restarts': supervisor.restarts}


def has_ended(done: Mapping[str, int], players: Collection[str], count: int) -> bool:
    """Return whether a graph has ended: a node failed, all players finished, or all nodes ended.

    Args:
        done: exit status of the nodes that have ended, by name.
        players: names of the players.
        count: number of nodes.
    """
    finished = done.keys() >= set(players) if players else len(done) == count
    return finished or any(done.values())


def require_ros() -> None:
    """Raise InputError if the ROS part of the package is not built."""
    try:
        import rclpy  # noqa: F401
        from hybrid_pose_ros.msg import Skeleton2D  # noqa: F401
    except ImportError as error:
        raise InputError(f'this verb requires ROS 2 and the built interfaces ({error}): run '
                         '`make` '
                         'in a checkout, or build the package with colcon and source '
                         'it') from error


def show(result: dict) -> None:
    """Print the names of the stopped nodes."""
    print(f'stopped: {", ".join(result["nodes"])}')
