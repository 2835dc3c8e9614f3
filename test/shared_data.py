# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The real recordings beside the checkout; a test that needs one skips where they are absent."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

EVENTS = Path(__file__).parents[2] / 'shared' / 'data' / 'events'



def needs_recordings(test: Callable) -> Callable:
    """Mark a test that reads the recordings."""
    absent = pytest.mark.skipif(not EVENTS.is_dir(), reason=f'no recordings at {EVENTS}')
    return pytest.mark.data(absent(test))


def ground_truths() -> dict[str, tuple[Path, dict]]:
    """Return (file or bag folder, what its events are) by name."""
    found = {}
    for path in sorted(EVENTS.glob('*/*.json')) + sorted(EVENTS.glob('*/*/ground_truth.json')):
        truth = json.loads(path.read_text())
        if 'num_events' in truth:
            target = path.parent if path.stem == 'ground_truth' else path.parent / truth['file']
            found[target.name] = target, truth
    return found


def assert_events_are(events, truth: dict) -> None:
    """Compare events with a ground truth: number, sums and the hash of every field."""
    assert len(events) == truth['num_events']
    assert int(events['x'].sum(dtype=int)) == truth['sum_x']
    assert int(events['y'].sum(dtype=int)) == truth['sum_y']
    for field, key in (('t', 't_us_int64le'), ('x', 'x_uint16le'), ('y', 'y_uint16le'),
                       ('p', 'p_uint8')):
        assert hashlib.sha256(events[field].tobytes()).hexdigest() == truth[f'sha256_{key}'], field
