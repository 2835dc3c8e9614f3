# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lifecycle of the network nodes: configured (weights, kernels), then active (events).

    unconfigured ── configure ──► inactive ── activate ──► active
         ▲                          │  ▲                     │
         └──────── cleanup ─────────┘  └──── deactivate ─────┘

By default a node performs both transitions at startup, and `~/get_state` reports whether it is
ready. With `autostart` off, they are requested by a lifecycle manager (`ros2 lifecycle set`,
Nav2).
"""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.nodes.parameters import SettingsNode


Configured = TypeVar('Configured')
"""Type of what a node loads on configuration, such as weights."""

Active = TypeVar('Active')
"""Type of what a node creates on activation: publishers, subscriptions, state."""


class ManagedNode(SettingsNode, LifecycleNode, Generic[Configured, Active]):
    """Base class of lifecycle nodes; stores what the transitions of subclasses return."""

    def __init__(self, name: str, **kwargs):
        """Create the node in the unconfigured state."""
        super().__init__(name, **kwargs)
        self.active: Active | None = None
        self._configured: Configured | None = None
        self._fault: Exception | None = None  # error of the last failed transition
        self._tells = True  # whether failures are logged
        service, = (service for service in self.services if service.srv_type is ChangeState)
        self._make_transition = service.callback
        service.callback = self._on_change_state

    def configure(self) -> Configured:
        """Load the weights and compile the kernels.

        Raises:
            InputError: a parameter or a file is invalid.
        """
        raise NotImplementedError

    def activate(self, configured: Configured) -> Active:
        """Create publishers and subscriptions."""
        raise NotImplementedError

    def deactivate(self, active: Active) -> None:
        """Destroy publishers and subscriptions, and discard the state."""
        raise NotImplementedError

    def start(self) -> None:
        """Configure and activate without a lifecycle manager.

        Raises:
            InputError: as for `configure`.
        """
        self._tells = False
        for transition in (self.trigger_configure, self.trigger_activate):
            if transition() != TransitionCallbackReturn.SUCCESS:
                raise self._fault or RuntimeError(f'{transition.__name__} failed')
        self._tells = True

    def destroy_node(self) -> None:
        """Deactivate the node if it is active."""
        self._leave_active()
        super().destroy_node()
        # rclpy leaves this to the garbage collector. A new node with the same name would lose its
        # logger when the old state machine is collected.
        self._state_machine.destroy_when_not_in_use()

    def on_configure(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Handle the configure transition."""
        return self._try(self._enter_configured)

    def on_activate(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Handle the activate transition."""
        return self._try(self._enter_active)

    def on_deactivate(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Handle the deactivate transition."""
        return self._try(self._leave_active)

    def on_cleanup(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Handle the cleanup transition."""
        self._configured = None
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Handle the shutdown transition."""
        self._try(self._leave_active)
        return self.on_cleanup(state)

    def _enter_configured(self) -> None:
        self._configured = self.configure()

    def _enter_active(self) -> None:
        if self._configured is None:
            raise RuntimeError('the node must be configured before it is activated')
        self.active = self.activate(self._configured)

    def _leave_active(self) -> None:
        active, self.active = self.active, None
        if active is not None:
            self.deactivate(active)

    def _on_change_state(self, request: ChangeState.Request,
                         response: ChangeState.Response) -> ChangeState.Response:
        """Answer an invalid request with `success = False`.

        rclpy 7.1 (Jazzy) raises RCLError in its callback instead, which terminates the process
        (ros2/rclpy#1209).
        """
        wanted = request.transition
        legal = _labels(self._state_machine.available_transitions)
        # Same rule as in rclpy: the id is used only if the label is empty.
        if wanted.label in legal.values() if wanted.label else wanted.id in legal:
            return self._make_transition(request, response)
        known = _labels(self._state_machine.transition_graph)
        name = wanted.label or f'{known.get(wanted.id, "unknown")} ({wanted.id})'
        possible = ', '.join(f'{label} ({number})' for number, label in legal.items())
        self.get_logger().warning(
            f'rejected transition {name} in state {self._state_machine.current_state[1]}: '
            f'expected {possible or "none, restart the node"}')
        response.success = False
        return response

    def _try(self, step: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            step()
        except Exception as error:
            self._fault = error
            if self._tells:
                self.get_logger().error(' '.join(str(error).split()))
            mistake = isinstance(error, InputError)
            return TransitionCallbackReturn.FAILURE if mistake else TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS


def _labels(transitions: Iterable[tuple]) -> dict[int, str]:
    """Return the labels of transitions by id."""
    return {number: label for number, label, *_ in transitions}
