# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversions between ROS messages and the value types of the core."""

import array
from dataclasses import fields

import numpy as np
from builtin_interfaces.msg import Time
from event_camera_msgs.msg import EventPacket
from std_msgs.msg import Header

from hybrid_pose_ros.events.packet import Packet
from hybrid_pose_ros.msg import (
    Skeleton2D, Skeleton3D as Skeleton3DMessage, StateTensors, TensorLayout)
from hybrid_pose_ros.pose.triangulator import Skeleton3D
from hybrid_pose_ros.tasks.skeleton import Skeleton
from hybrid_pose_ros.transport.descriptor import StateDescriptor, TensorSpec

SAME_FIELDS = tuple(field.name for field in fields(StateDescriptor)
                    if field.name not in ('tensors', 'payload'))
"""Fields shared by StateTensors and StateDescriptor."""


def to_time(stamp_ns: int) -> Time:
    """Return nanoseconds as a ROS time."""
    return Time(sec=stamp_ns // 1_000_000_000, nanosec=stamp_ns % 1_000_000_000)


def from_time(stamp: Time) -> int:
    """Return a ROS time in nanoseconds."""
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def to_packet(message: EventPacket) -> Packet:
    """Return a driver's message as plain values; the payload is not copied."""
    return Packet(
        stamp_ns=from_time(message.header.stamp), frame_id=message.header.frame_id,
        width=message.width, height=message.height, seq=message.seq, time_base=message.time_base,
        encoding=message.encoding, payload=message.events)


def to_event_packet(packet: Packet) -> EventPacket:
    """Return a packet as a message."""
    return EventPacket(
        header=Header(stamp=to_time(packet.stamp_ns), frame_id=packet.frame_id),
        width=packet.width, height=packet.height, seq=packet.seq, time_base=packet.time_base,
        # rclpy copies an array.array in bulk, but a NumPy array byte by byte.
        encoding=packet.encoding, events=array.array('B', bytes(packet.payload)))


def to_skeleton_message(skeleton: Skeleton, header: Header) -> Skeleton2D:
    """Return a skeleton as a message; the caller adds timing and state age."""
    return Skeleton2D(
        header=header, sensor_time_us=skeleton.stamp_us,
        x_px=_column(skeleton.joints_px, 0), y_px=_column(skeleton.joints_px, 1),
        vx_px_s=_column(skeleton.velocity_px_s, 0), vy_px_s=_column(skeleton.velocity_px_s, 1),
        confidence=np.asarray(skeleton.confidence, np.float32))


def _column(points: np.ndarray, axis: int) -> np.ndarray:
    return np.ascontiguousarray(points[:, axis], np.float32)


def to_skeleton(message: Skeleton2D) -> Skeleton:
    """Return the skeleton in a message."""
    return Skeleton(
        message.sensor_time_us, np.stack([message.x_px, message.y_px], axis=1),
        np.asarray(message.confidence),
        np.stack([message.vx_px_s, message.vy_px_s], axis=1))


def to_skeleton3d_message(skeleton: Skeleton3D, header: Header) -> Skeleton3DMessage:
    """Return a 3D pose as a message; the caller adds latency and status."""
    return Skeleton3DMessage(
        header=header, instant_us=skeleton.stamp_us, x_m=_column(skeleton.joints_m, 0),
        y_m=_column(skeleton.joints_m, 1), z_m=_column(skeleton.joints_m, 2),
        confidence=np.float32(skeleton.confidence),
        reprojection_error_px=np.float32(skeleton.error_px), cameras=skeleton.cameras,
        missing=skeleton.missing.tolist(), compute_ms=skeleton.compute_ns * 1e-6)


def to_state_message(descriptor: StateDescriptor, header: Header, ann_ms: float) -> StateTensors:
    """Return the message that announces a state."""
    return StateTensors(
        header=header, ann_ms=ann_ms, payload=array.array('B', descriptor.payload),
        tensors=[TensorLayout(name=spec.name, dtype=spec.dtype, shape=spec.shape,
                              offset=spec.offset) for spec in descriptor.tensors],
        **{name: getattr(descriptor, name) for name in SAME_FIELDS})


def to_descriptor(message: StateTensors) -> StateDescriptor:
    """Return the content of a state message, unchecked; `StateReader` validates it."""
    return StateDescriptor(
        tensors=tuple(TensorSpec(layout.name, layout.dtype, tuple(int(n) for n in layout.shape),
                                 layout.offset) for layout in message.tensors),
        payload=message.payload.tobytes(),
        **{name: getattr(message, name) for name in SAME_FIELDS})
