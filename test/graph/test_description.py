# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one description of the graph, and the files beside it that must agree with it."""

from pathlib import Path

import pytest
import yaml

from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph.description import (
    ARGUMENTS, NETWORK, SETTINGS, TOPICS, TOPICS_3D, command, graph)
from hybrid_pose_ros.recordings.rig_files import save_rig
from hybrid_pose_ros.settings import parameters_of

CONFIG = Path(__file__).parents[2] / 'config'
PLUGINS = {'rviz_default_plugins/MarkerArray': 'visualization_msgs/msg/MarkerArray',
           'rviz_default_plugins/Image': 'sensor_msgs/msg/Image'}


def names_of(node: str) -> set[str]:
    """Return the names of a node's parameters."""
    return {parameter.name for parameter in parameters_of(SETTINGS[node])}


@pytest.mark.parametrize('path', sorted(CONFIG.glob('*.yaml')), ids=lambda path: path.name)
def test_every_key_of_the_parameter_files_is_a_parameter_and_legal(path):
    for node, section in yaml.safe_load(path.read_text()).items():
        values, name = section['ros__parameters'], node.removeprefix('/**/')
        assert set(values) <= names_of(name), node
        SETTINGS[name](**values)


def test_both_nodes_of_the_network_get_the_same_common_parameters():
    file = yaml.safe_load((CONFIG / 'hybrid_pose.yaml').read_text())
    common = names_of(NETWORK[0]) & names_of(NETWORK[1])
    first, second = (file[f'/**/{node}']['ros__parameters'] for node in NETWORK)
    assert {name: first.get(name) for name in common} == {name: second.get(name)
                                                          for name in common}


def test_rviz_looks_at_topics_that_there_are():
    displays = yaml.safe_load((CONFIG / 'hybrid_pose.rviz').read_text())[
        'Visualization Manager']['Displays']
    shown = {display['Topic']['Value']: PLUGINS[display['Class']] for display in displays
             if 'Topic' in display}
    assert len(shown) == 2
    assert shown.items() <= TOPICS.items()


def test_rviz_looks_at_the_world_of_several_cameras():
    file = yaml.safe_load((CONFIG / 'hybrid_pose_3d.rviz').read_text())['Visualization Manager']
    shown, = (display['Topic'] for display in file['Displays'] if 'Topic' in display)
    assert TOPICS_3D[shown['Value']] == 'visualization_msgs/msg/MarkerArray'
    assert shown['Reliability Policy'] == 'Reliable'
    assert file['Global Options']['Fixed Frame'] == dhp19_rig(2).frame_id


def test_rviz_asks_for_the_reliability_that_the_markers_have():
    displays = yaml.safe_load((CONFIG / 'hybrid_pose.rviz').read_text())[
        'Visualization Manager']['Displays']
    assert {display['Topic']['Reliability Policy'] for display in displays
            if 'Topic' in display} == {'Reliable'}


def test_the_fixed_frame_of_rviz_is_the_players():
    file = yaml.safe_load((CONFIG / 'hybrid_pose.rviz').read_text())
    assert (file['Visualization Manager']['Global Options']['Fixed Frame']
            == SETTINGS['event_player']().frame_id)


def test_every_argument_sets_parameters_that_there_are():
    for argument in ARGUMENTS:
        for node, parameter in argument.sets:
            assert parameter in names_of(node)


def test_topics_are_wired_to_topics_that_there_are():
    for spec in graph(driver='player', values={'record': 'bag'}):
        assert set(spec.remappings.values()) <= set(TOPICS)


def test_the_camera_names_the_topic_of_the_events():
    for spec in graph(camera='left'):
        assert spec.remappings['~/events'] == '/left/events'


def test_a_namespace_holds_all_nodes_and_topics_but_the_cameras():
    for spec in graph(driver='player', values={'record': 'bag'}, namespace='left/'):
        assert spec.namespace == '/left'
        topics = set(spec.remappings.values()) - {
            '/event_camera/events', '/event_camera/camera_info'}
        assert all(topic.startswith('/left/') for topic in topics)
        assert {topic.removeprefix('/left') for topic in topics} <= set(TOPICS)


