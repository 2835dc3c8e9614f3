# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Errors in the world, of cameras whose poses are known, and of real graphs on tiny sensors."""

import json

import numpy as np
import pytest
from labeled_clips import HEIGHT, WIDTH, circling_clip

from hybrid_pose_ros.cli import evaluate3d as command
from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation import evaluate3d as module
from hybrid_pose_ros.evaluation.evaluate3d import cases_of, evaluate3d
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.evaluation.plots3d import plot_world
from hybrid_pose_ros.evaluation.takes import CameraPoses, camera_poses, find_takes
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.pose.rig import project
from hybrid_pose_ros.recordings.hdf5 import Hdf5Writer
from hybrid_pose_ros.simulation.camera import CAMERAS

LABEL_US = np.arange(0, 400_001, 1_000)


def places_mm():
    """Return 13 joints that move 0.5 mm to the right each millisecond, (N, 13, 3)."""
    start = np.random.default_rng(0).uniform([-400, -400, 200], [200, 400, 1600], (13, 3))
    return start + LABEL_US[:, None, None] * np.array([5e-4, 0, 0])


def write_take(folder, cameras=4, joints=None):
    """Write a take whose recordings hold labels and next to no events; return its folder."""
    folder.mkdir(parents=True)
    joints = places_mm() if joints is None else joints
    clip = circling_clip(events_ms=1, duration_ms=400)
    for name in dhp19_rig(cameras).names:
        view = CAMERAS[name.replace('_', '-')]
        with Hdf5Writer(folder / f'{name}.h5', width=346, height=260, camera=view) as writer:
            writer.append(clip.events)
            pixels = view.project(1e-3 * joints)
            writer.append_labels(LABEL_US, pixels, joints, view.contains(pixels))
    return folder


@pytest.fixture
def known(monkeypatch):
    """Replace the graphs: the ANN is right, the hybrid 10 mm too high, held poses are of time 0.

    A camera that is blinded is sure of one point in the corner of its image.
    """
    stamps_us, joints = LABEL_US[100:-1:50], places_mm()

    def poses(checkpoint, path, params, *, blind):
        view = next(one for one in dhp19_rig(4).cameras if one.name == path.stem)
        at = 1e-3 * joints[100:-1:50]
        found = {'ann': project(view, at), 'hybrid': project(view, at + [0, 0, 0.01]),
                 'ann_held': np.repeat(project(view, 1e-3 * joints[:1]), len(stamps_us), axis=0)}
        if blind:
            found = {row: np.full_like(pixels, 5.0) for row, pixels in found.items()}
        shape = len(stamps_us), 13
        return CameraPoses(stamps_us, np.arange(len(stamps_us)) % 3 + 1, np.ones(shape, bool),
                           found, dict.fromkeys(found, np.ones(shape)))
    monkeypatch.setattr(module, 'camera_poses', poses)


def figures(takes, **changes):
    return evaluate3d(untrained(preset('edge')), takes, **changes)


def test_errors_are_of_each_instants_own_label(known, tmp_path):
    """The paper's published list compared every step with the label of the first one."""
    case = figures([*find_takes([write_take(tmp_path / 'take')])])['cases']['dhp19_2 + dhp19_3']
    rows = case['rows']
    assert rows['ann']['mpjpe_mm'] == pytest.approx(0.0, abs=1e-3)
    assert rows['hybrid']['mpjpe_mm'] == pytest.approx(10.0, abs=1e-3)
    stamps_us = LABEL_US[100:-1:50]
    assert rows['ann_held']['mpjpe_mm'] == pytest.approx(5e-4 * stamps_us.mean(), abs=1e-2)
    by_step = [5e-4 * stamps_us[step::3].mean() for step in range(3)]
    assert rows['ann_held']['mpjpe_mm_by_step'] == pytest.approx(by_step, abs=1e-2)
    assert rows['ann']['joints_without_point'] == 0


def test_ratios_are_of_the_same_instants(known, tmp_path, monkeypatch):
    """The hybrid is twice as far off as the ANN from the second step of three on."""
    takes = find_takes([write_take(tmp_path / 'take', cameras=2)])
    known_poses = module.camera_poses

    def worse(*args, **changes):
        poses = known_poses(*args, **changes)
        view = next(one for one in dhp19_rig(2).cameras if one.name == args[1].stem)
        at = 1e-3 * places_mm()[100:-1:50]
        poses.joints_px['ann'][:] = project(view, at + [0, 0, 0.005])
        early = poses.step == 1
        poses.joints_px['hybrid'][early] = poses.joints_px['ann'][early]
        return poses
    monkeypatch.setattr(module, 'camera_poses', worse)
    case = figures(takes)['cases']['dhp19_2 + dhp19_3']
    assert case['hybrid_to_ann_by_third'] == pytest.approx([1.0, 2.0, 2.0], abs=1e-3)
    assert case['hybrid_to_ann_by_step'] == pytest.approx([1.0, 2.0, 2.0], abs=1e-3)


def test_the_table_names_sets_of_cameras_in_short(known, tmp_path, capsys):
    command.show(figures(find_takes([write_take(tmp_path / 'take')])))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    for name in ('dhp19_2 + dhp19_3', 'all 4', 'without dhp19_1', 'dhp19_1 blinded'):
        assert any(line.startswith(f'{name} ') for line in lines), lines


