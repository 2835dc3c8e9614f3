# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs of two processes by torchrun, and what it starts for test_ranks.py: a run on small clips.

    torchrun --nproc-per-node 2 two_processes.py FOLDER

Beside FOLDER it leaves copies of it as a kill would: `first-ann` and `first-snn` after one
iteration of a stage, `killed` after two of the second.
"""

import os
import shutil
import sys
from pathlib import Path
from subprocess import CompletedProcess

from child_processes import finished
from labeled_clips import circling_clip

from hybrid_pose_ros.training.ranks import Ranks
from hybrid_pose_ros.training.run import TrainingParams, train

CLIPS = [circling_clip(seed) for seed in range(2)]
PARAMS = TrainingParams(seed=3, ann_iterations=2, ann_batch=2, snn_iterations=3, snn_batch=2,
                        save_every=1, columns=32, device='cpu', precision='fp32')
COPIES = {('ann', 1): 'first-ann', ('snn', 1): 'first-snn', ('snn', 2): 'killed'}


def torchrun(*args: str | Path) -> CompletedProcess:
    """Run in two processes on this machine."""
    test = Path(__file__).parent
    paths = os.pathsep.join([str(test.parent), str(test), os.environ.get('PYTHONPATH', '')])
    return finished(
        sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2',
        *args, environment={'PYTHONPATH': paths})


def main(folder: Path) -> None:
    """Train; rank 0 copies the folder."""
    ranks = Ranks.of_environment()

    def copy(stage, iteration, figures):
        copied = folder.parent / COPIES.get((stage, iteration), '.')
        if ranks.rank == 0 and not copied.exists():
            shutil.copytree(folder, copied)

    train(PARAMS, CLIPS, folder, copy, ranks)


if __name__ == '__main__':
    main(Path(sys.argv[1]))
