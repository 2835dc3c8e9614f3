# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One second of packets through tracker, initializer and markers, looked at from outside."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from live_graph import (
    EVENTS, FRAME, HEIGHT, OVERLAY, PERIOD_US, SKELETON, SKELETONS, STATE, WIDTH, Camera,
    LiveGraph, stamps_us)
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import Image
from visualization_msgs.msg import Marker, MarkerArray

from hybrid_pose_ros.graph.description import TOPICS
from hybrid_pose_ros.model import checkpoint
from hybrid_pose_ros.model.layout import message_layout, state_layout
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.msg import Skeleton2D, Skeleton2DArray, StateTensors, TrackerStatus
from hybrid_pose_ros.nodes.messages import from_time, to_descriptor
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.transport.reader import StateReader

STEP_US = 1_000
CHUNK_US = 40_000
"""A state is due within each: they are what the tests wait for, so the tracker is never behind."""

WEIGHTS = checkpoint.untrained(preset('edge'))


@pytest.fixture(scope='module')
def run(shared_live: LiveGraph, tmp_path_factory) -> SimpleNamespace:
    """Let untrained nodes work on moving events, and return what they published."""
    live = shared_live
    path = tmp_path_factory.mktemp('weights') / 'edge.safetensors'
    WEIGHTS.save(path)
    # First what takes longest: the others would warn that no packet comes meanwhile.
    live.start('ann_initializer', checkpoint=str(path), slots=16)  # the listener may be late
    live.start('skeleton_markers', least_presence=0.0)  # random weights show nobody
    live.start('snn_tracker', checkpoint=str(path))
    seen = SimpleNamespace(
        live=live, skeletons=live.listen(SKELETON, Skeleton2D),
        states=live.listen(STATE, StateTensors),
        markers=live.listen('/skeleton_markers/markers', MarkerArray),
        images=live.listen(OVERLAY, Image), views=[],
        arrays=live.listen(SKELETONS, Skeleton2DArray),
        throttled=live.listen('/snn_tracker/skeleton_throttle', Skeleton2D),
        statuses=live.listen('/snn_tracker/status', TrackerStatus))
    reader = StateReader()
    camera = Camera(live, listeners=3)
    for _ in range(25):
        known = len(seen.states)
        camera.send(CHUNK_US)
        live.spin_until(lambda: len(seen.states) > known, 'a state of the newest events')
        view = reader.read(to_descriptor(seen.states[-1]))
        seen.views.append({name: tensor.copy() for name, tensor in view.tensors.items()})
    live.spin_until(lambda: seen.skeletons and seen.skeletons[-1].sensor_time_us
                    >= camera.now_us - STEP_US, 'the last complete bin')
    live.spin_until(lambda: seen.markers and seen.images, 'something to look at')
    seen.reports = {name: live.report(name)
                    for name in ('snn_tracker', 'ann_initializer', 'skeleton_markers')}
    return seen


def test_every_time_bin_has_a_skeleton(run):
    stamps = stamps_us(run.skeletons)
    assert stamps == list(range(stamps[0], stamps[0] + STEP_US * len(stamps), STEP_US))
    assert len(stamps) > 900
    assert sum(skeleton.skipped_steps for skeleton in run.skeletons) == 0


