# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sensors as Linux shows them, in folders of our own; the machine of the tests may have none."""

import os
from types import SimpleNamespace

import pytest

from hybrid_pose_ros.energy import sensors
from hybrid_pose_ros.energy.sensors import MeasuredPower


@pytest.fixture
def clock(monkeypatch):
    """Let the test say how much time has passed."""
    now = [100.0]
    monkeypatch.setattr(sensors, 'time', SimpleNamespace(monotonic=lambda: now[0]))

    def passes(seconds):
        now[0] += seconds
    return passes


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{text}\n')


def rapl(sysfs, name, microjoules):
    folder = sysfs / 'class' / 'powercap' / name
    write(folder / 'energy_uj', microjoules)
    write(folder / 'max_energy_range_uj', 1_000_000_000)


def ina(sysfs, number, name, millivolts, milliamperes):
    folder = sysfs / 'class' / 'hwmon' / 'hwmon3'
    write(folder / f'in{number}_label', name)
    write(folder / f'in{number}_input', millivolts)
    write(folder / f'curr{number}_input', milliamperes)


def test_power_is_the_energy_of_all_packages_over_the_time(tmp_path, clock):
    rapl(tmp_path, 'intel-rapl:0', 5_000_000)
    rapl(tmp_path, 'intel-rapl:1', 7_000_000)
    rapl(tmp_path, 'intel-rapl:0:0', 1)  # cores are a part of their package
    power = MeasuredPower(tmp_path)
    assert power.source == 'rapl'
    rapl(tmp_path, 'intel-rapl:0', 25_000_000)
    rapl(tmp_path, 'intel-rapl:1', 17_000_000)
    clock(2)
    assert power.watts() == pytest.approx(15)


def test_a_counter_that_wraps_goes_on(tmp_path, clock):
    rapl(tmp_path, 'intel-rapl:0', 995_000_000)
    power = MeasuredPower(tmp_path)
    rapl(tmp_path, 'intel-rapl:0', 5_000_000)
    clock(1)
    assert power.watts() == pytest.approx(10)


def test_a_board_s_input_counts_and_not_its_parts(tmp_path):
    ina(tmp_path, 1, 'VDD_IN', 5000, 2000)
    ina(tmp_path, 2, 'VDD_CPU_GPU_CV', 5000, 800)
    power = MeasuredPower(tmp_path)
    assert (power.source, power.watts()) == ('ina', pytest.approx(10))


def test_without_an_input_all_rails_count(tmp_path):
    ina(tmp_path, 1, 'VDD_CPU', 5000, 1000)
    ina(tmp_path, 2, 'VDD_SOC', 4000, 500)
    assert MeasuredPower(tmp_path).watts() == pytest.approx(7)


def test_a_machine_that_tells_nothing_has_no_power(tmp_path):
    power = MeasuredPower(tmp_path)
    assert (power.source, power.watts()) == ('none', None)


def test_what_cannot_be_read_is_as_if_it_were_not_there(tmp_path):
    write(tmp_path / 'class' / 'powercap' / 'intel-rapl:0' / 'energy_uj', 'denied')
    assert MeasuredPower(tmp_path).source == 'none'


def test_a_sensor_that_goes_away_gives_no_power(tmp_path, clock):
    rapl(tmp_path, 'intel-rapl:0', 5_000_000)
    power = MeasuredPower(tmp_path)
    os.remove(tmp_path / 'class' / 'powercap' / 'intel-rapl:0' / 'energy_uj')
    clock(1)
    assert power.watts() is None
