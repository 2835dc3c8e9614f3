# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The nodes, without loss, give the poses of the offline runner to the bit."""

import itertools

import numpy as np
import pytest
from labeled_clips import HEIGHT, WIDTH, circling_clip
from live_graph import EVENTS, SKELETON, LiveGraph
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.model import checkpoint
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.nodes.messages import to_event_packet
from hybrid_pose_ros.playback.due_packets import due_packets
from hybrid_pose_ros.playback.player_params import PlayerParams
from hybrid_pose_ros.recordings.hdf5 import Hdf5Writer
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.offline import OfflineInitializer, OfflineTracker, play
from hybrid_pose_ros.tracking.pose_tracker import PoseTracker
from hybrid_pose_ros.tracking.tracker_params import TrackerParams

pytest.importorskip('torch')

from event_camera_msgs.msg import EventPacket

from hybrid_pose_ros.msg import Skeleton2D

WEIGHTS = checkpoint.untrained(preset('edge'))
LOSSLESS = QoSProfile(history=HistoryPolicy.KEEP_ALL, reliability=ReliabilityPolicy.RELIABLE)
LOSSLESS_EVENTS = {f'qos_overrides.{EVENTS}.subscription.{name}': value for name, value in (
    ('history', 'keep_all'), ('reliability', 'reliable'))}
NO_REQUESTS = {'request_interval_us': 60_000_000}
"""The offline runner makes no early states."""


def packets_of(folder, clip, packets_per_s):
    """Return the packets that the player makes of a clip, and the events of each."""
    path = folder / 'clip.h5'
    with Hdf5Writer(path, width=WIDTH, height=HEIGHT) as writer:
        writer.append(clip.events)
    stream = PacketStream()
    packets = [due.packet for due in due_packets(PlayerParams(
        recording=str(path), packets_per_s=packets_per_s))]
    return packets, [stream.update(packet).events for packet in packets]


def offline(pieces, settings, of_tracker):
    """Return the poses of the runner, and when its states were due."""
    initializer = OfflineInitializer(WEIGHTS, InitializerParams(**settings), WIDTH, HEIGHT)
    settings = {name: value for name, value in settings.items() if name != 'rate_hz'}
    tracker = OfflineTracker(WEIGHTS, TrackerParams(**settings, **of_tracker), WIDTH, HEIGHT)
    return tracker, [state.sensor_time_us for state in play(pieces, initializer, [tracker])]


def in_graph(live: LiveGraph, monkeypatch, path, packets, pieces, settings, due_us):
    """Play packets one by one, each once the states before it have come; return the poses."""
    common = LOSSLESS_EVENTS | {'checkpoint': str(path)}
    ann = live.start('ann_initializer', **common, **settings)
    tracker = live.start('snn_tracker', **common, **NO_REQUESTS, **{
        name: value for name, value in settings.items() if name != 'rate_hz'})
    received, initialize = set(), PoseTracker.initialize

    def spy(tracker, state):
        received.add(state.sensor_time_us)
        return initialize(tracker, state)
    monkeypatch.setattr(PoseTracker, 'initialize', spy)
    skeletons = live.listen(SKELETON, Skeleton2D)
    publisher = live.publisher(EVENTS, EventPacket, LOSSLESS, listeners=2)
    for number, (packet, events) in enumerate(zip(packets, pieces, strict=True), start=1):
        publisher.publish(to_event_packet(packet))
        newest_us = int(events['t'][-1])
        named = set(itertools.takewhile(lambda at_us: at_us <= newest_us, due_us))
        live.spin_until(lambda: all(
            node.active.input.counts()['packets'] == number for node in (ann, tracker))
            and not ann.active.is_due() and received >= named, f'packet {number} and {named}')
    assert received == set(due_us)
    poses = tracker.active.tracker.counts.poses
    live.spin_until(lambda: len(skeletons) >= poses, 'all poses')
    return skeletons


@pytest.mark.parametrize('rate_hz, step_us, delay_us, packets_per_s', [
    (30.0, 1_000, 0, 1_000.0), (30.0, 1_000, 20_000, 250.0),
    (10.0, 10_000, 0, 100.0), (10.0, 10_000, 30_000, 50.0)])
def test_the_graph_gives_the_poses_of_the_offline_runner(
        live, monkeypatch, tmp_path, rate_hz, step_us, delay_us, packets_per_s):
    """Without a delay a packet is a bin, so that the state of its start precedes the next bin."""
    path = tmp_path / 'edge.safetensors'
    WEIGHTS.save(path)
    clip = circling_clip(duration_ms=200 if step_us == 1_000 else 450, events_ms=20)
    packets, pieces = packets_of(tmp_path, clip, packets_per_s)
    settings = {'rate_hz': rate_hz, 'step_us': step_us, 'state_delay_us': delay_us}
    runner, due_us = offline(pieces, settings, NO_REQUESTS)
    skeletons = in_graph(live, monkeypatch, path, packets, pieces, settings, due_us)
    assert len(due_us) >= 5
    assert [skeleton.sensor_time_us for skeleton in skeletons] \
        == [pose.stamp_us for pose in runner.poses]
    for skeleton, pose in zip(skeletons, runner.poses, strict=True):
        assert skeleton.state_age_us == pose.state_age_us
        np.testing.assert_array_equal(
            np.stack([skeleton.x_px, skeleton.y_px], axis=-1), pose.skeleton.joints_px)
        np.testing.assert_array_equal(skeleton.confidence, pose.skeleton.confidence)
        np.testing.assert_array_equal(
            np.stack([skeleton.vx_px_s, skeleton.vy_px_s], axis=-1), pose.skeleton.velocity_px_s)
        np.testing.assert_array_equal(skeleton.held, pose.held)
