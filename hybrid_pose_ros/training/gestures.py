# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of gesture recognition on unseen recordings."""

from collections import defaultdict
from typing import Any

import numpy as np

from hybrid_pose_ros.engine.estimator import EngineState, SpikingEngine
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.networks.initializer import StateInitializer
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.tasks.gesture import GESTURES, gesture_of, probabilities
from hybrid_pose_ros.tracking.offline import RecordingAnn
from hybrid_pose_ros.training.validation import AGE_US, SETTLED_US
from hybrid_pose_ros.training.views import whole_view

STEP_US = 1_000
STARTS = {'hybrid': (True, True), 'hybrid, no state initialization': (False, True),
          'SNN from rest': (False, False)}
"""Whether the ANN initializes the membranes and the output maps."""


def gestures_by_age(checkpoint: Checkpoint, clips: list[LabeledRecording], *,
                    horizon_us: int = 300_000, period_us: int = 300_000) -> dict[str, Any]:
    """Return the accuracy overall and by age of the state, every AGE_US.

    Args:
        checkpoint: weights for gestures.
        clips: recordings of one sensor whose names start with a gesture.
        horizon_us: time for which each ANN state is followed.
        period_us: interval between states.

    Returns:
        For each row, the accuracies `right` and `right_by_age`; `confusion`, the hybrid's counts
        by (true gesture, answer); and the number of windows.
    """
    geometry = input_geometry(checkpoint.preset, clips[0].width, clips[0].height)
    network, view = StateInitializer(checkpoint), whole_view(geometry)
    engine = SpikingEngine(checkpoint, geometry.width, geometry.height, STEP_US)
    state, answers, truths = engine.initialize(), defaultdict(list), []
    for clip in clips:
        ann = RecordingAnn(checkpoint, clip, network=network)
        for at_us in range(clip.start_us + SETTLED_US, clip.end_us - horizon_us, period_us):
            at_us = at_us // STEP_US * STEP_US
            seen = ann.state_at(at_us)
            if seen is None:
                continue
            counts = view.counts(clip, at_us, STEP_US, horizon_us // STEP_US)
            counts = np.ascontiguousarray(np.minimum(counts, 255), np.uint8)
            ages = horizon_us // AGE_US
            answers['ANN, its answer held'].append([_answer(seen.tensors['heatmap'])] * ages)
            for name, sets in STARTS.items():
                state.copy_from(_set(seen.tensors, *sets))
                answers[name].append(_follow(engine, state, counts))
            truths.append(gesture_of(clip.name))
    if not truths:
        raise InputError('no state could be followed: recordings must be longer than '
                         f'{(SETTLED_US + horizon_us) * 1e-6:g} s and have events for the ANN')
    right = {name: np.array(of) == np.array(truths)[:, None] for name, of in answers.items()}
    confusion = np.zeros((len(GESTURES), len(GESTURES)), int)
    np.add.at(confusion, (np.array(truths)[:, None], np.array(answers['hybrid'])), 1)
    return {'windows': len(truths), 'confusion': confusion.tolist(),
            'right': {name: round(float(of.mean()), 4) for name, of in right.items()},
            'right_by_age': {name: of.mean(axis=0).round(4).tolist()
                             for name, of in right.items()}}


def _set(tensors: dict[str, np.ndarray], membranes: bool, maps: bool) -> dict[str, np.ndarray]:
    """Return the tensors of the state, with zeros for those not initialized by the ANN."""
    return {name: tensor if (maps if name == 'heatmap' else membranes) else np.zeros_like(tensor)
            for name, tensor in tensors.items()}


def _follow(engine: SpikingEngine, state: EngineState, counts: np.ndarray) -> list[int]:
    """Return the predicted gestures every AGE_US."""
    answers = []
    for index, bin_counts in enumerate(counts, start=1):
        maps = engine.step(bin_counts, state)
        if index % (AGE_US // STEP_US) == 0:
            answers.append(_answer(maps))
    return answers


def _answer(maps: np.ndarray) -> int:
    return int(probabilities(maps).argmax())
