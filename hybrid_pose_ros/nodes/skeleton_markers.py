# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RViz displays: the skeleton as markers on a plane in front of the camera, and an overlay."""

import array
import math
import sys
from collections import deque

import numpy as np
from geometry_msgs.msg import Point
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from hybrid_pose_ros.events.codecs import compile_codecs
from hybrid_pose_ros.events.event_array import no_events
from hybrid_pose_ros.graph.marker_params import MarkerParams
from hybrid_pose_ros.msg import Skeleton2D
from hybrid_pose_ros.nodes.clocks import set_period, steady_timer
from hybrid_pose_ros.nodes.diagnostics import Diagnostics, Status
from hybrid_pose_ros.nodes.event_input import EventBatch, EventInput
from hybrid_pose_ros.nodes.marker_shapes import body, color, marker
from hybrid_pose_ros.nodes.messages import to_skeleton
from hybrid_pose_ros.nodes.parameters import SettingsNode, declare
from hybrid_pose_ros.nodes.qos import CAMERA_INFO_QOS, MARKERS_QOS, publisher, subscription
from hybrid_pose_ros.nodes.run import run
from hybrid_pose_ros.pose.presence import PersonPresence
from hybrid_pose_ros.tasks.skeleton import JOINTS
from hybrid_pose_ros.visualization.overlay import draw_events, draw_skeleton, draw_text

TRAIL_JOINTS = tuple(JOINTS.index(name) for name in ('handR', 'handL', 'footR', 'footL'))


