# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Modelled energy beside measured."""

from types import SimpleNamespace

import pytest
from labeled_clips import circling_clip, write_clip

from hybrid_pose_ros.energy.operations import Operations
from hybrid_pose_ros.studies import energy
from hybrid_pose_ros.studies.energy import Cost, Modelled, _ratios, _savings
from hybrid_pose_ros.studies.options import Options


@pytest.fixture(scope='module')
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp('energy')
    write_clip(folder / 'val', circling_clip(events_ms=20))
    found = energy.study(Options((folder / 'val',), folder), passes=2, shares=(1.0, 0.0))
    assert energy.draw(found, folder).stat().st_size > 0
    return found


def test_fewer_events_are_fewer_operations_by_both_counts(result):
    *_, all_events, silent = result['rows']
    assert silent['honest [uJ]'] < all_events['honest [uJ]']
    assert silent['paper [uJ]'] < all_events['paper [uJ]']
    assert silent['memory [uJ]'] < all_events['memory [uJ]']


def test_every_row_was_measured_in_core_time(result):
    assert all(row['core [ms]'] > 0 and row['Gop a core s'] > 0 for row in result['rows'])
    assert {'paper', 'honest', 'core time'} <= set(result['ratios'])


def test_a_pass_that_costs_a_hundred_steps_saves_96_percent_at_30_states_and_1000_steps():
    step = Operations(additions=1e6)
    ann = Modelled(step.times(100), step.times(50), None), Cost(10.0, None)
    snn = Modelled(step, step, 0.0), Cost(0.1, None)
    assert _ratios(ann, snn) == {'paper': 100, 'honest': 50, 'core time': 100}
    assert _savings(ann, snn) == {'paper': 0.96, 'honest': 0.95, 'core time': 0.96}


def test_joules_are_those_above_the_idle_machine(monkeypatch):
    class Sensor:
        source = 'rapl'

        def __init__(self):
            self._watts = iter((5.0,) if idle else (25.0,))

        def watts(self):
            return next(self._watts)
    now = iter((10.0, 12.0))
    monkeypatch.setattr(energy, 'MeasuredPower', Sensor)
    monkeypatch.setattr(energy, 'time', SimpleNamespace(
        sleep=lambda seconds: None, perf_counter=lambda: next(now), thread_time=lambda: 0.0))
    idle = True
    meter = energy.Meter()
    idle = False
    assert meter.cost(lambda: 8).joules == pytest.approx((25 - 5) * 2 / 8)
