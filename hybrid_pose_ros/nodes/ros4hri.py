# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publishes the tracked body on the topics of ROS4HRI (REP-155); requires hri_msgs.

/humans/bodies/tracked lists the tracked bodies; /humans/bodies/ID/skeleton2d and .../roi describe
one body. The `cropped` image, which events cannot provide, and the 3D position of the body are not
published.
"""

import sys

from rclpy.publisher import Publisher
from std_msgs.msg import Header

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.msg import Skeleton2D
from hybrid_pose_ros.nodes.clocks import set_period, steady_timer
from hybrid_pose_ros.nodes.diagnostics import Diagnostics, Status
from hybrid_pose_ros.nodes.messages import to_skeleton
from hybrid_pose_ros.nodes.parameters import SettingsNode, declare
from hybrid_pose_ros.nodes.qos import THROTTLE_QOS
from hybrid_pose_ros.nodes.run import run
from hybrid_pose_ros.pose.presence import PersonPresence
from hybrid_pose_ros.pose.ros4hri import Presence, body_points, region
from hybrid_pose_ros.pose.ros4hri_params import Ros4hriParams

try:
    from hri_msgs.msg import (
        IdsList, NormalizedPointOfInterest2D, NormalizedRegionOfInterest2D)
    from hri_msgs.msg import Skeleton2D as BodySkeleton
except ImportError:
    IdsList = None

BODIES = '/humans/bodies'


class Ros4hriNode(SettingsNode):
    """Publish each pose of `~/skeleton` under the ID of a tracked body."""

    def __init__(self, **kwargs):
        if IdsList is None:
            raise InputError('this node requires hri_msgs: install ros-$ROS_DISTRO-hri-msgs or '
                             'leave ros4hri off')
        super().__init__('ros4hri', **kwargs)
        self._params = declare(self, Ros4hriParams, self._on_params)
        self._presence = Presence()
        self._person = PersonPresence()
        self._topics: tuple[Publisher, ...] = ()  # of the tracked body
        self._poses = 0
        self._tracked = self.create_publisher(IdsList, f'{BODIES}/tracked', THROTTLE_QOS)
        self.create_subscription(Skeleton2D, '~/skeleton', self._on_skeleton, THROTTLE_QOS)
        self._absence = steady_timer(self, self._params.patience_s, self._on_absence)
        self._diagnostics = Diagnostics(self, self._status)
        self.get_logger().info(f'ready: {self._params}')

    def _on_params(self, params: Ros4hriParams) -> None:
        self._params = params
        set_period(self._absence, params.patience_s)

    def _on_skeleton(self, pose: Skeleton2D) -> None:
        self._absence.reset()
        self._poses += 1
        presence = self._person.update(pose.confidence, pose.sensor_time_us)
        seen = not pose.stale and presence >= self._params.least_confidence
        self._look(seen, pose.header)
        if seen:
            points = body_points(to_skeleton(pose), pose.width, pose.height)
            skeleton, roi = self._topics
            skeleton.publish(BodySkeleton(header=pose.header, skeleton=[
                NormalizedPointOfInterest2D(x=x, y=y, c=c) for x, y, c in points.tolist()]))
            xmin, ymin, xmax, ymax, c = region(points).tolist()
            roi.publish(NormalizedRegionOfInterest2D(
                header=pose.header, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax, c=c))

    def _on_absence(self) -> None:
        self._look(False, Header(stamp=self.get_clock().now().to_msg()))

    def _look(self, seen: bool, header: Header) -> None:
        """Publish the tracked IDs; create or destroy topics as a body appears or disappears."""
        before, self._presence = self._presence, self._presence.update(seen)
        ids = self._presence.ids
        if ids != before.ids:
            for topic in self._topics:
                self.destroy_publisher(topic)
            self._topics = tuple(
                self.create_publisher(kind, f'{BODIES}/{ids[0]}/{name}', THROTTLE_QOS)
                for kind, name in ((BodySkeleton, 'skeleton2d'),
                                   (NormalizedRegionOfInterest2D, 'roi'))) if ids else ()
        self._tracked.publish(IdsList(header=header, ids=ids))

    def _status(self) -> Status:
        ids = self._presence.ids
        return Status(f'tracking {ids[0]}' if ids else 'nobody', {
            'poses': self._poses, 'bodies': self._presence.bodies})


def main() -> int:
    """Run the node."""
    return run(Ros4hriNode, niceness=5)


if __name__ == '__main__':
    sys.exit(main())
