# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the recorder records, and when."""

import json
import signal

from child_processes import started
from live_graph import EVENTS, EXECUTABLES, OVERLAY, SKELETONS, STATE, Camera

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.graph.description import TOPICS
from hybrid_pose_ros.recorded_runs.run_report import run_report
from hybrid_pose_ros.recordings.bag_messages import bag_topics
from hybrid_pose_ros.recordings.typed_messages import typed_messages

PACKETS_US = 20_000


def test_what_is_published_is_in_the_bag(live, tmp_path):
    live.start('recorder', bag=str(tmp_path / 'bag'))
    camera = Camera(live, 1)
    camera.send(PACKETS_US)
    live.report('recorder', lambda values: values[EVENTS] == '5')
    live.stop('recorder')
    report = run_report(tmp_path / 'bag')
    assert (report['packets'], report['events'], report['cut_short']) == (5, 400, '')
    assert bag_topics(tmp_path / 'bag') == {
        topic: kind for topic, kind in TOPICS.items()
        if not topic.endswith(('/transition_event', '/camera_info'))
        and topic not in ('/snn_tracker/inline_request', '/snn_tracker/initialize_request',
                         '/snn_tracker/skeleton', '/snn_tracker/skeleton_throttle',
                         '/skeleton_markers/overlay')}


def test_without_a_bag_it_counts(live):
    live.start('recorder')
    Camera(live, 1).send(PACKETS_US)
    live.report('recorder', lambda values: values[EVENTS] == '5')


def test_events_are_left_out_on_request(live, tmp_path):
    live.start('recorder', bag=str(tmp_path / 'bag'), record_events=False)
    assert EVENTS not in live.report('recorder')
    assert live.listener.count_subscribers(EVENTS) == 0


def test_a_bag_that_is_there_is_left_alone(live, tmp_path):
    for _ in range(3):
        live.start('recorder', bag=str(tmp_path / 'bag'))
        live.stop('recorder')
    assert {path.name for path in tmp_path.iterdir()} == {'bag', 'bag_1', 'bag_2'}


def test_a_recorder_of_all_listens_to_events_when_the_graph_is_complete(live):
    """A player that counted its listeners used to begin before the states had their recorder."""
    live.start('recorder', complete=True)
    live.start('snn_tracker')
    live.start('skeleton_markers')
    live.spin_until(lambda: live.listener.count_subscribers(EVENTS) == 1, 'a listener')
    live.report('recorder', lambda values: EVENTS not in values)
    live.start('ann_initializer')
    live.spin_until(lambda: live.listener.count_subscribers(EVENTS) == 3, 'the recorder')
    assert {EVENTS, SKELETONS, STATE} <= set(live.report('recorder'))


def test_counting_goes_on_when_the_disk_is_full(live, tmp_path, monkeypatch):
    def full(*_):
        raise RecordingError('no space left')
    monkeypatch.setattr('hybrid_pose_ros.recordings.bag_writer.BagWriter.add_topic',
                        lambda *_, **__: full)
    live.start('recorder', bag=str(tmp_path / 'bag'))
    Camera(live, 1).send(PACKETS_US)
    live.report('recorder', lambda values: values[EVENTS] == '5')
    assert live.statuses('recorder')[-1].message == 'no space left'
    assert live.log('recorder') == ['recording stopped, counting continues: no space left']


def test_the_overlay_is_recorded_on_request(live, tmp_path):
    live.start('skeleton_markers')
    live.start('recorder', bag=str(tmp_path / 'bag'), record_overlay=True)
    camera = Camera(live, 2)  # the recorder looks at the overlay, so the markers take in events
    camera.send(PACKETS_US)
    live.report('recorder', lambda values: int(values[OVERLAY]) > 0)
    live.stop('recorder')
    images = [message for _, _, message in typed_messages(tmp_path / 'bag', [OVERLAY])]
    assert images and all(image.encoding == 'bgr8' and image.data.any() for image in images)


def test_the_old_executable_records_under_its_old_name_with_a_notice(tmp_path):
    """Parameter files and remappings of 0.1.0 name the node `evaluator`."""
    params = tmp_path / 'parameters.yaml'
    params.write_text(f'evaluator:\n  ros__parameters: {{bag: {tmp_path / "bag"}}}\n')
    with started(EXECUTABLES / 'evaluator', '--ros-args', '--params-file', params) as process:
        notice, ready = process.stderr.readline(), process.stderr.readline()
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate()
    assert notice == ('evaluator is deprecated and will be removed in the next release: use '
                      'recorder\n')
    assert '[evaluator]: ready' in ready
    assert json.loads(printed)['bag'] == str(tmp_path / 'bag')
