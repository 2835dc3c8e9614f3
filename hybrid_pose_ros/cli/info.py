# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose info`: show the size and cost of a preset on a sensor."""

import argparse
import math
from typing import Any

from hybrid_pose_ros.model.layout import layer_costs, neurons, state_layout
from hybrid_pose_ros.model.network_description import read_network
from hybrid_pose_ros.model.presets import PRESETS, preset
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.tracking.tracker_params import TrackerParams

SUMMARY = 'Show layers, shapes, parameters, MACs, neurons and state size of a preset.'
PARTS = ('ann', 'heads', 'snn')
FLOAT_BYTES = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: preset and sensor size."""
    parser.add_argument('--preset', default=TrackerParams.preset, metavar='NAME',
                        help=f'one of {", ".join(PRESETS)} (%(default)s)')
    parser.add_argument('--network', default='', metavar='FILE',
                        help='custom network (.json): the card of a weights file, or just its '
                             '`network` section')
    parser.add_argument('--width', type=int, default=346, help='sensor width [px] (346)')
    parser.add_argument('--height', type=int, default=260, help='sensor height [px] (260)')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Return sizes and dense costs, per pass for the ANN and heads and per step for the SNN.

    `state_bytes` is the size of the membrane potentials, `heatmap_bytes` the rest of a state.
    """
    chosen = read_network(args.network) if args.network else preset(args.preset)
    geometry = input_geometry(chosen, args.width, args.height)
    size = geometry.width, geometry.height
    costs = layer_costs(chosen, *size)
    result = {
        'preset': chosen.name,
        'sensor': {'width': args.width, 'height': args.height},
        'input': {'width': geometry.width, 'height': geometry.height,
                  'pooling': round(geometry.cell_px), 'origin_px': list(geometry.origin)},
    }
    for part in PARTS:
        of_part = [cost for cost in costs if cost.name.startswith(f'{part}.')]
        result[part] = {'parameters': sum(cost.parameters for cost in of_part),
                        'macs': sum(cost.macs for cost in of_part)}
    return result | {
        'neurons': neurons(chosen, *size),
        'state_bytes': FLOAT_BYTES * neurons(chosen, *size),
        'heatmap_bytes': FLOAT_BYTES * math.prod(state_layout(chosen, *size)['heatmap']),
        'layers': [cost._asdict() | {'shape': list(cost.shape)} for cost in costs],
    }


def show(result: dict[str, Any]) -> None:
    """Print the layers and totals as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table('layer', 'shape (C, H, W)', title=f'preset {result["preset"]}, sensor '
                  f'{result["sensor"]["width"]}x{result["sensor"]["height"]}, input '
                  f'{result["input"]["width"]}x{result["input"]["height"]} cells')
    table.add_column('parameters', justify='right')
    table.add_column('MMAC', justify='right')
    for part in PARTS:
        layers = [row for row in result['layers'] if row['name'].startswith(f'{part}.')]
        for row in layers:
            table.add_row(row['name'], ' x '.join(map(str, row['shape'])),
                          *_cost(row), end_section=row is layers[-1])
    for part in PARTS:
        table.add_row(f'total {part}', 'a step' if part == 'snn' else 'a pass',
                      *_cost(result[part]), style='bold')
    console = Console()
    console.print(table)
    console.print(f'{result["neurons"]:,} neurons, {result["state_bytes"] / 2**20:.2f} MiB of '
                  f'membrane potentials, {result["heatmap_bytes"] / 2**20:.2f} MiB of heatmaps')


def _cost(row: dict[str, Any]) -> tuple[str, str]:
    return f'{row["parameters"]:,}', f'{row["macs"] / 1e6:,.2f}'
