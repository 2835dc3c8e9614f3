# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""3D pose of the person, triangulated from the poses of several cameras' trackers.

Subscribes to /NAME/snn_tracker/skeletons for every camera NAME of the rig.
"""

import sys
import time
from functools import partial

import numpy as np
from geometry_msgs.msg import Point
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.msg import Skeleton2D, Skeleton2DArray, Skeleton3D as Skeleton3DMessage
from hybrid_pose_ros.nodes.clocks import at_most_every
from hybrid_pose_ros.nodes.diagnostics import Diagnostics, Status
from hybrid_pose_ros.nodes.marker_shapes import body
from hybrid_pose_ros.nodes.messages import from_time, to_skeleton, to_skeleton3d_message, to_time
from hybrid_pose_ros.nodes.parameters import SettingsNode, declare
from hybrid_pose_ros.nodes.qos import MARKERS_QOS, SKELETON_QOS, publisher, subscription
from hybrid_pose_ros.nodes.run import run
from hybrid_pose_ros.nodes.throttle import Throttle
from hybrid_pose_ros.pose.alignment import TimedPose
from hybrid_pose_ros.pose.triangulator import (
    Skeleton3D, Triangulator, TriangulatorParams, check_tracker_sizes)
from hybrid_pose_ros.recordings.rig_files import load_rig


class TriangulatorNode(SettingsNode):
    """Publish a 3D pose for each instant once all cameras have reached it."""

    def __init__(self, **kwargs):
        super().__init__('triangulator', **kwargs)
        self._params = declare(self, TriangulatorParams, self._on_params)
        if not self._params.rig:
            raise InputError('parameter rig is empty: name the YAML file of the cameras')
        self._rig = load_rig(self._params.rig)
        self._triangulator = Triangulator(self._rig, self._params)
        cameras = range(len(self._rig.cameras))
        self._received = [0 for _ in cameras]
        self._reported = list(self._received)  # values at the last report
        self._clock_ns = [0 for _ in cameras]  # ROS time at 0 of the common clock, per camera
        self._stale, self._trained = [False for _ in cameras], [True for _ in cameras]
        self._compute_ms: list[float] = []
        self._latency_ms: list[float] = []
        self._marker_throttle = Throttle(self._params.markers_hz)
        self._skeletons = publisher(self, Skeleton3DMessage, '~/skeleton', SKELETON_QOS)
        self._markers = publisher(self, MarkerArray, '~/markers', MARKERS_QOS)
        for camera, name in enumerate(self._rig.names):
            subscription(self, Skeleton2DArray, f'/{name}/snn_tracker/skeletons',
                         partial(self._on_skeletons, camera), SKELETON_QOS)
        self._diagnostics = Diagnostics(self, self._status)
        self.get_logger().info(f'ready: cameras {", ".join(self._rig.names)}, {self._params}')

    def _on_params(self, params: TriangulatorParams) -> None:
        self._params = params
        self._triangulator.set_params(params)
        self._marker_throttle = Throttle(params.markers_hz)

    def _on_skeletons(self, camera: int, message: Skeleton2DArray) -> None:
        newest = message.skeletons[-1]
        try:
            check_tracker_sizes(self._rig, camera, newest.width, newest.height)
        except InputError as error:
            self.get_logger().error(str(error), **at_most_every(10.0))
            return
        self._received[camera] += len(message.skeletons)
        self._stale[camera], self._trained[camera] = newest.stale, newest.trained
        self._clock_ns[camera] = from_time(newest.header.stamp) - 1000 * self._instant_us(newest)
        poses = [self._timed(skeleton) for skeleton in message.skeletons]
        for skeleton in self._triangulator.update(camera, poses):
            self._publish(skeleton)

    def _instant_us(self, pose: Skeleton2D) -> int:
        """Return the time of a pose on the common clock."""
        if self._params.clock == 'sensor':
            return self._triangulator.common_us(pose.sensor_time_us)
        return from_time(pose.header.stamp) // 1000

    def _timed(self, message: Skeleton2D) -> TimedPose:
        skeleton = to_skeleton(message)
        return TimedPose(self._instant_us(message), skeleton.joints_px, skeleton.confidence)

    def _publish(self, skeleton: Skeleton3D) -> None:
        # Always use the clock of the same camera; otherwise stamps could step back.
        stamp_ns = self._clock_ns[int(skeleton.missing.argmin())] + 1000 * skeleton.stamp_us
        header = Header(stamp=to_time(stamp_ns), frame_id=self._rig.frame_id)
        there = ~skeleton.missing
        self._compute_ms.append(skeleton.compute_ns * 1e-6)
        self._latency_ms.append((time.time_ns() - stamp_ns) * 1e-6)
        trained = bool(np.all(np.array(self._trained)[there]))
        if self._skeletons.get_subscription_count():
            message = to_skeleton3d_message(skeleton, header)
            message.stale = bool(np.any(np.array(self._stale)[there]))
            message.trained = trained
            message.event_latency_ms = self._latency_ms[-1]
            self._skeletons.publish(message)
        if self._marker_throttle.passes(skeleton.stamp_us):
            shown = skeleton.cameras > 0
            points = [Point(x=x, y=y, z=z) for x, y, z in skeleton.joints_m.tolist()]
            self._markers.publish(MarkerArray(markers=body(
                header, points, shown, skeleton.confidence, trained=trained,
                rate_hz=self._params.markers_hz)))

    def _status(self) -> Status:
        core, names = self._triangulator, self._rig.names
        values: dict[str, float] = {'poses': core.poses, 'out_of_order': core.out_of_order}
        for number, name in enumerate(names):
            values |= {f'{name}/poses': self._received[number],
                       f'{name}/missing': int(core.missing[number]),
                       f'{name}/left_out_joints': int(core.left_out[number])}
        silent = [name for name, now, before in zip(names, self._received, self._reported)
                  if now == before]
        self._reported = list(self._received)
        if self._compute_ms:
            for name, times_ms in (('compute', self._compute_ms), ('latency', self._latency_ms)):
                values |= {f'{name}_ms_p50': float(np.percentile(times_ms, 50)),
                           f'{name}_ms_p99': float(np.percentile(times_ms, 99))}
            self._compute_ms, self._latency_ms = [], []
        if len(silent) == len(names):
            return Status('waiting for skeletons', values, warn=True)
        if silent:
            return Status(f'no skeletons of {", ".join(silent)}', values, warn=True)
        return Status('triangulating', values)


def main() -> int:
    """Run the node."""
    return run(TriangulatorNode, niceness=-10)  # with less priority than the trackers it starves


if __name__ == '__main__':
    sys.exit(main())