def test_the_poses_of_each_packet_come_together_too(run):
    assert [pose for array in run.arrays for pose in stamps_us(array.skeletons)] \
        == stamps_us(run.skeletons)
    assert {len(array.skeletons) for array in run.arrays[1:]} == {PERIOD_US // STEP_US}
    for array in run.arrays:
        assert array.header == array.skeletons[-1].header
        assert len({round(pose.packet_latency_ms, 3) for pose in array.skeletons}) == 1


def test_together_they_come_later_than_each_by_itself(run):
    together = [pose for array in run.arrays for pose in array.skeletons]
    for each, later in zip(run.skeletons, together, strict=True):
        assert later.packet_latency_ms > each.packet_latency_ms
        np.testing.assert_array_equal(later.x_px, each.x_px)


def test_some_of_the_poses_are_enough_for_those_that_look_now_and_then(run):
    assert 0 < len(run.throttled) < len(run.skeletons) / 4
    assert set(stamps_us(run.throttled)) <= set(stamps_us(run.skeletons))


def test_ros_stamps_never_step_back(run):
    stamps_ns = [from_time(skeleton.header.stamp) for skeleton in run.skeletons]
    assert all(before < after for before, after in zip(stamps_ns, stamps_ns[1:]))


def test_a_skeleton_says_whose_it_is_and_that_it_means_nothing(run):
    for skeleton in run.skeletons:
        assert skeleton.header.frame_id == FRAME
        assert (skeleton.width, skeleton.height, skeleton.step_us) == (WIDTH, HEIGHT, STEP_US)
        assert not skeleton.trained


def test_each_bin_counts_its_own_events(run):
    assert {skeleton.events for skeleton in run.skeletons} == {20}


def test_joints_lie_on_the_sensor_and_everything_is_finite(run):
    for skeleton in run.skeletons:
        assert np.all((-1 <= skeleton.x_px) & (skeleton.x_px <= WIDTH))
        assert np.all((-1 <= skeleton.y_px) & (skeleton.y_px <= HEIGHT))
        assert np.all((0 <= skeleton.confidence) & (skeleton.confidence <= 1))
        assert np.isfinite(skeleton.vx_px_s).all() and np.isfinite(skeleton.vy_px_s).all()


def test_the_state_grows_older_by_a_bin_until_the_next_one_takes_over(run):
    ages_us = np.array([skeleton.state_age_us for skeleton in run.skeletons])
    assert (ages_us >= 0).all()
    steps_us = np.diff(ages_us)
    assert ((steps_us == STEP_US) | (steps_us < 0)).all()
    assert (steps_us < 0).sum() >= 5


def test_latencies_are_told(run):
    for skeleton in run.skeletons:
        assert skeleton.compute_ms > 0
        assert skeleton.packet_latency_ms > 0
        assert math.isfinite(skeleton.event_latency_ms)


def test_another_reader_finds_the_states_that_the_notices_announce(run):
    geometry = input_geometry(preset('edge'), WIDTH, HEIGHT)
    layout = message_layout(state_layout(preset('edge'), geometry.width, geometry.height))
    for tensors in run.views:
        assert {name: tensor.shape for name, tensor in tensors.items()} == dict(layout)
        assert all(np.isfinite(tensor).all() for tensor in tensors.values())
    assert any(tensor.any() for tensor in run.views[0].values())


def test_a_notice_says_what_it_is_of(run):
    model = checkpoint.identity(WEIGHTS)
    for state in run.states:
        assert state.model == model
        assert state.header.frame_id == FRAME
        assert state.sensor_time_us % STEP_US == 0
        assert state.ann_ms > 0
        assert not state.payload
    sequences = [state.sequence for state in run.states]
    assert sequences == sorted(set(sequences))


def test_markers_are_such_as_rviz_draws(run):
    for message in run.markers:
        names = [(marker.ns, marker.id) for marker in message.markers]
        assert len(set(names)) == len(names)
        for marker in message.markers:
            assert marker.header.frame_id == FRAME
            assert marker.lifetime.sec + marker.lifetime.nanosec > 0
            assert marker.pose.orientation.w == 1.0
            assert min(marker.scale.x, marker.scale.y, marker.scale.z) > 0
            numbers = [value for point in marker.points for value in (point.x, point.y, point.z)]
            assert np.isfinite(numbers).all()
            if marker.type in (Marker.LINE_LIST, Marker.SPHERE_LIST):
                assert len(marker.points) == len(marker.colors) > 0
            if marker.type == Marker.LINE_LIST:
                assert len(marker.points) % 2 == 0
            assert all(0 <= value <= 1 for color in marker.colors
                       for value in (color.r, color.g, color.b, color.a))


def test_markers_say_that_the_weights_are_untrained(run):
    notes = [marker.text for message in run.markers for marker in message.markers
             if marker.ns == 'note']
    assert notes and set(notes) == {'untrained weights'}


def test_the_overlay_shows_events_where_somebody_looks(run):
    for image in run.images:
        assert (image.width, image.height, image.encoding) == (WIDTH, HEIGHT, 'bgr8')
        assert len(image.data) == image.step * image.height == 3 * WIDTH * HEIGHT
        assert image.header.frame_id == FRAME
        assert any(image.data)


@pytest.mark.parametrize('name, expected', (
    ('snn_tracker', {'packets', 'lost_packets', 'bad_packets', 'late_events', 'outside_events',
                     'poses', 'poses_per_s', 'trained', 'model', 'state_age_ms',
                     'states_refused', 'latency_ms_p50', 'latency_ms_p99', 'compute_ms_p95',
                     'queue_depth'}),
    ('ann_initializer', {'packets', 'lost_packets', 'bad_packets', 'states', 'ann_ms', 'segment',
                         'transport', 'trained', 'model'}),
    ('skeleton_markers', {'packets', 'poses', 'drawn'})))
def test_every_node_reports_on_diagnostics(run, name, expected):
    assert expected <= set(run.reports[name])


def test_the_status_is_the_gist_of_the_report(run):
    for status in run.statuses:
        assert not status.tracking and 'untrained weights' in status.message
    last = run.statuses[-1]
    report = run.reports['snn_tracker']
    assert last.lost_packets == last.bad_packets == 0
    assert f'{last.state_age_ms:.4g}' == report['state_age_ms']
    assert f'{last.latency_ms[0]:.4g}' == report['latency_ms_p50']
    assert 0 < sum(status.poses_per_s > 0 for status in run.statuses)


def test_the_stages_of_a_packets_way_add_up_to_its_latency(run):
    """Of the means they would exactly; medians of stages that are all needed come near."""
    report = run.reports['snn_tracker']
    stages = [float(report[f'{stage}_ms_p50']) for stage in ('queue', 'decode', 'network', 'rest')]
    assert all(stage > 0 for stage in stages)
    assert 0.2 < sum(stages) / float(report['latency_ms_p50']) < 5


def test_nodes_report_that_they_are_untrained(run):
    for name in ('snn_tracker', 'ann_initializer'):
        assert run.reports[name]['trained'] == 'False'
        assert 'untrained weights' in run.live.statuses(name)[-1].message


def test_reports_agree_with_what_was_published(run):
    tracker, initializer = run.reports['snn_tracker'], run.reports['ann_initializer']
    assert int(tracker['poses']) == len(run.skeletons)
    assert tracker['packets'] == initializer['packets'] == '250'
    assert int(initializer['states']) == len(run.states)
    assert tracker['states_refused'] == tracker['lost_packets'] == '0'


def test_the_graph_offers_the_topics_of_its_description(run):
    found = {topic: types for topic, types in run.live.listener.get_topic_names_and_types()
             if topic not in ('/rosout', '/parameter_events')}
    expected = {topic: [kind] for topic, kind in TOPICS.items()
                if not topic.startswith('/event_player')
                and topic != '/snn_tracker/gesture'}  # of a recorder, or of other weights
    assert found == expected


def test_events_are_taken_as_drivers_offer_them_and_markers_given_as_rviz_asks(run):
    node = run.live.listener
    assert {end.qos_profile.reliability for end in
            node.get_subscriptions_info_by_topic(EVENTS)} == {ReliabilityPolicy.BEST_EFFORT}
    for topic in ('/skeleton_markers/markers', '/skeleton_markers/overlay'):
        assert [end.qos_profile.reliability for end in
                node.get_publishers_info_by_topic(topic)] == [ReliabilityPolicy.RELIABLE]


def test_nothing_is_warned_of(run):
    assert run.live.log() == []
