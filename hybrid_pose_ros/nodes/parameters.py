# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS parameters declared from a settings dataclass, with types and ranges.

Fields marked `live` can be set while the node runs; all others are read-only.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import rclpy.parameter
from rcl_interfaces.msg import (
    FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult)
from rclpy.exceptions import ParameterException
from rclpy.node import Node

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.settings import Parameter, parameters_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Settings = TypeVar('Settings', bound='DataclassInstance')
RosParameters = list[rclpy.parameter.Parameter]


class SettingsNode(Node):
    """A node that names the remedy when it rejects a change of a read-only parameter."""

    def set_parameters_atomically(self, parameter_list: RosParameters) -> SetParametersResult:
        """Set all parameters or none; explain how to set read-only ones."""
        for parameter in parameter_list:
            name = parameter.name
            if self.has_parameter(name) and self.describe_parameter(name).read_only:
                return SetParametersResult(successful=False, reason=(
                    f'parameter {name} cannot be changed while the node runs: set it at start, '
                    f'--ros-args -p {name}:={parameter.value}'))
        return super().set_parameters_atomically(parameter_list)


def declare(node: Node, settings: type[Settings],
            on_change: Callable[[Settings], None] | None = None) -> Settings:
    """Declare every field of a settings class as a parameter; return the resolved settings.

    Args:
        node: node that declares the parameters.
        settings: settings class.
        on_change: called with the new, validated settings after live parameters were set.

    Raises:
        InputError: a value has the wrong type or is out of range; the message names it.
    """
    values = {}
    for parameter in parameters_of(settings):
        try:
            value = node.declare_parameter(parameter.name, parameter.default,
                                           _descriptor(parameter)).value
        except ParameterException as error:
            reason = str(error).removesuffix(f': {parameter.name}')
            raise InputError(f'parameter {parameter.name}: {reason}') from error
        values[parameter.name] = _typed(parameter, value)
    current = settings(**values)
    if on_change is not None:
        changes = _Changes(current, on_change)
        node.add_on_set_parameters_callback(changes.check)
        node.add_post_set_parameters_callback(changes.apply)
    return current


class _Changes(Generic[Settings]):
    """Replaces a node's settings as a whole if the new ones are valid."""

    def __init__(self, settings: Settings, on_change: Callable[[Settings], None]):
        self._settings = settings
        self._on_change = on_change
        self._fields = {parameter.name: parameter for parameter in parameters_of(type(settings))}

    def check(self, parameters: RosParameters) -> SetParametersResult:
        """Return whether the new settings are valid; called before rclpy stores any parameter."""
        try:
            self._changed(parameters)
        except InputError as error:
            return SetParametersResult(successful=False, reason=' '.join(str(error).split()))
        return SetParametersResult(successful=True)

    def apply(self, parameters: RosParameters) -> None:
        """Apply the settings that rclpy has stored."""
        changed = self._changed(parameters)
        if changed != self._settings:
            self._settings = changed
            self._on_change(changed)

    def _changed(self, parameters: RosParameters) -> Settings:
        """Return the settings with the changed values; ignore rclpy's own parameters."""
        return replace(self._settings, **{
            parameter.name: _typed(self._fields[parameter.name], parameter.value)
            for parameter in parameters if parameter.name in self._fields})


def _typed(parameter: Parameter, value: Any) -> Any:
    """Convert a value to the type of its field; ROS parses `rate_hz:=30` as an integer."""
    return float(value) if parameter.type is float and type(value) is int else value


def _descriptor(parameter: Parameter) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        description=parameter.description, read_only=not parameter.live,
        dynamic_typing=parameter.type is float,
        additional_constraints=' | '.join(parameter.choices))
    if parameter.low is None or parameter.high is None:
        return descriptor
    if parameter.type is int:
        descriptor.integer_range = [
            IntegerRange(from_value=parameter.low, to_value=parameter.high, step=1)]
    elif parameter.type is float:
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=float(parameter.low), to_value=float(parameter.high))]
    return descriptor
