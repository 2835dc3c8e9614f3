# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start the graph beside a driver: `ros2 launch hybrid_pose_ros hybrid_pose.launch.py -s`."""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, TimerAction
from launch.logging import launch_config
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph import ARGUMENTS, PACKAGE, graph, is_true, share
from hybrid_pose_ros.graph_check import check_graph, require_packages
from hybrid_pose_ros.parameter_files import parameters_in_file, read_sections
from hybrid_pose_ros.recordings.rig_files import load_rig
from hybrid_pose_ros.visualization.marker_params import MarkerParams
from hybrid_pose_ros.visualization.rviz_config import plane_view, rig_view, rviz_config

DRIVERS = ('metavision', 'libcaer')
"""Those that are started here on request: executable driver_node of package NAME_driver."""

RESTART_S = 1.0
"""Time until a node that was killed starts again."""


def _nodes(context):
    def value(name):
        return LaunchConfiguration(name).perform(context)

    driver, camera, rviz = value('driver'), value('camera'), is_true('rviz', value('rviz'))
    params_file = value('params_file')
    if value('rig') and driver in DRIVERS:
        raise InputError(f'a rig has a driver for each camera: start them yourself, as '
                         f'/NAME/{camera} with the names of the rig, and leave out driver')
    require_packages([f'{driver}_driver'] * (driver in DRIVERS) + ['rviz2'] * rviz)
    values = {argument.name: value(argument.name) for argument in ARGUMENTS}
    if rviz and not value('rig'):
        values |= _shown_markers(value)
    specs = graph(driver=driver, camera=camera, namespace=value('namespace'), rig=value('rig'),
                  ros4hri=is_true('ros4hri', value('ros4hri')), values=values)
    check_graph(specs, params_file)
    nodes = [_node(spec, params_file) for spec in specs]
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
    """Return a node that starts again when it was killed, and ends the launch when it failed."""
    def on_exit(event, context):
        if context.is_shutdown or event.returncode == 0:
            return None
        if event.returncode > 0:
            raise InputError(f'{spec.full_name} ended with status {event.returncode}: its last '
                             'line says why')
        return [TimerAction(period=RESTART_S, actions=[_node(spec, params_file)])]

    return Node(package=PACKAGE, executable=spec.name, name=spec.name, output='screen',
                namespace=spec.namespace or '/', parameters=[params_file, dict(spec.parameters)],
                remappings=list(spec.remappings.items()), on_exit=on_exit)


def _shown_markers(value):
    """Return frame and depth of the markers, so that RViz can be given the same ones."""
    namespace = value('namespace').strip('/')
    node = f'/{namespace}/skeleton_markers' if namespace else '/skeleton_markers'
    in_file = parameters_in_file(value('params_file'), node)
    # Drivers that are started here name their frame after the camera.
    frame = value('frame_id') or in_file.get('frame_id') or value('camera').rpartition('/')[2]
    depth_m = value('depth_m') or in_file.get('depth_m') or MarkerParams().depth_m
    return {'frame_id': frame, 'depth_m': str(depth_m)}


def _rviz_config(value, values, specs):
    """Write the configuration of RViz for this graph beside the launch's log; return its path."""
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
    """Return the driver's parameters, with its own names; a file of the user's comes last."""
    parameters = {'event_message_time_threshold': 1.0e-3,  # s, length of its packets
                  'serial': ParameterValue(value('serial'), value_type=str)}
    if driver == 'libcaer':
        parameters |= {'device_type': value('device_type'), 'camera_frame_id': frame,
                       'encoding': value('encoding')}
    else:
        parameters |= {'frame_id': frame}  # its own default is made of the serial number
    file = value('driver_params_file')
    if file:
        read_sections(file)
    return [parameters, file] if file else [parameters]


def generate_launch_description():
    """Return the arguments and, once they are known, the nodes."""
    arguments = [
        DeclareLaunchArgument('driver', default_value='none',
                              choices=[*DRIVERS, 'player', 'none'],
                              description='who publishes the events; none: a driver runs already'),
        DeclareLaunchArgument('camera', default_value='event_camera',
                              description='name of the driver\'s node: events come on '
                                          '/<camera>/events'),
        DeclareLaunchArgument('device_type', default_value='davis',
                              choices=['davis', 'dvxplorer'],
                              description='of libcaer_driver: which camera it is'),
        DeclareLaunchArgument('encoding', default_value='libcaer',
                              choices=['libcaer', 'libcaer_cmp'],
                              description='of libcaer_driver: libcaer has 8 bytes an event, '
                                          'libcaer_cmp fewer, but it moves up to 4 % of the '
                                          'events by some rows'),
        DeclareLaunchArgument('serial', default_value='',
                              description='serial number of the camera, where there are several'),
        DeclareLaunchArgument('driver_params_file', default_value='',
                              description='YAML file with further parameters of the driver'),
        DeclareLaunchArgument('namespace', default_value='',
                              description='of all nodes; for several cameras, one each'),
        DeclareLaunchArgument('rig', default_value='',
                              description='YAML of several cameras, NAME each: a graph for each '
                                          'in namespace NAME, with a driver /NAME/<camera>, and a '
                                          'triangulator'),
        DeclareLaunchArgument('params_file',
                              default_value=str(share() / 'config' / 'hybrid_pose.yaml'),
                              description='YAML file with the nodes\' parameters'),
        DeclareLaunchArgument('ros4hri', default_value='false',
                              description='publish the body on /humans, too; needs hri_msgs'),
        DeclareLaunchArgument('rviz', default_value='false',
                              description='start RViz with the frame and topics of this graph')]
    arguments += [DeclareLaunchArgument(argument.name, default_value='',
                                        description=argument.description)
                  for argument in ARGUMENTS]
    return LaunchDescription([*arguments, OpaqueFunction(function=_nodes)])
