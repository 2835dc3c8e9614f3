# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The two nodes with weights for another task."""

from types import SimpleNamespace

import numpy as np
import pytest
from live_graph import SKELETON, STATE, Camera, LiveGraph, stamps_us

from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import for_task, preset
from hybrid_pose_ros.msg import Gesture, StateTensors
from hybrid_pose_ros.recordings.typed_messages import typed_messages
from hybrid_pose_ros.tasks.gesture import GESTURES

CHUNK_US = 40_000
STEP_US = 1_000
GESTURE = '/snn_tracker/gesture'
SAID = 'squat'


@pytest.fixture(scope='module')
def run(shared_live: LiveGraph, tmp_path_factory) -> SimpleNamespace:
    """Return what weights say whose ANN always says the same, and what was warned of."""
    live, path = shared_live, tmp_path_factory.mktemp('weights') / 'gesture.safetensors'
    weights = untrained(for_task(preset('edge'), 'gesture'))
    for name in ('ann.output.weight', 'snn.output.weight'):
        weights.tensors[name][...] = 0
    weights.tensors['ann.output.bias'][GESTURES.index(SAID)] = 9
    weights.save(path)
    # First what takes longer: the other would warn that no packet comes meanwhile.
    live.start('ann_initializer', checkpoint=str(path))
    live.start('snn_tracker', checkpoint=str(path))
    live.start('recorder', bag=str(path.with_name('bag')))
    heard, states = live.listen(GESTURE, Gesture), live.listen(STATE, StateTensors)
    camera = Camera(live, listeners=3)
    for _ in range(10):
        known = len(states)
        camera.send(CHUNK_US)
        live.spin_until(lambda: len(states) > known, 'a state of the newest events')
    live.spin_until(lambda: heard and heard[-1].sensor_time_us >= camera.now_us - STEP_US,
                    'the last complete bin')
    live.report('recorder', lambda values: int(values[GESTURE]) == len(heard))
    live.stop('recorder')
    return SimpleNamespace(gestures=heard, log=live.log(), bag=path.with_name('bag'))


def test_every_time_bin_has_the_gesture_that_the_ann_saw(run):
    stamps = stamps_us(run.gestures)
    assert stamps == list(range(stamps[0], stamps[0] + STEP_US * len(stamps), STEP_US))
    assert {message.gesture for message in run.gestures} == {SAID}
    for message in run.gestures:
        assert message.confidence > 0.9 and tuple(message.names) == GESTURES
        assert np.sum(message.probabilities) == pytest.approx(1, abs=1e-5)


def test_a_gesture_says_how_it_came_about(run):
    message = run.gestures[-1]
    assert message.step_us == STEP_US and message.events > 0 and not message.trained
    assert 0 <= message.state_age_us < 1_000_000
    assert 0 < message.compute_ms < message.packet_latency_ms
    assert message.header.frame_id == 'lens'


def test_gestures_are_recorded(run):
    recorded = [message for _, _, message in typed_messages(run.bag, [GESTURE])]
    assert [(message.sensor_time_us, message.gesture) for message in recorded] == [
        (message.sensor_time_us, message.gesture) for message in run.gestures]


def test_the_tracker_of_gestures_offers_no_skeletons(run, shared_live):
    offered = {topic for topic, _ in shared_live.listener.get_topic_names_and_types()}
    assert GESTURE in offered and SKELETON not in offered
    assert not shared_live.listener.get_publishers_info_by_topic(SKELETON)
    assert int(shared_live.report('snn_tracker')['poses']) >= len(run.gestures)


def test_nothing_is_warned_of(run):
    assert run.log == []
