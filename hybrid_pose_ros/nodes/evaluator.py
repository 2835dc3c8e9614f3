# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder under its name of 0.1.0, for scripts and parameter files that use this name."""

import sys
from functools import partial

from hybrid_pose_ros.graph.description import RENAMED
from hybrid_pose_ros.nodes import recorder

OLD = 'evaluator'


def main() -> int:
    """Run the node under its old name."""
    print(f'{OLD} is deprecated and will be removed in the next release: use {RENAMED[OLD]}',
          file=sys.stderr)
    return recorder.main(partial(recorder.RecorderNode, OLD))


if __name__ == '__main__':
    sys.exit(main())
