# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Description of the graph: nodes, names, remappings and arguments. Imports no ROS.

`launch/hybrid_pose.launch.py` and `hybrid-pose up` start the graph from this description.
"""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph.marker_params import MarkerParams
from hybrid_pose_ros.graph.recorder_params import RecorderParams
from hybrid_pose_ros.playback.player_params import PlayerParams
from hybrid_pose_ros.pose.ros4hri_params import Ros4hriParams
from hybrid_pose_ros.pose.triangulator import TriangulatorParams
from hybrid_pose_ros.recordings.rig_files import load_rig
from hybrid_pose_ros.settings import parameters_of, summary
from hybrid_pose_ros.tasks.table import RESULT_TOPICS
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.tracker_params import TrackerParams

PACKAGE = 'hybrid_pose_ros'

SETTINGS = {
    'event_player': PlayerParams, 'ann_initializer': InitializerParams,
    'snn_tracker': TrackerParams, 'skeleton_markers': MarkerParams, 'ros4hri': Ros4hriParams,
    'triangulator': TriangulatorParams, 'recorder': RecorderParams}
"""Parameters of each node by its name, which is also the name of its module in `nodes/`."""

RENAMED = {'evaluator': 'recorder'}
"""Current node names by those of 0.1.0, valid in parameter files until the next release."""

ROS_NAME = re.compile('[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*')

BOOLEANS = {'true': True, '1': True, 'false': False, '0': False}

NETWORK = ('ann_initializer', 'snn_tracker')

TOPICS = {
    '/event_camera/events': 'event_camera_msgs/msg/EventPacket',
    '/event_camera/camera_info': 'sensor_msgs/msg/CameraInfo',
    '/event_player/ground_truth': 'hybrid_pose_ros/msg/Skeleton2D',
    '/ann_initializer/state': 'hybrid_pose_ros/msg/StateTensors',
    '/snn_tracker/skeleton': 'hybrid_pose_ros/msg/Skeleton2D',
    '/snn_tracker/skeletons': 'hybrid_pose_ros/msg/Skeleton2DArray',
    '/snn_tracker/skeleton_throttle': 'hybrid_pose_ros/msg/Skeleton2D',
    **{f'/snn_tracker/{task}': f'hybrid_pose_ros/msg/{kind}'  # with weights for other tasks
       for task, kind in RESULT_TOPICS.items()},
    '/snn_tracker/status': 'hybrid_pose_ros/msg/TrackerStatus',
    '/snn_tracker/inline_request': 'std_msgs/msg/String',
    '/snn_tracker/initialize_request': 'std_msgs/msg/String',
    '/skeleton_markers/markers': 'visualization_msgs/msg/MarkerArray',
    '/skeleton_markers/overlay': 'sensor_msgs/msg/Image',
    '/ann_initializer/transition_event': 'lifecycle_msgs/msg/TransitionEvent',
    '/snn_tracker/transition_event': 'lifecycle_msgs/msg/TransitionEvent',
    '/diagnostics': 'diagnostic_msgs/msg/DiagnosticArray'}
"""Type of each topic of one camera, with default names."""

TOPICS_3D = {
    '/triangulator/skeleton': 'hybrid_pose_ros/msg/Skeleton3D',
    '/triangulator/markers': 'visualization_msgs/msg/MarkerArray'}
"""Topics shared by several cameras; each camera has TOPICS in its own namespace."""


class Argument(NamedTuple):
    """An argument of the launch file and of `hybrid-pose up`; '' keeps the value of the YAML."""

    name: str
    sets: tuple[tuple[str, str], ...]  # (node, parameter)
    own: str = ''  # own description instead of the parameter's

    @property
    def description(self) -> str:
        """Meaning, default and valid values; those of the parameter unless there is an own one."""
        node, name = self.sets[0]
        return self.own or summary(next(
            parameter for parameter in parameters_of(SETTINGS[node]) if parameter.name == name))


ARGUMENTS = (
    *(Argument(name, tuple((node, name) for node in NETWORK)) for name in (
        'preset', 'checkpoint', 'step_us', 'calibration')),
    Argument('autostart', tuple((node, 'autostart') for node in NETWORK), 'false: a lifecycle '
             'manager configures and activates the nodes of the network'),
    Argument('realtime_priority', (('snn_tracker', 'realtime_priority'),)),
    Argument('ann_rate_hz', (('ann_initializer', 'rate_hz'),)),
    *(Argument(name, (('event_player', name),)) for name in (
        'recording', 'rate', 'packets_per_s', 'duration_s', 'seed')),
    Argument('record', (('recorder', 'bag'),), 'folder of the bag to record; empty: start no '
                                               'recorder'),
    Argument('depth_m', (('skeleton_markers', 'depth_m'),)),
    Argument('frame_id', (('skeleton_markers', 'frame_id'),), 'frame of the markers (frame of the '
             'packets; with rviz, the camera name)'))


@dataclass(frozen=True)
class NodeSpec:
    """One node to start."""

    name: str  # of the node, its executable and its module
    namespace: str = ''  # '' or, for example, '/left'
    parameters: Mapping[str, Any] = field(default_factory=dict)
    remappings: Mapping[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """Unique name including the namespace, such as left/snn_tracker."""
        return f'{self.namespace}/{self.name}'.lstrip('/')


def graph(*, driver: str = 'none', camera: str = 'event_camera', namespace: str = '',
          rig: str = '', ros4hri: bool = False, values: Mapping[str, str] | None = None,
          more: Mapping[str, Mapping[str, Any]] | None = None) -> tuple[NodeSpec, ...]:
    """Return the nodes to start, subscribers before publishers.

    Args:
        driver: 'player' adds the event_player; otherwise a driver publishes /<camera>/events.
        camera: name of the driver's node, including its namespace.
        rig: rig file of several cameras. Each camera NAME gets a graph in namespace NAME, with its
            own driver /NAME/<camera>, and a triangulator combines their poses. The recording is
            then a folder with one NAME.h5 per camera, and the bag a folder with one bag per
            camera.
        namespace: namespace of all nodes, for example one per camera.
        ros4hri: also publish the body on the ROS4HRI topics; requires hri_msgs.
        values: arguments by name, as text.
        more: additional parameters by node.

    Raises:
        InputError: an argument is unknown or has a value of the wrong type.
    """
    if rig:
        return _rig_graph(rig, driver, camera, namespace, ros4hri, values or {}, more or {})
    parameters = _parameters(values or {}, more or {})
    namespace, camera = ros_name('namespace', namespace), ros_name('camera', camera)
    if not camera:
        raise InputError('camera must be the name of the driver\'s node')
    namespace = f'/{namespace}' if namespace else ''
    events = f'/{camera}/events'
    tracker, initializer = f'{namespace}/snn_tracker', f'{namespace}/ann_initializer'
    state = f'{initializer}/state'
    wanted = {
        'recorder': {'~/events': events, '~/skeletons': f'{tracker}/skeletons',
                      **{f'~/{task}': f'{tracker}/{task}' for task in RESULT_TOPICS},
                      '~/status': f'{tracker}/status', '~/state': state,
                      '~/ground_truth': f'{namespace}/event_player/ground_truth',
                      '~/markers': f'{namespace}/skeleton_markers/markers',
                      '~/overlay': f'{namespace}/skeleton_markers/overlay'},
        'skeleton_markers': {'~/events': events, '~/skeleton': f'{tracker}/skeleton_throttle',
                             '~/camera_info': f'/{camera}/camera_info'},
        'ros4hri': {'~/skeleton': f'{tracker}/skeleton_throttle'},
        'snn_tracker': {'~/events': events, '~/state': state},
        'ann_initializer': {'~/events': events,
                            '~/inline_request': f'{tracker}/inline_request',
                            '~/initialize_request': f'{tracker}/initialize_request'}}
    if driver == 'player':
        wanted['event_player'] = {'~/events': events}
    if parameters['recorder'].get('record_3d'):
        wanted['recorder']['~/skeleton3d'] = '/triangulator/skeleton'
    if not parameters['recorder'].get('bag'):
        del wanted['recorder']
    if not ros4hri:
        del wanted['ros4hri']
    return tuple(NodeSpec(name, namespace, parameters[name], remappings)
                 for name, remappings in wanted.items())


def _rig_graph(rig: str, driver: str, camera: str, namespace: str, ros4hri: bool,
               values: Mapping[str, str], more: Mapping[str, Mapping[str, Any]]
               ) -> tuple[NodeSpec, ...]:
    """Return a triangulator, which must subscribe first, and one graph per camera of a rig."""
    names = load_rig(rig).names
    path = str(Path(rig).resolve())
    if namespace.strip('/'):
        raise InputError('a rig defines a namespace for each camera: omit namespace '
                         f'{namespace!r}')
    if values.get('calibration'):
        raise InputError('the rig contains the lens distortion: omit calibration')
    if values.get('frame_id'):
        raise InputError(f'the rig defines its frame: omit frame_id {values["frame_id"]!r}')
    parameters: dict[str, Any] = {'rig': path}
    if driver == 'player':
        parameters['clock'] = 'sensor'  # a take has a rig file
    if values.get('step_us'):
        parameters['step_us'] = _typed('triangulator', 'step_us', values['step_us'])
    nodes = [NodeSpec('triangulator', '', {**parameters, **more.get('triangulator', {})})]
    for number, name in enumerate(names):
        own = dict(values)
        for argument, ending in (('recording', f'{name}.h5'), ('record', name)):
            if own.get(argument):
                own[argument] = str(Path(own[argument]) / ending)
        player = {'frame_id': name, 'players': len(names)}
        if not own.get('recording'):
            player['camera'] = name.replace('_', '-')
        recorder = {'record_3d': number == 0}
        nodes += graph(driver=driver, camera=f'{name}/{camera.strip("/")}', namespace=name,
                       ros4hri=ros4hri, values=own, more={
                           **more, 'event_player': {**player, **more.get('event_player', {})},
                           'recorder': {**recorder, **more.get('recorder', {})}})
    return tuple(sorted(nodes, key=lambda node: node.name == 'event_player'))


def _parameters(values: Mapping[str, str], more: Mapping[str, Mapping[str, Any]]
                ) -> dict[str, dict[str, Any]]:
    """Return the parameters by node, from arguments given as text and additional parameters."""
    parameters = {name: dict(more.get(name, {})) for name in SETTINGS}
    for name, text in values.items():
        argument = next((known for known in ARGUMENTS if known.name == name), None)
        if argument is None:
            raise InputError(f'unknown argument {name}: choose from '
                             f'{", ".join(known.name for known in ARGUMENTS)}')
        for node, parameter in argument.sets if text != '' else ():
            parameters[node][parameter] = _typed(node, parameter, text)
    return parameters


def command(node: NodeSpec, params_file: Path | None = None) -> list[str]:
    """Return the command that starts a node in a separate process, without `ros2`."""
    words = [str(share().parents[1] / 'lib' / PACKAGE / node.name), '--ros-args']
    if params_file is not None:
        words += ['--params-file', str(params_file)]
    if node.namespace:
        words += ['-r', f'__ns:={node.namespace}']
    for name, topic in node.remappings.items():
        words += ['-r', f'{name}:={topic}']
    for name, value in node.parameters.items():
        words += ['-p', f'{name}:={_yaml(value)}']
    return words


def share() -> Path:
    """Return the folder with the installed config and launch files.

    Raises:
        InputError: the package is not installed.
    """
    places = [prefix / 'share' / PACKAGE for prefix in prefixes()]
    for place in places:
        if (place / 'config').is_dir():
            return place
    raise InputError(f'{PACKAGE} is not installed: there is no {" or ".join(map(str, places))}')


def prefixes() -> list[Path]:
    """Return the install prefixes of ROS packages, in lookup order."""
    paths = [path for path in os.environ.get('AMENT_PREFIX_PATH', '').split(':') if path]
    return [Path(path) for path in [*paths, sys.prefix]]


def ros_name(what: str, text: str) -> str:
    """Return the name of a node or namespace without leading and trailing slashes; '' stays ''.

    Raises:
        InputError: the text is not a valid ROS name.
    """
    name = text.strip('/')
    if name and not ROS_NAME.fullmatch(name):
        raise InputError(f'{what} {text!r} is not a ROS name: expected letters, digits and _, no '
                         'digit first, with / between namespaces')
    return name


def is_true(what: str, text: str) -> bool:
    """Parse a boolean as launch conditions do.

    Raises:
        InputError: the text is not a boolean.
    """
    if (word := text.strip().lower()) not in BOOLEANS:
        raise InputError(f'{what} must be true or false, not {text!r}')
    return BOOLEANS[word]


def _typed(node: str, name: str, text: str) -> Any:
    kind = next(parameter.type for parameter in parameters_of(SETTINGS[node])
                if parameter.name == name)
    try:
        return _boolean(text) if kind is bool else kind(text)
    except ValueError:
        raise InputError(f'{name} of {node} must be of type {kind.__name__}, '
                         f'not {text!r}') from None


def _boolean(text: str) -> bool:
    """Parse 'true' or 'false', case-insensitively; bool('false') would be True."""
    if text.lower() not in ('true', 'false'):
        raise ValueError
    return text.lower() == 'true'


def _yaml(value: Any) -> str:
    """Return the value as text that ROS's YAML parser reads with the same type."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)