def test_nodes_are_started_on_request():
    assert 'event_player' not in [spec.name for spec in graph()]
    assert not {'recorder', 'ros4hri'} & {spec.name for spec in graph(driver='player')}
    with_all = [spec.name for spec in graph(driver='player', ros4hri=True,
                                            values={'record': 'bag'})]
    assert set(with_all) == set(SETTINGS) - {'triangulator'}  # which a rig has
    assert with_all[-1] == 'event_player'  # nobody misses its first packet


@pytest.fixture
def rig(tmp_path):
    save_rig(dhp19_rig(2), tmp_path / 'rig.yaml')
    return str(tmp_path / 'rig.yaml')


def test_each_camera_of_a_rig_has_a_graph_in_its_namespace(rig):
    specs = graph(driver='player', rig=rig, values={'record': 'bags', 'step_us': '2000'})
    assert len({spec.full_name for spec in specs}) == len(specs) == 11
    assert specs[0].name == 'triangulator' and specs[0].parameters['rig'] == rig
    assert [spec.name for spec in specs[-2:]] == ['event_player'] * 2
    named = {spec.full_name: spec for spec in specs}
    for name in ('dhp19_2', 'dhp19_3'):
        tracker = named[f'{name}/snn_tracker']
        assert tracker.parameters['step_us'] == 2000
        assert tracker.remappings == {'~/events': f'/{name}/event_camera/events',
                                      '~/state': f'/{name}/ann_initializer/state'}
        player = named[f'{name}/event_player'].parameters
        assert player == {'frame_id': name, 'players': 2, 'camera': name.replace('_', '-')}
        assert named[f'{name}/recorder'].parameters['bag'] == str(Path('bags', name))
    recorders = [spec for spec in specs if spec.parameters.get('record_3d')]
    assert [spec.remappings['~/skeleton3d'] for spec in recorders] == ['/triangulator/skeleton']
    assert '/triangulator/skeleton' in TOPICS_3D


def test_the_players_of_a_rig_play_a_take(rig):
    specs = graph(driver='player', rig=rig, values={'recording': 'take'})
    played = [spec.parameters['recording'] for spec in specs if spec.name == 'event_player']
    assert played == [str(Path('take', f'dhp19_{number}.h5')) for number in (2, 3)]


@pytest.mark.parametrize('changes, said', (
    ({'namespace': 'left'}, 'omit namespace'),
    ({'values': {'calibration': 'c.yaml'}}, 'omit calibration')))
def test_what_a_rig_says_itself_is_not_said_twice(rig, changes, said):
    with pytest.raises(InputError, match=said):
        graph(rig=rig, **changes)


def test_an_argument_reaches_each_node_with_its_parameters_type():
    specs = {spec.name: spec.parameters for spec in graph(
        driver='player', values={'step_us': '2000', 'ann_rate_hz': '10', 'preset': ''})}
    assert specs['snn_tracker'] == {'step_us': 2000}
    assert specs['ann_initializer'] == {'step_us': 2000, 'rate_hz': 10.0}


@pytest.mark.parametrize('text, value', (('false', False), ('True', True)))
def test_autostart_reaches_the_nodes_of_the_network_alone(text, value):
    specs = {spec.name: spec.parameters for spec in graph(values={'autostart': text})}
    assert {name for name in specs if 'autostart' in specs[name]} == set(NETWORK)
    assert [specs[name]['autostart'] for name in NETWORK] == [value, value]


@pytest.mark.parametrize('values, said', (
    ({'autostart': 'no'}, "autostart of ann_initializer must be of type bool, not 'no'"),
    ({'stpe_us': '1'}, 'unknown argument stpe_us: choose from preset, checkpoint'),
    ({'step_us': 'fast'}, "step_us of ann_initializer must be of type int, not 'fast'")))
def test_an_argument_that_is_not_one_is_refused(values, said):
    with pytest.raises(InputError, match=said):
        graph(values=values)


def test_a_text_stays_a_text_on_the_command_line(tmp_path, monkeypatch):
    (tmp_path / 'share' / 'hybrid_pose_ros' / 'config').mkdir(parents=True)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    player = graph(driver='player', values={'recording': '007', 'rate': '2', 'seed': '3'})[-1]
    words = command(player)
    assert words[0] == str(tmp_path / 'lib' / 'hybrid_pose_ros' / 'event_player')
    assert {'recording:="007"', 'rate:=2.0', 'seed:=3'} <= set(words)
