#!/usr/bin/env python3
# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write the weighted mean of two sets of weights of the same network (docs/training.md).

Weights fine-tuned from a common start can be averaged: what the new ones have learned is kept in
part, and so is what they have forgotten.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

sys.path[1:1] = [str(Path(__file__).resolve().parents[1])]

from hybrid_pose_ros.errors import InputError  # noqa: E402
from hybrid_pose_ros.model.checkpoint import Checkpoint, identity, load  # noqa: E402

PARTS = {'ann': ('ann.',), 'snn': ('snn.', 'heads.'), 'all': ('',)}
"""Prefixes of the tensors of each part."""


def average(first: Checkpoint, second: Checkpoint, share: float, part: str = 'all') -> Checkpoint:
    """Return the first weights, of which a part is averaged with the second.

    Args:
        first: weights whose other parts are kept.
        second: weights of the same network.
        share: of the second weights, 0 to 1.
        part: one of PARTS.

    Raises:
        InputError: the networks differ.
    """
    if first.preset != second.preset:
        raise InputError('the weights are of different networks: only those of the same network '
                         'can be averaged')
    tensors = {name: (1.0 - share) * tensor + share * second.tensors[name]
               if name.startswith(PARTS[part]) else tensor
               for name, tensor in first.tensors.items()}
    tensors = {name: tensor.astype(first.tensors[name].dtype) for name, tensor in tensors.items()}
    card = first.card | {'averaged': {'part': part, 'share': share, 'with': identity(second),
                                      'of': identity(first), 'training': second.card.get(
                                          'training')}}
    return replace(first, tensors=tensors, card=card)


def main() -> int:
    """Average the files that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0], allow_abbrev=False)
    parser.add_argument('first', type=Path, help='weights (.safetensors)')
    parser.add_argument('second', type=Path, help='weights of the same network')
    parser.add_argument('--share', type=float, default=0.5,
                        help='share of the second weights, 0 to 1 (%(default)s)')
    parser.add_argument('--part', choices=PARTS, default='all',
                        help='tensors to average; the others are those of the first (%(default)s)')
    parser.add_argument('--output', type=Path, required=True, help='new file (.safetensors)')
    args = parser.parse_args()
    if not 0.0 <= args.share <= 1.0:
        parser.error(f'--share is {args.share:g}, but must be from 0 to 1')
    try:
        result = average(load(args.first), load(args.second), args.share, args.part)
    except InputError as error:
        print(f'average_weights: {error}', file=sys.stderr)
        return 1
    result.save(args.output)
    print(f'{args.output}: {identity(result)}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
