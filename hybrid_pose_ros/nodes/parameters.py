# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a settings class to ROS parameters and back: declared once, read-only, typed, ranged."""

from typing import TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import ParameterException
from rclpy.node import Node

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.settings import Parameter, parameters_of

Settings = TypeVar('Settings')


def declare(node: Node, settings: type[Settings]) -> Settings:
    """Declare every field of a settings class as a read-only parameter; return what was set.

    Raises:
        InputError: a value has the wrong type or is out of range; the text says which and why.
    """
    values = {}
    for parameter in parameters_of(settings):
        try:
            value = node.declare_parameter(parameter.name, parameter.default,
                                           _descriptor(parameter)).value
        except ParameterException as error:
            reason = str(error).removesuffix(f': {parameter.name}')
            raise InputError(f'parameter {parameter.name}: {reason}') from error
        # `rate_hz:=30` is an integer to ROS; every user means 30.0.
        values[parameter.name] = float(value) if _is_whole(parameter, value) else value
    return settings(**values)


def _is_whole(parameter: Parameter, value) -> bool:
    return parameter.type is float and type(value) is int


def _descriptor(parameter: Parameter) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        description=parameter.description, read_only=True,
        dynamic_typing=parameter.type is float,
        additional_constraints=' | '.join(parameter.choices))
    if parameter.low is not None and parameter.type is int:
        descriptor.integer_range = [
            IntegerRange(from_value=parameter.low, to_value=parameter.high, step=1)]
    elif parameter.low is not None and parameter.type is float:
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=float(parameter.low), to_value=float(parameter.high))]
    return descriptor
