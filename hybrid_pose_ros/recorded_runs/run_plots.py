# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plots of a recorded run."""

from pathlib import Path

import numpy as np

from hybrid_pose_ros.recorded_runs.run_report import POWERED, RecordedRun


def plot_run(run: RecordedRun, folder: Path) -> list[Path]:
    """Plot latencies, rate and state age over time; return the files."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot

    stamps_us = run.gaps.closed(run.poses.sensor_time_us)
    seconds = (stamps_us - stamps_us[0]) * 1e-6
    figure, (top, middle, bottom, last) = pyplot.subplots(4, 1, figsize=(8, 10),
                                                          layout='constrained')
    for name, label in (('packet_latency_ms', 'packet arrival to published pose'),
                        ('compute_ms', 'network and decoding')):
        values = np.sort(run.poses[name])
        top.plot(np.maximum(values, 1e-3), np.linspace(0, 1, len(values)), label=label)
    top.set(xscale='log', xlabel='ms', ylabel='share of poses', title='Latency', ylim=(0, 1.01))
    top.legend()
    middle.plot(seconds, run.poses.state_age_us * 1e-3, linewidth=0.7)
    middle.set(xlabel='sensor time [s]', ylabel='ms', title='Age of the state', ylim=(0, None))
    bottom.hist(seconds, bins=max(1, round(float(seconds[-1]) / 0.1)), color='tab:gray')
    bottom.set(xlabel='sensor time [s]', ylabel='poses', title='Poses per 100 ms')
    for name in POWERED:
        times_s, powers_mw = _power_over_time(run, name)
        last.plot(times_s, powers_mw, marker='.', label=name)
    last.set(xlabel='time since the first pose [s]', ylabel='mW', ylim=(0, None),
             title='Power, honest count at 45 nm')
    last.legend()
    path = folder / 'run.png'
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return [path]


def _power_over_time(run: RecordedRun, name: str) -> tuple[np.ndarray, np.ndarray]:
    reports = run.power.get(name, [])
    log_us = np.array([run.poses.log_ns[0], *(log_ns for log_ns, _ in reports)]) // 1000
    closed_us = run.log_gaps.closed(log_us)
    return (closed_us[1:] - closed_us[0]) * 1e-6, np.array([mw for _, mw in reports])
