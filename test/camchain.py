# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A calibration of two cameras as Kalibr writes it."""

CAMCHAIN = """
cam0:
  cam_overlaps: [1]
  camera_model: pinhole
  distortion_coeffs: [-0.37, 0.16, 0.0003, -0.0002]
  distortion_model: radtan
  intrinsics: [330.5, 331.5, 172.5, 131.0]
  resolution: [346, 260]
  rostopic: /left/event_camera/image_raw
cam1:
  T_cn_cnm1:
  - [0.0, 0.0, -1.0, 0.5]
  - [0.0, 1.0, 0.0, 0.0]
  - [1.0, 0.0, 0.0, 2.0]
  - [0.0, 0.0, 0.0, 1.0]
  camera_model: pinhole
  distortion_coeffs: [-0.02, 0.01, 0.0, 0.0]
  distortion_model: equidistant
  intrinsics: [329.0, 328.0, 170.0, 130.0]
  resolution: [346, 260]
  rostopic: /right/event_camera/image_raw
"""
