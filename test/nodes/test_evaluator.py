# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the evaluator records, and when."""

from live_graph import EVENTS, OVERLAY, SKELETONS, STATE, Camera

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.graph.description import TOPICS
from hybrid_pose_ros.recorded_runs.run_report import run_report
from hybrid_pose_ros.recordings.bag_messages import bag_topics
from hybrid_pose_ros.recordings.typed_messages import typed_messages

PACKETS_US = 20_000


def test_what_is_published_is_in_the_bag(live, tmp_path):
    live.start('evaluator', bag=str(tmp_path / 'bag'))
    camera = Camera(live, 1)
    camera.send(PACKETS_US)
    live.report('evaluator', lambda values: values[EVENTS] == '5')
    live.stop('evaluator')
    report = run_report(tmp_path / 'bag')
    assert (report['packets'], report['events'], report['cut_short']) == (5, 400, '')
    assert bag_topics(tmp_path / 'bag') == {
        topic: kind for topic, kind in TOPICS.items()
        if not topic.endswith(('/transition_event', '/camera_info'))
        and topic not in ('/snn_tracker/inline_request', '/snn_tracker/initialize_request',
                         '/snn_tracker/skeleton', '/snn_tracker/skeleton_throttle',
                         '/skeleton_markers/overlay')}


def test_without_a_bag_it_counts(live):
    live.start('evaluator')
    Camera(live, 1).send(PACKETS_US)
    live.report('evaluator', lambda values: values[EVENTS] == '5')


def test_events_are_left_out_on_request(live, tmp_path):
    live.start('evaluator', bag=str(tmp_path / 'bag'), record_events=False)
    assert EVENTS not in live.report('evaluator')
    assert live.listener.count_subscribers(EVENTS) == 0


def test_a_bag_that_is_there_is_left_alone(live, tmp_path):
    for _ in range(3):
        live.start('evaluator', bag=str(tmp_path / 'bag'))
        live.stop('evaluator')
    assert {path.name for path in tmp_path.iterdir()} == {'bag', 'bag_1', 'bag_2'}


def test_a_recorder_of_all_listens_to_events_when_the_graph_is_complete(live):
    """A player that counted its listeners used to begin before the states had their recorder."""
    live.start('evaluator', complete=True)
    live.start('snn_tracker')
    live.start('skeleton_markers')
    live.spin_until(lambda: live.listener.count_subscribers(EVENTS) == 1, 'a listener')
    live.report('evaluator', lambda values: EVENTS not in values)
    live.start('ann_initializer')
    live.spin_until(lambda: live.listener.count_subscribers(EVENTS) == 3, 'the recorder')
    assert {EVENTS, SKELETONS, STATE} <= set(live.report('evaluator'))


def test_counting_goes_on_when_the_disk_is_full(live, tmp_path, monkeypatch):
    def full(*_):
        raise RecordingError('no space left')
    monkeypatch.setattr('hybrid_pose_ros.recordings.bag_writer.BagWriter.add_topic',
                        lambda *_, **__: full)
    live.start('evaluator', bag=str(tmp_path / 'bag'))
    Camera(live, 1).send(PACKETS_US)
    live.report('evaluator', lambda values: values[EVENTS] == '5')
    assert live.statuses('evaluator')[-1].message == 'no space left'
    assert live.log('evaluator') == ['recording stopped, counting continues: no space left']


def test_the_overlay_is_recorded_on_request(live, tmp_path):
    live.start('skeleton_markers')
    live.start('evaluator', bag=str(tmp_path / 'bag'), record_overlay=True)
    camera = Camera(live, 2)  # the recorder looks at the overlay, so the markers take in events
    camera.send(PACKETS_US)
    live.report('evaluator', lambda values: int(values[OVERLAY]) > 0)
    live.stop('evaluator')
    images = [message for _, _, message in typed_messages(tmp_path / 'bag', [OVERLAY])]
    assert images and all(image.encoding == 'bgr8' and image.data.any() for image in images)
