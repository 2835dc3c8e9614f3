# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start the graph beside a driver: `ros2 launch hybrid_pose_ros hybrid_pose.launch.py -s`."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph import ARGUMENTS, PACKAGE, graph, share

DRIVERS = ('metavision', 'libcaer')
"""Those that are started here on request: executable driver_node of package NAME_driver."""


def _nodes(context):
    def value(name):
        return LaunchConfiguration(name).perform(context)

    driver, camera = value('driver'), value('camera')
    if value('rig') and driver in DRIVERS:
        raise InputError(f'a rig has a driver for each camera: start them yourself, as '
                         f'/NAME/{camera} with the names of the rig, and leave out driver')
    parameters = [value('params_file')]
    nodes = [
        Node(package=PACKAGE, executable=spec.name, name=spec.name, output='screen',
             namespace=spec.namespace or '/',
             parameters=parameters + [dict(spec.parameters)],
             remappings=list(spec.remappings.items()),
             # Whoever dies comes back, but for the player, which ends with its recording.
             respawn=spec.name != 'event_player', respawn_delay=1.0)
        for spec in graph(driver=driver, camera=camera, namespace=value('namespace'),
                          rig=value('rig'),
                          ros4hri=value('ros4hri').lower() == 'true',
                          values={argument.name: value(argument.name) for argument in ARGUMENTS})]
    if driver in DRIVERS:
        namespace, _, name = camera.rpartition('/')
        nodes.append(Node(package=f'{driver}_driver', executable='driver_node', name=name,
                          namespace=namespace or '/', output='screen',
                          parameters=_driver_parameters(driver, name, value)))
    if value('rviz').lower() == 'true':
        view = 'hybrid_pose_3d.rviz' if value('rig') else 'hybrid_pose.rviz'
        nodes.append(Node(package='rviz2', executable='rviz2', name='rviz2', output='screen',
                          arguments=['-d', str(share() / 'config' / view)]))
    return nodes


def _driver_parameters(driver, frame, value):
    """Return what the driver is told; names are its own, and a file of the user's comes last."""
    parameters = {'event_message_time_threshold': 1.0e-3,  # s, length of its packets
                  'serial': ParameterValue(value('serial'), value_type=str)}
    if driver == 'libcaer':
        parameters |= {'device_type': value('device_type'), 'camera_frame_id': frame}
    else:
        parameters |= {'frame_id': frame}  # its own default is made of the serial number
    file = value('driver_params_file')
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
        DeclareLaunchArgument('ros4hri', default_value='false', choices=['true', 'false'],
                              description='publish the body on /humans, too; needs hri_msgs'),
        DeclareLaunchArgument('rviz', default_value='false', choices=['true', 'false'],
                              description='start RViz with the shipped configuration')]
    arguments += [DeclareLaunchArgument(argument.name, default_value='',
                                        description=argument.description)
                  for argument in ARGUMENTS]
    return LaunchDescription([*arguments, OpaqueFunction(function=_nodes)])
