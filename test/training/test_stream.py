# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes that are rendered while a network learns from them."""

import dataclasses
import multiprocessing

import numpy as np
import pytest
from labeled_clips import circling_clip
from numbered_scenes import NumberedScenes

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.checkpoint import load, untrained
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.simulation.body import joints_of
from hybrid_pose_ros.simulation.motions import GeneratedMotion
from hybrid_pose_ros.tasks.skeleton import JOINTS
from hybrid_pose_ros.training.ann import AnnStage, AnnTraining, Window
from hybrid_pose_ros.training.run import TrainingParams, train
from hybrid_pose_ros.training.stream import (
    Motions, Scenes, Stream, StreamParams, draw_region, person_of, stream_windows)

GRID = input_geometry(preset('edge'), 64, 48)
RIGHT_HAND, LEFT_HAND = JOINTS.index('handR'), JOINTS.index('handL')
PARAMS = TrainingParams(ann_iterations=4, snn_iterations=0, ann_batch=2, save_every=1,
                        device='cpu', precision='fp32', averaged=0.9)


@pytest.fixture(scope='module')
def motion(tmp_path_factory):
    """Two people: one with a file of 1 s, one with two of 2 s."""
    folder = tmp_path_factory.mktemp('motion')
    for name, seconds in (('cmu_01_walk', 1.0), ('cmu_02_run', 2.0), ('cmu_02_sit', 2.0)):
        points = GeneratedMotion(3).sample(np.arange(0, seconds, 1 / 60)).astype(np.float32)
        np.savez(folder / f'{name}.npz', body=points, joints=joints_of(points),
                 fps=np.float32(60))
    return folder


@pytest.fixture(scope='module')
def params(motion):
    return StreamParams(motion=str(motion), kind='benchmark', scene_s=0.1, kept=2, draws=4.0,
                        workers=0)


def numbers(**settings):
    return Stream(NumberedScenes(),
                  **{'kept': 4, 'scenes_per_batch': 0.5, 'workers': 0} | settings)


def test_a_batch_draws_from_the_newest_scenes_of_its_time():
    stream = numbers()
    assert [list(stream.at(batch)) for batch in range(4)] == [
        [0, 1, 2, 3], [0, 1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4]]


@pytest.mark.parametrize('order', [(7,), (0, 7), (0, 1, 2, 3, 4, 5, 6, 7), (9, 7)])
def test_the_scenes_of_a_batch_do_not_depend_on_those_before(order):
    stream = numbers()
    assert list([stream.at(batch) for batch in order][-1]) == [3, 4, 5, 6]


def test_processes_render_in_the_order_of_the_numbers():
    stream = numbers(workers=2, scenes_per_batch=1.0)
    assert [list(stream.at(batch))[-1] for batch in range(12)] == list(range(3, 15))


def test_a_rendering_process_that_ends_is_reported_in_one_line():
    stream = numbers(workers=1, scenes_per_batch=1.0)
    stream.at(0)
    for process in multiprocessing.active_children():
        process.kill()
        process.join()
    with pytest.raises(InputError, match='^a process that renders scenes ended: .*rerun'):
        for batch in range(1, 100):
            stream.at(batch)


def test_people_are_drawn_by_the_square_root_of_their_seconds(motion):
    """Files of 59/60 s, and of two times 119/60 s."""
    motions, rng = Motions(motion), np.random.default_rng(0)
    names = [motions.draw(rng).stem for _ in range(2000)]
    share = np.mean([name.startswith('cmu_02') for name in names])
    expected = np.sqrt(238) / (np.sqrt(238) + np.sqrt(59))
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 2000)


@pytest.mark.parametrize('name, person', [
    ('cmu_01_walk', 'cmu_01'), ('react_3_box', 'react_3'), ('accadF1_A08_lie', 'accadF1'),
    ('walk', 'walk'), ('_walk', '_walk')])
def test_the_name_of_a_motion_file_says_who_moves(name, person):
    """A name that starts with an underscore has no person before it: its file is one's own."""
    assert person_of(name) == person


def test_a_scene_is_a_function_of_seed_and_number(params):
    one, again, other = (Scenes(params, seed)[number] for seed, number in ((1, 5), (1, 5), (2, 5)))
    assert np.array_equal(one.events, again.events)
    assert np.array_equal(one.joints_px, again.joints_px)
    assert not np.array_equal(one.joints_px[0], other.joints_px[0])