class SkeletonMarkersNode(SettingsNode):
    """Draw the newest skeleton at display rate; draw events only if the overlay is subscribed."""

    def __init__(self, **kwargs):
        super().__init__('skeleton_markers', **kwargs)
        self._params = declare(self, MarkerParams, self._on_params)
        self._newest: bytes | None = None  # serialized, since most are never drawn
        self._trail: deque[Skeleton2D] = deque()  # poses drawn within the last trail_s
        self._batches: deque[EventBatch] = deque(maxlen=4000)
        self._person, self._presence = PersonPresence(), 0.0  # presence in the drawn poses
        self._poses = self._drawn = 0
        self._markers = publisher(self, MarkerArray, '~/markers', MARKERS_QOS)
        self._overlay = publisher(self, Image, '~/overlay', MARKERS_QOS)
        self.create_subscription(Skeleton2D, '~/skeleton', self._on_skeleton, 10, raw=True)
        self._lens: CameraInfo | None = None
        subscription(self, CameraInfo, '~/camera_info', self._on_camera_info, CAMERA_INFO_QOS)
        self._input: EventInput | None = None
        compile_codecs()  # ahead of the first subscriber
        self._timer = steady_timer(self, 1.0 / self._params.rate_hz, self._draw)
        self._diagnostics = Diagnostics(self, self._status)
        self.get_logger().info(f'ready: {self._params}')

    def _on_params(self, params: MarkerParams) -> None:
        self._params = params
        set_period(self._timer, 1.0 / params.rate_hz)

    def _on_skeleton(self, serialized: bytes) -> None:
        self._newest = serialized
        self._poses += 1

    def _on_camera_info(self, info: CameraInfo) -> None:
        if info.k[0] > 0 and info.k[4] > 0:  # 0 for an uncalibrated camera
            self._lens = info

    def _on_events(self, batch: EventBatch) -> None:
        if batch.restarted:
            self._batches.clear()
        if len(batch.events):
            self._batches.append(batch)
            horizon_us = int(batch.events['t'][-1]) - 1000 * self._params.event_ms
            while self._batches[0].events['t'][-1] < horizon_us:
                self._batches.popleft()

    def _draw(self) -> None:
        """Publish markers of the newest skeleton, and the overlay if it has subscribers."""
        self._look_at_events()
        pose = None
        if self._newest is not None:
            pose = deserialize_message(self._newest, Skeleton2D)
            self._newest = None
            self._presence = self._person.update(pose.confidence, pose.sensor_time_us)
            self._lengthen_trail(pose)
            self._markers.publish(self._marker_array(pose))
            self._drawn += 1
        if self._input is not None and self._batches:
            newest_us = int(self._batches[-1].events['t'][-1])
            self._overlay.publish(self._image(
                self._input.header(newest_us), pose or (self._trail[-1] if self._trail else None)))

    def _lengthen_trail(self, pose: Skeleton2D) -> None:
        if self._trail and pose.sensor_time_us < self._trail[-1].sensor_time_us:
            self._trail.clear()  # the sensor clock has restarted
        self._trail.append(pose)
        start_us = pose.sensor_time_us - round(1e6 * self._params.trail_s)
        while self._trail[0].sensor_time_us < start_us:
            self._trail.popleft()

    def _look_at_events(self) -> None:
        """Subscribe to the events only while the overlay has subscribers."""
        watched = self._overlay.get_subscription_count() > 0
        if watched and self._input is None:
            self._input = EventInput(self, self._on_events, gathering_s=lambda: 0.01)
        elif not watched and self._input is not None:
            self._input.close()
            self._input = None
            self._batches.clear()

    def _marker_array(self, pose: Skeleton2D) -> MarkerArray:
        joints = to_skeleton(pose)
        shown = np.isfinite(joints.joints_px).all(axis=1)
        shown &= joints.confidence >= self._params.least_confidence
        points = self._on_plane(joints.joints_px, pose)
        markers: list[Marker] = []
        if self._present():
            markers += body(self._header(pose), points, shown, joints.confidence,
                            trained=pose.trained, rate_hz=self._params.rate_hz)
            markers += self._trails(pose)
        notes = [] if pose.trained else ['untrained weights']
        notes += [] if self._present() else ['nobody']
        notes += ['stale: no new state of the ANN'] if pose.stale else []
        if notes:
            markers.append(self._note(pose, ', '.join(notes)))
        return MarkerArray(markers=markers)

    def _present(self) -> bool:
        return self._presence >= self._params.least_presence

    def _trails(self, pose: Skeleton2D) -> list[Marker]:
        trails = self._marker(pose, 'trail', Marker.LINE_LIST, 0.01)
        past = [self._on_plane(to_skeleton(old).joints_px, old) for old in self._trail]
        for joint in TRAIL_JOINTS:
            for index in range(1, len(past)):
                ends = [past[index - 1][joint], past[index][joint]]
                if all(math.isfinite(end.x + end.y) for end in ends):
                    trails.points += ends
                    fade = index / len(past)
                    trails.colors += 2 * [ColorRGBA(r=0.3, g=0.6, b=1.0, a=fade)]
        return [trails] if trails.points else []

    def _note(self, pose: Skeleton2D, text: str) -> Marker:
        note = self._marker(pose, 'note', Marker.TEXT_VIEW_FACING, 0.15)
        top = self._on_plane(np.array([[pose.width / 2, 0.0]]), pose)[0]
        note.pose.position.x, note.pose.position.y, note.pose.position.z = top.x, top.y, top.z
        note.text = text
        return note

    def _marker(self, pose: Skeleton2D, name: str, kind: int, size_m: float) -> Marker:
        shape = marker(self._header(pose), name, kind, size_m, self._params.rate_hz)
        shape.color = color(1.0, pose.trained)
        return shape

    def _header(self, pose: Skeleton2D) -> Header:
        return Header(stamp=pose.header.stamp,
                      frame_id=self._params.frame_id or pose.header.frame_id)

    def _on_plane(self, points_px: np.ndarray, pose: Skeleton2D) -> list[Point]:
        """Project pixels onto the plane z = depth_m of the camera's optical frame."""
        focal_px = self._params.focal_px or pose.width / (2 * math.tan(math.radians(55 / 2)))
        focal, center = np.array([focal_px] * 2), np.array([pose.width, pose.height]) / 2 - 0.5
        if self._lens is not None and not self._params.focal_px:
            k = self._lens.k
            focal, center = np.array([k[0], k[4]]), np.array([k[2], k[5]])
        depth_m = self._params.depth_m
        return [Point(x=x, y=y, z=depth_m)
                for x, y in ((np.asarray(points_px) - center) / focal * depth_m).tolist()]

    def _image(self, header: Header, pose: Skeleton2D | None) -> Image:
        newest = self._batches[-1]
        events = np.concatenate([batch.events for batch in self._batches] or [no_events()])
        image = draw_events(events, newest.width, newest.height)
        if pose is not None and self._present():
            draw_skeleton(image, to_skeleton(pose), trained=pose.trained,
                          least_confidence=self._params.least_confidence)
        if pose is not None and not pose.trained:
            draw_text(image, 'untrained weights')
        return Image(
            header=header, height=newest.height, width=newest.width, encoding='bgr8',
            step=3 * newest.width, data=array.array('B', image.tobytes()))

    def _status(self) -> Status:
        events = {} if self._input is None else self._input.counts()
        values = events | {'poses': self._poses, 'drawn': self._drawn}
        return Status('drawing' if self._poses else 'waiting for skeletons', values,
                      warn=not self._poses)


def main() -> int:
    """Run the node."""
    return run(SkeletonMarkersNode, niceness=10)


if __name__ == '__main__':
    sys.exit(main())
