# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's open questions: modules with `study(options)` and `draw(result, folder)`."""

STUDIES = {
    'lifetime': 'how long a state lasts, and with how few events',
    'energy': 'whether modeled and measured energy agree',
    'heads': 'which map from the ANN to the membrane potentials is best',
    'sizes': 'how error, step time and power depend on depth and width',
    'task': 'whether the method transfers to another task, gesture recognition'}
"""Names of the modules and their questions."""
