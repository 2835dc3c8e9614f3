# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One person before several cameras."""

import numpy as np
import pytest

from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.recordings.hdf5 import Hdf5Recording
from hybrid_pose_ros.simulation.take import record_take

DURATION_S = 0.05


def test_all_cameras_see_one_person_from_where_they_are(tmp_path):
    rig = dhp19_rig(2)
    facts = list(record_take(tmp_path / 'take', rig.names, seed=3, duration_s=DURATION_S))
    assert [fact['duration_s'] for fact in facts] == pytest.approx([DURATION_S] * 2)
    first, second = (Hdf5Recording(tmp_path / 'take' / f'{name}.h5') for name in rig.names)
    np.testing.assert_array_equal(first.labels().joints_mm, second.labels().joints_mm)
    assert not np.allclose(first.labels().joints_px, second.labels().joints_px)
    assert not np.allclose(first.camera.translation, second.camera.translation)
    assert len(first.events()) > 0 and len(second.events()) > 0
