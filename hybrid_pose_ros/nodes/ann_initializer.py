# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The slow node, which periodically runs the ANN on the last events and publishes SNN states."""

import sys
from dataclasses import replace
from typing import NamedTuple

from hybrid_pose_ros.model import checkpoint
from hybrid_pose_ros.nodes.diagnostics import Diagnostics, Status
from hybrid_pose_ros.nodes.initializing_session import InitializingSession
from hybrid_pose_ros.nodes.managed import ManagedNode
from hybrid_pose_ros.nodes.parameters import declare
from hybrid_pose_ros.nodes.run import run
from hybrid_pose_ros.nodes.worker import Worker
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.state_producer import StateProducer

DAVIS346 = (346, 260)
"""Sensor size of the warm-up pass [px]; for other sizes the first pass is slightly slower."""


class Configuration(NamedTuple):
    """The network of a configured node."""

    weights: checkpoint.Checkpoint
    model: str  # identity of the weights
    precision: str  # of the ANN


class AnnInitializerNode(ManagedNode[Configuration, InitializingSession]):
    """Publish a StateTensors message for every state written to shared memory."""

    def __init__(self, **kwargs):
        super().__init__('ann_initializer', **kwargs)
        self._params = declare(self, InitializerParams, self._on_params)
        self._worker: Worker | None = None  # worker of the last session
        self._diagnostics = Diagnostics(self, self._status)
        if self._params.autostart:
            self.start()

    def configure(self) -> Configuration:
        """Load the weights and run the ANN once, so that the first packet is not delayed."""
        weights = checkpoint.shipped(self._params.preset, self._params.checkpoint, task=None)
        return Configuration(weights, checkpoint.identity(weights),
                             _warm_up(weights, self._params))

    def activate(self, configuration: Configuration) -> InitializingSession:
        """Start computing states; the sensor size is unknown at first."""
        weights, model, precision = configuration
        session = InitializingSession(self, self._params, weights, model)
        self._worker = session.worker
        self.get_logger().info(f'ready: model {model}, {precision}, {self._params}')
        if not weights.card.get('trained'):
            self.get_logger().warning('untrained weights: the states are meaningless')
        return session

    def deactivate(self, session: InitializingSession) -> None:
        """Stop the worker, remove the segment and forget the sensor."""
        session.close()

    def destroy_node(self) -> None:
        """Deactivate the node; raise the exception that ended the worker, if any."""
        super().destroy_node()
        if self._worker is not None:
            self._worker.raise_failure()

    def _on_params(self, params: InitializerParams) -> None:
        self._params = params
        if self.active is not None:
            self.active.set_params(params)

    def _status(self) -> Status:
        if self.active is None:
            return Status('inactive', {})
        return self.active.status(self._diagnostics.period_s)


def _warm_up(weights: checkpoint.Checkpoint, params: InitializerParams) -> str:
    """Load torch and run the ANN once, before the first packet; return its precision."""
    import torch
    torch.set_num_threads(params.threads)
    producer = StateProducer(weights, replace(params, calibration=''), *DAVIS346)
    producer.warm_up()
    return producer.precision


def main() -> int:
    """Run the node."""
    return run(AnnInitializerNode, niceness=5)


if __name__ == '__main__':
    sys.exit(main())
