# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Columns of the messages of a bag."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.recorded_runs import run_report
from hybrid_pose_ros.recorded_runs.run_report import Table, beyond_compute_ms

FIELDS = np.dtype([('log_ns', np.int64), ('x_px', np.float32, 13), ('stale', bool)])


def message(index: int) -> SimpleNamespace:
    return SimpleNamespace(x_px=np.full(13, index, np.float32), stale=index % 2 == 0, other='?')


@given(st.integers(0, 20), st.integers(1, 7))
def test_a_table_has_the_fields_of_all_messages_in_their_order(count, block):
    whole, run_report.BLOCK = run_report.BLOCK, block
    try:
        table = Table(FIELDS)
        for index in range(count):
            table.add(message(index), 1000 + index)
        rows = table.rows()
        assert rows.log_ns.tolist() == list(range(1000, 1000 + count))
        assert rows.x_px.tolist() == [[index] * 13 for index in range(count)]
        assert [row.stale for row in rows] == [index % 2 == 0 for index in range(count)]
        table.add(message(count), 1)
        assert len(table.rows()) == count + 1
    finally:
        run_report.BLOCK = whole


def test_what_a_packet_waits_beyond_the_networks_time_is_told_for_each_of_its_poses():
    poses = [SimpleNamespace(packet_latency_ms=latency_ms, compute_ms=0.5)
             for latency_ms in (1.5, 2.5)]
    assert beyond_compute_ms(poses) == [0.5, 1.5]
