# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A pixel of the sensor that fires without end."""

import array

import numpy as np
from live_graph import HEIGHT, SKELETON, WIDTH, Camera, States, moving_bar

from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.msg import Skeleton2D

PACKET_US = 40_000


def test_a_hot_pixel_is_found_told_and_left_out_of_the_poses(live):
    skeletons = live.listen(SKELETON, Skeleton2D)
    live.start('snn_tracker')
    states, camera, encoder = States(live), Camera(live, 1), Evt3Encoder(WIDTH, HEIGHT)
    for start_us in range(0, 2_200_000, PACKET_US):
        times_us = np.arange(start_us, start_us + PACKET_US, 500)
        hot = event_array(times_us, [9] * 80, [7] * 80, [1] * 80)
        events = np.concatenate([hot, moving_bar(start_us, start_us + PACKET_US)])
        camera.send_packet(events=array.array('B', encoder.encode(
            events[np.argsort(events['t'], kind='stable')])))
    live.report('snn_tracker', lambda values: values.get('hot_pixels') == '1')
    states.announce(states.write(2_100_000))
    live.spin_until(lambda: skeletons and skeletons[-1].sensor_time_us == 2_199_000, 'a pose')
    assert skeletons[-1].events == 20  # 22 with the hot pixel's
