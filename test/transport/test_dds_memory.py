# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Why no message comes from a publisher that discovery shows."""

import os

import pytest

from hybrid_pose_ros.transport.dds_memory import other_users, why_silent

ME, OTHER = os.getuid(), 65_534
root_only = pytest.mark.skipif(ME != 0, reason='needs root, to give files to another user')


def make(folder, **owners: int) -> None:
    for name, uid in owners.items():
        (folder / name).touch()
        if uid != ME:
            os.chown(folder / name, uid, uid)


def test_one_user_alone_has_nobody_to_share_with(tmp_path):
    make(tmp_path, fastrtps_port7411=ME, fastrtps_port7413=ME)
    assert other_users(0, ME, tmp_path) == set()


@root_only
def test_users_are_those_of_the_ports_of_the_domain(tmp_path):
    make(tmp_path, fastrtps_port15661=ME, fastrtps_port15663=OTHER, fastrtps_port15899=OTHER - 1,
         fastrtps_port15900=1, fastrtps_port15649=2, fastrtps_port7001=3,
         fastrtps_port15665_el=4, fastrtps_0123456789abcdef=5)
    assert other_users(33, ME, tmp_path) == {OTHER, OTHER - 1}


@root_only
def test_without_shared_memory_of_its_own_a_process_does_not_blame_that_of_others(tmp_path):
    make(tmp_path, fastrtps_port15663=OTHER)
    assert other_users(33, ME, tmp_path) == set()


def test_without_dev_shm_there_are_no_users(tmp_path):
    assert other_users(0, ME, tmp_path / 'none') == set()


def test_the_reason_is_the_first_that_explains_the_silence():
    assert why_silent(0, {OTHER}, 1000).startswith('the topic has no publisher')
    assert why_silent(1, (), 1000) == '1 publisher(s), but no packets: is the camera running?'
    reason = why_silent(1, {OTHER}, 1000)
    assert 'uid 65534, this node runs as uid 1000' in reason
    assert 'FASTDDS_BUILTIN_TRANSPORTS=UDPv4' in reason and 'camera' not in reason