def test_windows_hold_events_in_proportion_to_the_width_of_their_region(params):
    """Of the preset's number at two pixels a cell, more or less by 30 %, or all that there are."""
    network = preset('edge')
    network = dataclasses.replace(network, ann=dataclasses.replace(network.ann, window_events=200))
    clips = [circling_clip(seed) for seed in range(3)]

    class Ready:
        def at(self, batch):
            return clips
    draw = stream_windows(network, Ready(), GRID)
    for seed in range(30):
        window = draw(np.random.default_rng(seed), 0)
        region = draw_region_again(seed, clips)
        assert window.frame.sum() <= 1.3 * 100 * region.pixels_per_cell + 1
        assert window.labels.shape == (13, 2) and window.known.dtype == bool


def test_an_unknown_joint_is_neither_in_view_nor_absent():
    """It was penalized like an absent one. The right hand is unknown, the left one outside."""
    clip = circling_clip()
    clip.joints_px[:, RIGHT_HAND] = np.nan
    clip.visible[:, [RIGHT_HAND, LEFT_HAND]] = False

    class Ready:
        def at(self, batch):
            return [clip]
    draw = stream_windows(preset('edge'), Ready(), GRID)
    for seed in range(30):
        window = draw(np.random.default_rng(seed), 0)
        region = draw_region_again(seed, [clip])
        unknown, outside = ((LEFT_HAND, RIGHT_HAND) if region.mirrored
                            else (RIGHT_HAND, LEFT_HAND))
        assert not window.known[unknown] and not window.absent[unknown]
        assert not window.known[outside] and window.absent[outside]
        others = np.delete(np.arange(13), [RIGHT_HAND, LEFT_HAND])
        assert (window.known ^ window.absent)[others].all()


@pytest.mark.parametrize('place', [0.0, 30.0])
def test_the_place_of_an_unknown_joint_does_not_change_the_loss(place):
    """Of a batch of the ANN, with the loss for absent joints; wherever NaN would be read as."""
    torch = pytest.importorskip('torch')
    network = preset('edge')
    window = Window(np.ones((2 * network.ann.bins, 48, 64), np.uint16),
                    np.full((13, 2), 5.0, np.float32), np.arange(13) > 0, np.zeros(13, bool))
    moved = window._replace(labels=window.labels.copy())
    moved.labels[0] = place
    losses = []
    for drawn in (window, moved):
        stage = AnnStage(Hybrid.from_checkpoint(untrained(network, 0)), lambda *_, w=drawn: w,
                         AnnTraining(batch=1, precision='fp32', absent_price=1.0),
                         torch.device('cpu'))
        losses.append(stage.loss(0)[0].item())
    assert losses[0] == losses[1]


def draw_region_again(seed, clips):
    """Return the region that a seed's window was drawn with."""
    rng = np.random.default_rng(seed)
    clip = clips[rng.integers(len(clips))]
    at_us = int(rng.integers(clip.start_us + 1, clip.end_us + 1))
    while np.searchsorted(clip.events['t'], at_us) < 500:
        at_us = int(rng.integers(clip.start_us + 1, clip.end_us + 1))
    return draw_region(rng, GRID, clip, at_us)


def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(params, tmp_path):
    whole = train(PARAMS, [], tmp_path / 'whole', stream=params)

    def killed(stage, iteration, figures):
        if iteration == 1:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        train(PARAMS, [], tmp_path / 'parts', killed, stream=params)
    parts = train(PARAMS, [], tmp_path / 'parts', stream=params)
    assert all(np.array_equal(whole.tensors[name], tensor)
               for name, tensor in parts.tensors.items())
    assert whole.card['training']['stream']['motions'] == [
        'cmu_01_walk.npz', 'cmu_02_run.npz', 'cmu_02_sit.npz']
    again = train(PARAMS, [], tmp_path / 'whole', stream=params)
    assert all(np.array_equal(whole.tensors[name], tensor)
               for name, tensor in again.tensors.items())


def test_the_weights_of_a_stream_can_be_loaded(params, tmp_path):
    train(dataclasses.replace(PARAMS, ann_iterations=1), [], tmp_path / 'run',
          stream=params).save(tmp_path / 'edge.safetensors')
    assert load(tmp_path / 'edge.safetensors', 'edge').preset == preset('edge')


def test_a_folder_belongs_to_one_stream(params, tmp_path):
    short = dataclasses.replace(PARAMS, ann_iterations=1)
    train(short, [], tmp_path, stream=params)
    with pytest.raises(InputError, match='stream'):
        train(short, [], tmp_path, stream=dataclasses.replace(params, draws=5.0))
