# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground truth of a recorded run, from the bag or from a recording with labels."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.clock import nearest_turn
from hybrid_pose_ros.recorded_runs.run_report import RecordedRun
from hybrid_pose_ros.recordings.labeled import LabeledRecording, load_labeled


class BagTruth(NamedTuple):
    """Joint positions during a recorded run, on the clock of its events."""

    labels: LabeledRecording | None  # with the bag's events; None: unknown
    exact: bool  # score only at the instants of labels, as in the report of the live run
    turn: str  # how a file's labels were moved to the clock of the events, if ambiguous


def bag_truth(unlabeled: LabeledRecording, run: RecordedRun, truth: str | Path | None) -> BagTruth:
    """Return the ground truth of a bag.

    Args:
        unlabeled: events of the bag.
        run: the other contents of the bag.
        truth: recording with labels; None: use the ground truth in the bag.

    Raises:
        InputError: the file belongs to another sensor or another time.
    """
    if truth is not None:
        given, turn = _of_file(unlabeled, truth, run.event_times.period_us)
        return BagTruth(given, False, turn)
    if len(run.truth) < 2:
        return BagTruth(None, False, '')
    joints = np.stack([run.truth.x_px, run.truth.y_px], axis=2)
    visible = run.truth.confidence > 0
    return BagTruth(unlabeled._replace(
        label_us=np.array(run.truth.sensor_time_us), joints_px=joints, visible=visible,
        occluded=np.zeros_like(visible)), True, '')


def _of_file(unlabeled: LabeledRecording, truth: str | Path, period_us: int
             ) -> tuple[LabeledRecording, str]:
    """Return the labels of a file, and how they were moved to the clock of the bag's events.

    A clock that wraps determines times only modulo its period. Labels that overlap the events are
    not moved; others are moved by the number of whole periods that brings them closest.
    """
    given = load_labeled(truth)
    if (given.width, given.height) != (unlabeled.width, unlabeled.height):
        raise InputError(f'{truth} is for {given.width}x{given.height} px, the bag for '
                         f'{unlabeled.width}x{unlabeled.height} px')
    first_us, last_us = (int(time_us) for time_us in unlabeled.events['t'][[0, -1]])
    moved_us = 0
    if given.end_us < first_us or given.start_us > last_us:
        middle_us = (given.start_us + given.end_us) // 2
        moved_us = nearest_turn(middle_us, (first_us + last_us) // 2, period_us) - middle_us
    if given.end_us + moved_us < first_us or given.start_us + moved_us > last_us:
        raise InputError(
            f'{truth} is from another time: its labels are from {given.start_us} to '
            f'{given.end_us} us, the events of the bag from {first_us} to {last_us} us of the '
            'sensor\'s clock')
    length_us = given.end_us - given.start_us + last_us - first_us
    turn = ''
    if period_us and (moved_us or length_us >= period_us):
        turn = f'moved by {moved_us // period_us} periods of {period_us * 1e-6:.3f} s'
        turn += ', other offsets fit as well' if length_us >= period_us else ''
    return given._replace(name=unlabeled.name, events=unlabeled.events,
                          label_us=given.label_us + moved_us), turn
