# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import struct

import h5py
import numpy as np
import pytest
from dhp19_files import (
    BIG_MAT_HEADER, MAT_HEADER, mat_array, mat_element, mat_structure, poses_mm, vicon_fields,
    write_vicon)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.io import savemat

from hybrid_pose_ros.datasets import matlab
from hybrid_pose_ros.datasets.matlab import read_structure
from hybrid_pose_ros.datasets.vicon import read_vicon
from hybrid_pose_ros.errors import RecordingError

POSES = poses_mm(4)


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'S1_1_1.mat'


@pytest.mark.parametrize('compressed', [True, False])
def test_joints_are_read_in_our_order_with_nan_where_one_is_lost(path, compressed):
    poses = POSES.copy()
    poses[2, 5] = np.nan
    write_vicon(path, poses, compressed=compressed)
    assert np.array_equal(read_vicon(path), poses, equal_nan=True)


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 5), st.just(3))),
       st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=3,
          deadline=None)
def test_what_scipy_writes_is_read(path, values, compressed):
    savemat(path, {'other': 'text', 'XYZPOS': {'head': values, 'b': np.uint8([[1, 2]]), 'c': 'x'}},
            do_compression=compressed)
    fields = read_structure(path, 'XYZPOS')
    assert np.array_equal(fields['head'], values, equal_nan=True)
    assert fields['b'].tolist() == [[1, 2]] and 'c' not in fields


def test_fields_may_have_the_names_of_numpys_arguments(path):
    values = {'file': 1.0, 'allow_pickle': 2.0, 'arr_0': 3.0, 'head': 4.0}
    savemat(path, {'XYZPOS': {name: np.array([[value]]) for name, value in values.items()}})
    fields = read_structure(path, 'XYZPOS')
    assert {name: array.item() for name, array in fields.items()} == values


def test_doubles_that_matlab_stored_as_bytes_are_read(path):
    array = mat_array(6, (2, 3), b'', mat_element(2, bytes(range(6))))
    path.write_bytes(MAT_HEADER + mat_array(
        2, (1, 1), b'XYZPOS', mat_element(5, struct.pack('<i', 8)),
        mat_element(1, b'head\0\0\0\0'), array))
    assert read_structure(path, 'XYZPOS')['head'].tolist() == [[0, 2, 4], [1, 3, 5]]


def test_files_of_the_other_byte_order_are_read(path):
    path.write_bytes(BIG_MAT_HEADER + mat_structure(b'XYZPOS', vicon_fields(POSES), '>'))
    assert np.array_equal(read_vicon(path), POSES)


def test_objects_and_functions_among_the_variables_are_passed_over(path):
    """Their layout is another one: the name comes before the class, and there is no shape."""
    opaque = mat_element(14, mat_element(6, struct.pack('<II', 17, 0)) + mat_element(1, b'o')
                         + mat_element(1, b'MCOS') + mat_element(1, b'table'))
    path.write_bytes(MAT_HEADER + opaque + mat_structure(b'XYZPOS', vicon_fields(POSES)))
    assert np.array_equal(read_vicon(path), POSES)


def test_files_of_version_7_3_are_read(path):
    with h5py.File(path, 'w', userblock_size=512) as file:
        for joint, values in vicon_fields(POSES).items():
            file[f'XYZPOS/{joint}'] = values.T  # MATLAB's order of axes is the other one
    assert np.array_equal(read_vicon(path), POSES)


def spoiled(path, change):
    fields = vicon_fields(POSES)
    change(fields)
    path.write_bytes(MAT_HEADER + mat_structure(b'XYZPOS', fields))
    return path


@pytest.mark.parametrize('change, text', [
    (lambda fields: fields.pop('hipR'), 'XYZPOS lacks hipR: expected a matrix'),
    (lambda fields: fields.update(footL=np.zeros((3, 3))),
     r'XYZPOS.footL has the shape \(3, 3\), expected \(4, 3\)'),
    (lambda fields: fields.update(head=np.zeros((0, 3))),
     r'XYZPOS.head has the shape \(0, 3\), expected \(N, 3\)')])
def test_a_joint_that_is_missing_or_of_another_shape_is_named(path, change, text):
    with pytest.raises(RecordingError, match=f'S1_1_1.mat: {text}'):
        read_vicon(spoiled(path, change))


def test_another_variable_is_refused_by_its_name(path):
    path.write_bytes(MAT_HEADER + mat_structure(b'poses', vicon_fields(POSES)))
    with pytest.raises(RecordingError, match='has no variable XYZPOS: found poses'):
        read_vicon(path)


@pytest.mark.parametrize('content, text', [
    (b'', 'is damaged'), (b'x' * 200, 'is damaged: Unknown mat file type'),
    (MAT_HEADER, 'has no variable XYZPOS: found none'),
    (MAT_HEADER + struct.pack('<II', 15, 4) + b'abcd', 'is damaged: '),
    (MAT_HEADER + mat_array(6, (1, 1), b'XYZPOS', mat_element(9, bytes(8))),
     'expected a structure')])
def test_other_files_are_refused(path, content, text):
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=text):
        read_vicon(path)


@pytest.mark.parametrize('compressed', [True, False])
def test_a_file_that_is_cut_anywhere_is_refused(path, compressed):
    write_vicon(path, POSES, compressed=compressed)
    content = path.read_bytes()
    for end in np.linspace(0, len(content) - 9, 4, dtype=int):
        path.write_bytes(content[:end])
        with pytest.raises(RecordingError, match='S1_1_1.mat'):
            read_vicon(path)


def test_a_crash_of_the_reader_is_one_line(path, monkeypatch, tmp_path):
    write_vicon(path, POSES)
    crash = tmp_path / 'crash.py'
    crash.write_text('import os, signal; os.kill(os.getpid(), signal.SIGSEGV)')
    monkeypatch.setattr(matlab, 'CHILD', crash)
    with pytest.raises(RecordingError, match='S1_1_1.mat is damaged: .* ended with SIGSEGV'):
        read_vicon(path)


def test_a_missing_file_is_refused(path):
    with pytest.raises(RecordingError, match='cannot be read: No such file'):
        read_vicon(path)