def test_a_blinded_camera_of_four_is_as_one_that_is_not_there(known, tmp_path):
    cases = figures([*find_takes([write_take(tmp_path / 'take')])])['cases']
    everyone = cases['dhp19_1 + dhp19_2 + dhp19_3 + dhp19_4']['rows']['hybrid']
    assert everyone['cameras_used'] == 4
    for name, case in cases.items():
        if 'blinded' in name:
            assert case['rows']['hybrid']['mpjpe_mm'] == pytest.approx(10.0, abs=1e-3), name
            assert case['rows']['hybrid']['cameras_used'] == 3
    assert sum('blinded' in name for name in cases) == 4
    cases = figures([*find_takes([tmp_path / 'take'])], blind=False)['cases']
    assert len(cases) == 6 and not any('blinded' in name for name in cases)


def test_four_cameras_are_drawn_with_those_that_are_blinded(known, tmp_path):
    result = figures(find_takes([write_take(tmp_path / 'take')]))
    assert plot_world(result, tmp_path).stat().st_size > 5_000


def test_two_cameras_are_one_case(tmp_path):
    assert [case.cameras for case in cases_of(dhp19_rig(2))] == [(0, 1)]


def test_joints_outside_the_front_images_are_left_out(known, tmp_path, monkeypatch):
    takes = find_takes([write_take(tmp_path / 'take')])
    known_poses = module.camera_poses

    def cut(*args, **changes):
        poses = known_poses(*args, **changes)
        poses.inside[:, 4] = False
        return poses
    monkeypatch.setattr(module, 'camera_poses', cut)
    row = figures(takes)['cases']['dhp19_2 + dhp19_3']['rows']['ann']
    assert row['joints'] == 12 * len(LABEL_US[100:-1:50])
    assert row['mpjpe_mm_by_joint'][4] is None


def test_takes_are_found_by_themselves_and_in_folders(tmp_path):
    for name in ('take_0', 'take_1'):
        write_take(tmp_path / name, cameras=2)
    alone = find_takes([tmp_path / 'take_1'])
    assert [take.name for take in alone] == ['take_1']
    assert [take.name for take in find_takes([tmp_path])] == ['take_0', 'take_1']
    assert alone[0].rig.names == ('dhp19_2', 'dhp19_3')


def test_takes_of_other_cameras_are_refused(tmp_path):
    write_take(tmp_path / 'take_0', cameras=2)
    write_take(tmp_path / 'take_1', cameras=4)
    with pytest.raises(InputError, match='take_1 has other cameras than take_0'):
        find_takes([tmp_path])


def test_a_folder_without_takes_is_refused(tmp_path):
    with pytest.raises(InputError, match='no takes found in .*--cameras 2'):
        find_takes([tmp_path])


def test_a_take_of_one_camera_is_refused(tmp_path):
    (write_take(tmp_path / 'take', cameras=2) / 'dhp19_3.h5').unlink()
    with pytest.raises(InputError, match='has one camera'):
        find_takes([tmp_path])


def test_a_take_without_places_is_refused(known, tmp_path):
    takes = find_takes([write_take(tmp_path / 'take', joints=0 * places_mm())])
    with pytest.raises(InputError, match='no joint positions'):
        figures(takes)


def test_the_command_evaluates_real_graphs(tmp_path, capsys):
    """With random weights: figures are there, and mean nothing."""
    for name, view in (('left', 'dhp19-2'), ('right', 'dhp19-3')):
        clip = circling_clip(duration_ms=500, events_ms=20)
        (tmp_path / 'take').mkdir(exist_ok=True)
        with Hdf5Writer(tmp_path / 'take' / f'{name}.h5', width=WIDTH, height=HEIGHT,
                        camera=CAMERAS[view]) as writer:
            writer.append(clip.events)
            joints = np.full((*clip.visible.shape, 3), 900.0)
            writer.append_labels(clip.label_us, clip.joints_px + 0.5, joints, clip.visible)
    status = main(['evaluate3d', '--takes', str(tmp_path / 'take'), '--ann-rate-hz', '10',
                   '--step-us', '10000', '--json', '--output', str(tmp_path / 'out')])
    assert status == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    rows = result['cases']['left + right']['rows']
    assert set(rows) == {'ann', 'ann_held', 'hybrid'}
    assert len(rows['hybrid']['mpjpe_mm_by_step']) == 10
    assert json.loads((tmp_path / 'out' / 'result.json').read_text()) == result
    assert (tmp_path / 'out' / 'world.png').stat().st_size > 5_000
    found = camera_poses(untrained(preset('edge')), tmp_path / 'take' / 'left.h5',
                         EvaluationParams(step_us=10_000, ann_rate_hz=10.0, ann_latency_us=0))
    assert found.step.min() == 1 and found.step.max() == 10
    assert np.isfinite(found.joints_px['hybrid']).all()


def test_a_mistake_is_one_line(tmp_path, capsys):
    assert main(['evaluate3d', '--takes', str(tmp_path)]) == 1
    line, = capsys.readouterr().err.splitlines()
    assert line.startswith('hybrid-pose evaluate3d: no takes found in')
