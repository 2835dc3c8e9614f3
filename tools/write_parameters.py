#!/usr/bin/env python3
# Copyright 2026 The hybrid_pose_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Write docs/parameters.md and config/hybrid_pose.yaml from the settings classes of the nodes."""

from __future__ import annotations

from pathlib import Path
import sys

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hybrid_pose_ros.graph.parameter_texts import page, parameter_file  # noqa: E402

if __name__ == '__main__':
    (ROOT / 'docs' / 'parameters.md').write_text(page())
    (ROOT / 'config' / 'hybrid_pose.yaml').write_text(parameter_file())
