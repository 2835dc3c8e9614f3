# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's open questions; each module has `study(options)` and `draw(result, folder)`."""

STUDIES = {
    'lifetime': 'how long a state lasts, and on how few events',
    'energy': 'whether the energy that is modelled is the energy that is measured',
    'heads': 'which way from the ANN to the membrane potentials is best',
    'sizes': 'how error, step time and power go with depth and width',
    'task': 'whether the method carries to another task, telling gestures'}
"""Names of the modules, and what each asks."""
