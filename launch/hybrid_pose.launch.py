# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the graph and a driver: `ros2 launch hybrid_pose_ros hybrid_pose.launch.py -s`."""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, TimerAction
from launch.logging import launch_config
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph.check import check_graph, require_packages, with_old_sections
from hybrid_pose_ros.graph.description import ARGUMENTS, PACKAGE, graph, is_true, share
from hybrid_pose_ros.graph.marker_params import MarkerParams
from hybrid_pose_ros.graph.parameter_files import parameters_in_file, read_sections
from hybrid_pose_ros.recordings.rig_files import load_rig
from hybrid_pose_ros.visualization.rviz_config import plane_view, rig_view, rviz_config

DRIVERS = ('metavision', 'libcaer')
"""Drivers that can be started: executable driver_node of package NAME_driver."""

RESTART_S = 1.0
"""Delay before a killed node is restarted."""


def _nodes(context):
    def value(name):
        return LaunchConfiguration(name).perform(context)

    driver, camera, rviz = value('driver'), value('camera'), is_true('rviz', value('rviz'))
    params_file = value('params_file')
    if value('rig') and driver in DRIVERS:
        raise InputError(f'a rig has a driver for each camera: start them separately as '
                         f'/NAME/{camera}, with the names of the rig, and omit driver')
    require_packages([f'{driver}_driver'] * (driver in DRIVERS) + ['rviz2'] * rviz)
    values = {argument.name: value(argument.name) for argument in ARGUMENTS}
    if rviz and not value('rig'):
        values |= _shown_markers(value)
    specs = graph(driver=driver, camera=camera, namespace=value('namespace'), rig=value('rig'),
                  ros4hri=is_true('ros4hri', value('ros4hri')), values=values)
    check_graph(specs, params_file)
    specs, notices = with_old_sections(specs, params_file)
    nodes = [LogInfo(msg=notice) for notice in notices]
    nodes += [_node(spec, params_file) for spec in specs]
    if driver in DRIVERS:
        namespace, _, name = camera.rpartition('/')
        nodes.append(Node(package=f'{driver}_driver', executable='driver_node', name=name,
                          namespace=namespace or '/', output='screen',
                          parameters=_driver_parameters(driver, name, value)))
    if rviz:
        nodes.append(Node(package='rviz2', executable='rviz2', name='rviz2', output='screen',
                          arguments=['-d', _rviz_config(value, values, specs)]))
    return nodes


def _node(spec, params_file):
    """Return a node that is restarted when killed and that ends the launch when it fails."""
    def on_exit(event, context):
        if context.is_shutdown or event.returncode == 0:
            return None
        if event.returncode > 0:
            raise InputError(f'{spec.full_name} ended with status {event.returncode}: see its '
                             'last line')
        return [TimerAction(period=RESTART_S, actions=[_node(spec, params_file)])]

    return Node(package=PACKAGE, executable=spec.name, name=spec.name, output='screen',
                namespace=spec.namespace or '/', parameters=[params_file, dict(spec.parameters)],
                remappings=list(spec.remappings.items()), on_exit=on_exit)


def _shown_markers(value):
    """Return the frame and depth of the markers, which RViz must use too."""
    namespace = value('namespace').strip('/')
    node = f'/{namespace}/skeleton_markers' if namespace else '/skeleton_markers'
    in_file = parameters_in_file(value('params_file'), node)
    # Drivers started here name their frame after the camera.
    frame = value('frame_id') or in_file.get('frame_id') or value('camera').rpartition('/')[2]
    depth_m = value('depth_m') or in_file.get('depth_m') or MarkerParams().depth_m
    return {'frame_id': frame, 'depth_m': str(depth_m)}


def _rviz_config(value, values, specs):
    """Write the RViz configuration of this graph next to the launch log; return its path."""
    if value('rig'):
        rig = load_rig(value('rig'))
        name, node, frame, view = 'hybrid_pose_3d', 'triangulator', rig.frame_id, rig_view(rig)
    else:
        name, node, frame = 'hybrid_pose', 'skeleton_markers', values['frame_id']
        view = plane_view(float(values['depth_m']))
    namespace = next(spec.namespace for spec in specs if spec.name == node)
    path = Path(launch_config.log_dir) / f'{name}.rviz'
    path.write_text(rviz_config(share() / 'config' / path.name, frame_id=frame,
                                namespace=namespace, view=view))
    return str(path)


def _driver_parameters(driver, frame, value):
    """Return the driver's parameters by its own names; the user's file takes precedence."""
    parameters = {'event_message_time_threshold': 1.0e-3,  # packet length [s]
                  'serial': ParameterValue(value('serial'), value_type=str)}
    if driver == 'libcaer':
        parameters |= {'device_type': value('device_type'), 'camera_frame_id': frame,
                       'encoding': value('encoding')}
    else:
        parameters |= {'frame_id': frame}  # its default contains the serial number
    file = value('driver_params_file')
    if file:
        read_sections(file)
    return [parameters, file] if file else [parameters]


def generate_launch_description():
    """Return the launch arguments, and the nodes that depend on them."""
    arguments = [
        DeclareLaunchArgument('driver', default_value='none',
                              choices=[*DRIVERS, 'player', 'none'],
                              description='source of the events; none: a driver is already '
                                          'running'),
        DeclareLaunchArgument('camera', default_value='event_camera',
                              description='node name of the driver, which publishes '
                                          '/<camera>/events'),
        DeclareLaunchArgument('device_type', default_value='davis',
                              choices=['davis', 'dvxplorer'],
                              description='libcaer_driver: type of the camera'),
        DeclareLaunchArgument('encoding', default_value='libcaer',
                              choices=['libcaer', 'libcaer_cmp'],
                              description='libcaer_driver: libcaer has 8 bytes per event; '
                                          'libcaer_cmp has fewer, but shifts up to 4 % of the '
                                          'events by some rows'),
        DeclareLaunchArgument('serial', default_value='',
                              description='serial number of the camera, if there are several'),
        DeclareLaunchArgument('driver_params_file', default_value='',
                              description='YAML file with additional parameters of the driver'),
        DeclareLaunchArgument('namespace', default_value='',
                              description='namespace of all nodes, for example one per camera'),
        DeclareLaunchArgument('rig', default_value='',
                              description='YAML of several cameras: starts a graph in namespace '
                                          'NAME for each camera NAME, with driver '
                                          '/NAME/<camera>, and a '
                                          'triangulator'),
        DeclareLaunchArgument('params_file',
                              default_value=str(share() / 'config' / 'hybrid_pose.yaml'),
                              description='YAML file with the parameters of the nodes'),
        DeclareLaunchArgument('ros4hri', default_value='false',
                              description='also publish the body on /humans; requires hri_msgs'),
        DeclareLaunchArgument('rviz', default_value='false',
                              description='start RViz with the frame and topics of this graph')]
    arguments += [DeclareLaunchArgument(argument.name, default_value='',
                                        description=argument.description)
                  for argument in ARGUMENTS]
    return LaunchDescription([*arguments, OpaqueFunction(function=_nodes)])
