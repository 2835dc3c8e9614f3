# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras that are out of step, die, or are not the ones of the rig, in a real graph."""

import time

import numpy as np
import pytest
from child_processes import finished
from live_graph import LiveGraph
from rclpy.parameter import Parameter
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.events.clock import EVT3_PERIOD_US
from hybrid_pose_ros.graph.description import TOPICS_3D, NodeSpec, command
from hybrid_pose_ros.msg import Skeleton2DArray, Skeleton3D
from hybrid_pose_ros.nodes.messages import from_time, to_skeleton_message, to_time
from hybrid_pose_ros.pose.rig import RigCamera, project
from hybrid_pose_ros.recordings.rig_files import save_rig
from hybrid_pose_ros.tasks.skeleton import Skeleton

SKELETON, MARKERS = TOPICS_3D
START_M = np.random.default_rng(0).uniform([-0.4, -0.4, 0.2], [0.4, 0.4, 1.7], (13, 3))
PACKET_US = 4_000


def joints_m(stamp_us):
    """Return where the joints are: they go to the right at 1 m/s."""
    return START_M + np.array([1e-6 * stamp_us, 0, 0])


class Tracker:
    """A camera's tracker: exact poses each millisecond, four in a message."""

    def __init__(self, live: LiveGraph, camera: RigCamera, phase_us: int, began_ns: int):
        """Wait until the triangulator listens."""
        self._camera, self._phase_us, self.began_ns = camera, phase_us, began_ns
        self.shift_px = 0.0  # as of a camera that was pushed
        self.turns = 0  # of the sensor's clock, by which it is ahead of the other trackers
        self._publisher = live.publisher(f'/{camera.name}/snn_tracker/skeletons', Skeleton2DArray)

    def send(self, packet: int, **changes) -> None:
        """Send the poses of a packet; `changes` replace fields of the messages."""
        skeletons = []
        for step in range(PACKET_US // 1_000):
            stamp_us = packet * PACKET_US + 1_000 * step + self._phase_us
            pixels = project(self._camera, joints_m(stamp_us)).astype(np.float32) + self.shift_px
            header = Header(stamp=to_time(self.began_ns + 1_000 * stamp_us),
                            frame_id=self._camera.name)
            message = to_skeleton_message(
                Skeleton(stamp_us, pixels, np.full(13, 0.8, np.float32), 0 * pixels), header)
            message.width, message.height = self._camera.width, self._camera.height
            message.trained = True
            message.sensor_time_us += self.turns * EVT3_PERIOD_US
            for name, value in changes.items():
                setattr(message, name, value)
            skeletons.append(message)
        self._publisher.publish(Skeleton2DArray(header=header, skeletons=skeletons))


class Stage:
    """A triangulator, and trackers of the cameras of DHP19 that are out of step."""

    def __init__(self, live: LiveGraph, folder, cameras: int, **parameters):
        self.live, rig = live, dhp19_rig(cameras)
        save_rig(rig, folder / 'rig.yaml')
        self.node = live.start('triangulator', rig=str(folder / 'rig.yaml'), wait_us=20_000,
                               **parameters)
        self.poses = live.listen(SKELETON, Skeleton3D)
        # In the past: packets are sent sooner than they would come.
        self.began_ns = (time.time_ns() // 1_000_000 - 10_000) * 1_000_000
        self.trackers = [Tracker(live, camera, 300 * number, self.began_ns)
                         for number, camera in enumerate(rig.cameras)]
        live.spin_until(lambda: live.listener.count_publishers(SKELETON) == 1, 'its topic')
        self.packets = 0

    def play(self, packets: int, *, silent: int | None = None, **changes) -> list[Skeleton3D]:
        """Send packets of all trackers but one; return what comes of them."""
        first = len(self.poses)
        for _ in range(packets):
            for number, tracker in enumerate(self.trackers):
                if number != silent:
                    tracker.send(self.packets, **changes)
            self.packets += 1
            self.live.spin_until(lambda: True, 'nothing')
        # All but what waits for a camera that is silent, or for the next packet.
        until_us = self.packets * PACKET_US - 25_000
        self.live.spin_until(lambda: self.poses and self.stamp_us(self.poses[-1]) > until_us,
                             'the last poses')
        return self.poses[first:]

    def stamp_us(self, pose: Skeleton3D) -> int:
        """Return a pose's time since the trackers began."""
        return (from_time(pose.header.stamp) - self.began_ns) // 1_000

    def worst_mm(self, poses: list[Skeleton3D]) -> float:
        """Return how far the joint that is worst is from where it is."""
        return max(1e3 * np.abs(np.stack([pose.x_m, pose.y_m, pose.z_m], axis=1)
                                - joints_m(self.stamp_us(pose))).max() for pose in poses)


@pytest.mark.parametrize('clock', ['ros', 'sensor'])
def test_cameras_out_of_step_make_one_pose_for_each_instant(live, tmp_path, clock):
    stage = Stage(live, tmp_path, 2, clock=clock)
    poses = [pose for pose in stage.play(30) if not any(pose.missing)]
    assert len(poses) > 70
    stamps_us = [pose.instant_us for pose in poses]
    assert (np.diff(stamps_us) == 1_000).all() and stamps_us[0] % 1_000 == 0
    assert stage.worst_mm(poses) < 0.1
    last = poses[-1]
    assert last.header.frame_id == 'world' and last.trained and not last.stale
    assert last.cameras.tolist() == [2] * 13 and (last.reprojection_error_px < 0.01).all()
    assert last.confidence == pytest.approx([0.8] * 13)
    assert last.event_latency_ms > 0 and last.compute_ms > 0


@pytest.mark.parametrize('turns', [-2, 3])
def test_trackers_that_joined_in_different_turns_of_their_clocks_are_brought_together(
        live, tmp_path, turns):
    """Cameras are in step by wire, but no pose in the world came of them, or a tenth."""
    stage = Stage(live, tmp_path, 2, clock='sensor')
    stage.trackers[1].turns = turns
    poses = [pose for pose in stage.play(20) if not any(pose.missing)]
    stage.trackers[1].turns = 0  # its tracker is started again
    after = [pose for pose in stage.play(20) if not any(pose.missing)]
    assert len(poses) > 40 and len(after) > 70
    stamps_us = [stage.stamp_us(pose) for pose in poses + after]
    assert (np.diff(stamps_us) > 0).all() and stage.worst_mm(poses + after) < 0.1


def test_stamps_are_those_of_one_camera_where_hosts_disagree(live, tmp_path):
    """Sensors are in step by wire; the second's header stamps are 3 ms late."""
    stage = Stage(live, tmp_path, 2, clock='sensor')
    stage.trackers[1].began_ns += 3_000_000
    poses = [pose for pose in stage.play(20) if not any(pose.missing)]
    stamps_us = [stage.stamp_us(pose) for pose in poses]
    assert stamps_us == [pose.instant_us for pose in poses] and len(poses) > 30


def test_a_camera_that_dies_is_told_and_the_others_go_on(live, tmp_path):
    stage = Stage(live, tmp_path, 4)
    assert (stage.play(20)[-1].cameras == 4).all()
    late = [pose for pose in stage.play(40, silent=1)
            if stage.stamp_us(pose) > 80_000 + 60_000]
    assert late and all(list(pose.missing) == [False, True, False, False] for pose in late)
    assert all((pose.cameras == 3).all() for pose in late) and stage.worst_mm(late) < 0.1
    live.report('triangulator', lambda values: int(values['dhp19_2/missing']) > 0)
    assert not any(stage.play(40)[-1].missing)  # and back


def test_one_camera_that_is_left_makes_no_joints(live, tmp_path):
    stage = Stage(live, tmp_path, 2)
    stage.play(10)
    last = stage.play(40, silent=0)[-1]
    assert not last.cameras.any() and np.isnan(last.x_m).all() and not last.confidence.any()


def test_poses_in_the_world_are_shown_in_its_frame(live, tmp_path):
    stage = Stage(live, tmp_path, 2)
    shown = live.listen(MARKERS, MarkerArray)
    # Markers come at a rate of their own: packets go on until one is of a pose with joints.
    live.spin_until(lambda: stage.play(5) and shown and len(shown[-1].markers) == 2,
                    'joints and bones')
    joints = shown[-1].markers[0]
    assert joints.header.frame_id == 'world' and len(joints.points) == 13
    stamp_us = (from_time(joints.header.stamp) - stage.began_ns) // 1_000
    np.testing.assert_allclose([joints.points[0].x, joints.points[0].y, joints.points[0].z],
                               joints_m(stamp_us)[0], atol=1e-4)


def test_thresholds_and_the_rate_of_markers_can_be_set_while_poses_flow(live, tmp_path):
    stage = Stage(live, tmp_path, 4, markers_hz=25.0)
    shown = live.listen(MARKERS, MarkerArray)

    def play(**values) -> list[Skeleton3D]:
        assert stage.node.set_parameters_atomically(
            [Parameter(name, value=value) for name, value in values.items()]).successful
        stage.play(10)  # those that were under way
        return stage.play(50)

    def wait_for_markers(poses: list[Skeleton3D], period_us: int) -> None:
        """Wait for one array in each period that begins among the poses."""
        begun = {pose.instant_us // period_us for pose in poses[period_us // 1_000:]}
        live.spin_until(lambda: begun <= {
            from_time(message.markers[0].header.stamp) // 1_000 // period_us
            for message in shown if message.markers}, 'markers')
    poses = play()
    assert (poses[-1].cameras == 4).all()
    wait_for_markers(poses, 40_000)
    stage.trackers[1].shift_px = 100.0
    poses = play(markers_hz=100.0)
    assert (poses[-1].cameras == 3).all()
    wait_for_markers(poses, 10_000)
    assert (play(outlier_px=0.0)[-1].cameras == 4).all()
    assert (play(least_confidence=0.9)[-1].cameras == 0).all()


def test_poses_that_have_drifted_or_mean_nothing_are_marked(live, tmp_path):
    stage = Stage(live, tmp_path, 2)
    last = stage.play(20, stale=True, trained=False)[-1]
    assert last.stale and not last.trained


def test_a_tracker_of_another_sensor_is_refused(live, tmp_path):
    save_rig(dhp19_rig(2), tmp_path / 'rig.yaml')
    live.start('triangulator', rig=str(tmp_path / 'rig.yaml'))
    tracker = Tracker(live, dhp19_rig(2).cameras[0], 0, time.time_ns())
    tracker.send(0, width=640)
    assert live.warnings('triangulator')[0] == (
        'camera dhp19_2 is calibrated for a sensor of 346x260 px, but its poses are for '
        '640x260 px')


@pytest.mark.parametrize('parameters, said', (
    ({}, 'parameter rig is empty: name the YAML file of the cameras'),
    ({'rig': 'nowhere.yaml'}, 'no rig at nowhere.yaml: No such file or directory')))
def test_without_a_rig_the_node_says_so_in_one_line(parameters, said):
    ended = finished(*command(NodeSpec('triangulator', parameters=parameters)))
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [f'triangulator: {said}']
