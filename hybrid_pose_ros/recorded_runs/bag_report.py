# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reports the evaluation of one bag, or of two side by side, as text rows and as an HTML file."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from hybrid_pose_ros.evaluation.html_report import (
    PIXELS, number_text, power_table, ratio_table, render)
from hybrid_pose_ros.evaluation.plots import plot_result
from hybrid_pose_ros.recorded_runs.run_plots import plot_run
from hybrid_pose_ros.recorded_runs.run_report import RecordedRun

RUN = {
    'ground truth': ('truth',), 'time of the ground truth': ('turn_of_truth',),
    'events [s]': ('seconds_of_events',),
    'gaps': ('run', 'gaps'), 'cut short': ('run', 'cut_short'),
    'messages left out': ('run', 'bad_messages'),
    'packets': ('run', 'packets'), 'packets lost': ('run', 'lost_packets'),
    'events': ('run', 'events'), 'recorded poses': ('run', 'poses'),
    'recorded poses per second': ('run', 'poses_per_sensor_s'),
    'bins without a pose': ('run', 'missing_poses'), 'skipped bins': ('run', 'skipped_steps'),
    'states received': ('run', 'state_handovers'),
    'stale poses, share': ('shares', 'stale'), 'held joints, share': ('shares', 'held'),
    'mean confidence': ('run', 'mean_confidence'),
    'age of the state [ms]': ('run', 'state_age_ms'),
    'packet to pose [ms]': ('run', 'latency_ms', 'packet_arrival_to_publish'),
    'end of bin to pose [ms]': ('run', 'latency_ms', 'bin_end_to_publish'),
    'network and decoding [ms]': ('run', 'latency_ms', 'compute'),
    'ANN and heads [ms]': ('run', 'ann_ms'),
    'live report, error [px]': ('run', 'mpjpe_px'),
    'weights of the rerun': ('identity',), 'rerun poses': ('re_run', 'poses'),
    'rerun poses per second': ('re_run', 'poses_per_sensor_s'),
    'rerun steps per pose': ('re_run', 'steps_per_pose'),
    'rerun spikes per pose': ('re_run', 'spikes_per_pose'),
    'instants in both': ('same_instants', 'instants'),
    'distance of rerun from recorded, there [px]': ('same_instants', 'apart_px'),
    'error of recorded poses, there [px]': ('same_instants', 'recorded_mpjpe_px'),
    'error of rerun poses, there [px]': ('same_instants', 're_run_mpjpe_px')}
"""Labels of the reported figures, with their keys in the result."""


def sides(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the one or two results to compare, keyed by distinct names."""
    if 'against' not in result:
        return {Path(result['bag']).name: result}
    both = (result, result['against'])
    for key in ('bag', 'checkpoint'):
        for name in (lambda path: Path(path).name, str):
            names = [name(side[key]) for side in both]
            if names[0] != names[1]:
                return dict(zip(names, both))
    return dict(zip(('first', 'second'), both))


def run_rows(result: dict[str, Any]) -> list[list[str]]:
    """Return rows with a label and the text of each side."""
    found = [[label, *(_text(_at(side, keys)) for side in sides(result).values())]
             for label, keys in RUN.items()]
    return [row for row in found if any(text != '-' for text in row[1:])]


def error_rows(result: dict[str, Any], keys: Collection[str]) -> list[list[str]]:
    """Return a label and the errors for each row of each side; empty without ground truth."""
    several = 'against' in result
    by_side = {name: side['errors'] | {f'table: {row}': errors for row, errors in
                                       side.get('evaluation', {'rows': {}})['rows'].items()}
               for name, side in sides(result).items()}
    labels = dict.fromkeys(label for errors in by_side.values() for label in errors)
    return [[label.replace('_run', '-run') + (f' ({name})' if several else ''),
             *(_text(errors[label][key]) for key in keys)]
            for label in labels for name, errors in by_side.items() if label in errors]


def write_bag_report(result: dict[str, Any], folder: Path, *, video: bool = True) -> Path:
    """Write report.html, its plots, and a video of each side's skeletons; return the path."""
    parts = [_part(name, side, folder if index == 0 else folder / 'against', folder, video)
             for index, (name, side) in enumerate(sides(result).items())]
    names = [part['name'] for part in parts]
    return render('recorded_runs/bag_report.html.jinja', folder / 'report.html', sides=parts,
                  run=(['', *names], run_rows(result)),
                  errors=(['', *PIXELS], error_rows(result, PIXELS.values())))


def _part(name: str, side: dict[str, Any], own: Path, folder: Path, video: bool) -> dict[str, Any]:
    """Write the plots and video of one side to its own folder; return its part of the page."""
    from hybrid_pose_ros.recorded_runs.video import write_video  # the tables need no OpenCV
    own.mkdir(parents=True, exist_ok=True)
    run = RecordedRun(Path(side['bag']), side['topic'])
    part: dict[str, Any] = {'name': name, 'video': None, 'evaluation': side.get('evaluation'),
                            'pictures': plot_run(run, own) if len(run.poses) else []}
    if video and len(run.poses) and write_video(Path(side['bag']), own / 'skeleton.mp4'):
        part['video'] = (own / 'skeleton.mp4').relative_to(folder).as_posix()
    if table := part['evaluation']:
        part |= {'powers': power_table(table), 'ratios': ratio_table(table['ratios'])}
        part['pictures'] += plot_result(table, own)
    return part


def _at(value: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ' '.join(f'{name} {level:.2f}' for name, level in value.items())
    if isinstance(value, int):
        return f'{value}'
    if isinstance(value, float):
        return number_text(value) if abs(value) < 1000 else f'{value:.0f}'
    return value or '-'
