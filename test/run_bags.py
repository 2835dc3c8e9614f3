# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags as our recorder leaves them, written without ROS."""

import numpy as np
from bag_files import EVENT_PACKET, cdr_of, write_mcap
from labeled_clips import HEIGHT, WIDTH

from hybrid_pose_ros.events.clock import EVT3_PERIOD_US
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.events.packet import Packet
from hybrid_pose_ros.recordings.bag_messages import bag_messages
from hybrid_pose_ros.recordings.bag_writer import BagWriter
from hybrid_pose_ros.recordings.message_types import typestore
from hybrid_pose_ros.recordings.pose_topics import SKELETON, TRUTH

PACKET_US = 4_000
EVENTS = '/event_camera/events'
OFF_PX = np.array([2.4, 3.2], np.float32)
"""Recorded joints are 4 px from the truth, or twice as far: see `write_bag`."""


def skeleton(stamp_us, joints_px, confidence, held=False, age_us=0):
    """Return a serialized Skeleton2D."""
    store = typestore()
    types = store.types
    time = types['builtin_interfaces/msg/Time'](0, 0)
    x_px, y_px = np.array(joints_px, np.float32).T.copy()
    still = np.zeros(13, np.float32)
    message = types['hybrid_pose_ros/msg/Skeleton2D'](
        header=types['std_msgs/msg/Header'](time, 'camera'), sensor_time_us=int(stamp_us),
        step_us=1000, width=WIDTH, height=HEIGHT, x_px=x_px, y_px=y_px,
        vx_px_s=still, vy_px_s=still, confidence=np.asarray(confidence, np.float32),
        held=np.full(13, held), events=0, skipped_steps=0,
        state_age_us=int(age_us), stale=False, trained=True, event_latency_ms=2.0,
        packet_latency_ms=1.0, compute_ms=0.5)
    return store.serialize_cdr(message, 'hybrid_pose_ros/msg/Skeleton2D')


def diagnostics(name, **values):
    """Return a serialized DiagnosticArray with one status, of text."""
    store = typestore()
    types = store.types
    header = types['std_msgs/msg/Header'](types['builtin_interfaces/msg/Time'](0, 0), '')
    pairs = [types['diagnostic_msgs/msg/KeyValue'](*pair) for pair in values.items()]
    status = types['diagnostic_msgs/msg/DiagnosticStatus'](0, name, '', 'somewhere', pairs)
    message = types['diagnostic_msgs/msg/DiagnosticArray'](header, [status])
    return store.serialize_cdr(message, 'diagnostic_msgs/msg/DiagnosticArray')


def write_bag(path, clip, *, cameras=('',), **options):
    """Record a clip with a truth for each packet. A joint's errors and sight go round in fives.

    In five packets one after the other it is out of sight, 8, 4, 8 and 4 px from the truth; for
    the second of several cameras, which are namespaces such as /left, half as far.

    Args:
        path: of the bag.
        clip: what is recorded.
        cameras: their namespaces.
        options: of each camera. poses, truth: whether they are recorded; since_us: no poses
            before; turns: how many turns of EVT3's clock the sensor times of pose and truth are
            ahead of the events', by the true sensor time; pause_us: the recorder is paused
            for so long at the middle of the clip, and loses packets; phase_us: how much
            later all times are.
    """
    writer = BagWriter(path)
    for number, space in enumerate(cameras):
        _write_camera(writer, space, 1 / (1 + number), clip, **options)
    writer.close()
    return path


def odd_bag(path, clip, odd, kind_of_events=EVENT_PACKET):
    """Write a clip's events and poses, and odd (topic, type, bytes) next to each packet."""
    whole = write_bag(path.with_suffix('.whole'), clip)
    messages = []
    for topic, kind, log_ns, cdr in bag_messages(whole):
        if kind == EVENT_PACKET:
            kind = kind_of_events
            messages += [(name, odd_kind, log_ns, bytes(cdr)) for name, odd_kind, cdr in odd]
        messages.append((topic, kind, log_ns, cdr))
    return write_mcap(path, messages)


def _write_camera(writer, space, share, clip, *, poses=True, truth=True, since_us=100_000,
                  turns=lambda stamp_us: (0, 0), pause_us=0, phase_us=0):
    encoder = Evt3Encoder(WIDTH, HEIGHT)
    events_of = writer.add_topic(space + EVENTS, 'event_camera_msgs/msg/EventPacket')
    pose_of = writer.add_topic(space + SKELETON, 'hybrid_pose_ros/msg/Skeleton2D')
    truth_of = writer.add_topic(space + TRUTH, 'hybrid_pose_ros/msg/Skeleton2D')
    for seq, start_us in enumerate(range(0, clip.end_us, PACKET_US)):
        end_us = start_us + PACKET_US
        events = clip.events_between(start_us, end_us).copy()
        later_us = phase_us + (pause_us if start_us >= clip.end_us // 2 else 0)
        if pause_us and later_us >= pause_us and start_us - PACKET_US < clip.end_us // 2:
            encoder = Evt3Encoder(WIDTH, HEIGHT)
        events['t'] += later_us
        log_ns = 1000 * (end_us + later_us)
        number = seq + (later_us - phase_us) // PACKET_US
        events_of(log_ns, cdr_of(Packet(log_ns, 'camera', WIDTH, HEIGHT, number, 0, 'evt3',
                                        encoder.encode(events))))
        turn = (np.arange(13) + seq) % 5
        error_px = share * OFF_PX * np.array([1, 2, 1, 2, 1])[turn, None]
        if truth:
            ahead_us = later_us + turns(end_us)[1] * EVT3_PERIOD_US
            truth_of(log_ns, skeleton(end_us + ahead_us, clip.joints_px[end_us // 1000], turn > 0))
        for stamp_us in range(start_us + 1000, end_us + 1, 1000):
            if poses and stamp_us > since_us and stamp_us % 50_000:
                ahead_us = later_us + turns(stamp_us)[0] * EVT3_PERIOD_US
                pose_of(log_ns + 1, skeleton(
                    stamp_us + ahead_us, clip.joints_px[stamp_us // 1000] + error_px,
                    np.full(13, 0.5), age_us=stamp_us % 33_000))
