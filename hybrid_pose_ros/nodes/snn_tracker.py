# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The fast node, which publishes a skeleton for every time bin. Its process never imports torch.

With weights for another task, it publishes the results of that task (`nodes/tasks.py`).
"""

import sys
from typing import NamedTuple

from hybrid_pose_ros.energy.sensors import MeasuredPower
from hybrid_pose_ros.model import checkpoint
from hybrid_pose_ros.nodes.diagnostics import Diagnostics, Status
from hybrid_pose_ros.nodes.managed import ManagedNode
from hybrid_pose_ros.nodes.parameters import declare
from hybrid_pose_ros.nodes.run import run
from hybrid_pose_ros.nodes.scheduling import make_realtime
from hybrid_pose_ros.nodes.tasks import TaskParts, parts_of
from hybrid_pose_ros.nodes.tracking_session import TrackingSession
from hybrid_pose_ros.tracking.pose_tracker import Pose
from hybrid_pose_ros.tracking.task_tracker import Reading
from hybrid_pose_ros.tracking.tracker_params import TrackerParams
from hybrid_pose_ros.tracking.warm_up import warm_up


class Configuration(NamedTuple):
    """The network of a configured node."""

    weights: checkpoint.Checkpoint
    model: str  # identity of the weights
    parts: TaskParts[Pose] | TaskParts[Reading]  # classes that run its task


Session = TrackingSession[Pose] | TrackingSession[Reading]


class SnnTrackerNode(ManagedNode[Configuration, Session]):
    """Publish a skeleton for every time bin of every event packet."""

    def __init__(self, **kwargs):
        super().__init__('snn_tracker', **kwargs)
        self._params = declare(self, TrackerParams, self._on_params)
        self._diagnostics = Diagnostics(self, self._status)
        self._machine = MeasuredPower()
        if self._params.autostart:
            self.start()

    def configure(self) -> Configuration:
        """Load the weights and compile the kernels, so that the first packet is not delayed."""
        weights = checkpoint.shipped(self._params.preset, self._params.checkpoint, task=None)
        parts = parts_of(weights.preset.task)
        configuration = Configuration(weights, checkpoint.identity(weights), parts)
        warm_up(weights, self._params, parts.tracker)
        priority = self._params.realtime_priority
        if priority and not make_realtime(priority):
            self.get_logger().warning(
                f'realtime_priority = {priority} is not permitted: allow it in '
                '/etc/security/limits.conf (rtprio), or give the process CAP_SYS_NICE')
        return configuration

    def activate(self, configuration: Configuration) -> Session:
        """Start tracking; sensor size and state are unknown at first."""
        weights, model, parts = configuration
        session = parts.session(self, self._params, weights, model, self._machine)
        self.get_logger().info(f'ready: model {model}, {self._params}')
        if not weights.card.get('trained'):
            self.get_logger().warning('untrained weights: the poses are meaningless')
        return session

    def deactivate(self, session: Session) -> None:
        """Stop tracking; forget the sensor and the state."""
        session.close()

    def _on_params(self, params: TrackerParams) -> None:
        self._params = params
        if self.active is not None:
            self.active.set_params(params)

    def _status(self) -> Status:
        if self.active is None:
            return Status('inactive', {})
        return self.active.status(self._diagnostics.period_s)


def main() -> int:
    """Run the node."""
    return run(SnnTrackerNode, niceness=-10)


if __name__ == '__main__':
    sys.exit(main())
