# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import importlib.util

import numpy as np
import pytest

from hybrid_pose_ros.benchmarks import ann as benchmark, ann_rivals
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.layout import state_layout
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.networks.initializer import StateInitializer

pytestmark = pytest.mark.timing

pytest.importorskip('torch')

EDGE = preset('edge')
RIVALS = ('onnxruntime', 'openvino')


def is_installed(*names):
    """Return whether all of these can be imported."""
    return all(map(importlib.util.find_spec, names))


@pytest.fixture(scope='module')
def result():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark.os, 'sched_getaffinity', lambda _: {0})
        patch.setattr(benchmark, 'CALIBRATION_US', 300_000)
        patch.setattr(benchmark, 'PRODUCTS', 1)  # 2 s each without instructions for bfloat16
        return benchmark.ann_benchmark(person_s=0.7)


def test_ratios_follow_from_the_times(result):
    rows = result['rows']
    assert result['times_faster_than_torch_float32'] == {
        name: rows[benchmark.REFERENCE]['cpu_ms'] / row['cpu_ms'] for name, row in rows.items()}
    assert result['times_faster_than_torch_float32'][benchmark.REFERENCE] == 1


def test_only_a_row_with_the_same_answer_gets_a_ratio(result):
    limit_px = benchmark.WORSE * result['rows'][benchmark.REFERENCE]['error_px']
    for row in result['rows'].values():
        assert row['moved_px'] <= benchmark.MOVED_PX and row['error_px'] <= limit_px
    for row in result['another_answer'].values():
        assert row['moved_px'] > benchmark.MOVED_PX or row['error_px'] > limit_px


def test_every_library_is_measured_or_named_as_missing(result):
    measured = {name.split()[0] for name in result['rows'] | result['another_answer']}
    absent = [name for name in RIVALS if not is_installed(name)]
    assert set(result['not_installed']) >= set(absent)
    if is_installed(*ann_rivals.NEEDED):
        assert measured == {'torch', *RIVALS} - set(absent)


def test_the_reference_is_as_far_from_the_truth_as_it_is_and_not_from_itself(result):
    row = result['rows'][benchmark.REFERENCE]
    assert 0 < row['error_px'] < 10
    assert row['moved_px'] == row['membranes_apart'] == row['heatmap_apart'] == 0


def test_the_node_has_time_for_frame_and_pass(result):
    node = result['node']
    assert 0 < node['of_which_frame_ms'] < node['state_ms'] <= node['state_ms_p95']
    assert 0 < node['share_of_a_core_at_30_hz'] < 0.03 * node['state_ms_p95']


@pytest.mark.parametrize('width, height', [(173, 130), (45, 34)])
@pytest.mark.parametrize('library', RIVALS)
def test_a_rival_in_float32_runs_the_same_network(library, width, height, tmp_path):
    """Random weights; sums in another order, so a few 1e-7 of the scale."""
    if not is_installed(*ann_rivals.NEEDED, library):
        pytest.skip(f'needs {library} and {", ".join(ann_rivals.NEEDED)}')
    weights = untrained(EDGE)
    frame = np.random.default_rng(0).poisson(0.2, (20, height, width)).astype(np.uint16)
    expected, found = ({name: np.full(shape, np.nan, np.float32) for name, shape
                        in state_layout(EDGE, width, height).items()} for _ in range(2))
    StateInitializer(weights).initialize_into(frame, expected)
    model = ann_rivals.write_onnx(weights, frame, tmp_path / 'ann.onnx')
    run = (ann_rivals.onnx_runtime_pass(model, 1) if library == 'onnxruntime'
           else ann_rivals.openvino_pass(model, 'f32', 1))
    run(frame, found)
    for name, tensor in expected.items():
        np.testing.assert_allclose(found[name], tensor, rtol=0, atol=2e-5 * np.abs(tensor).max())
