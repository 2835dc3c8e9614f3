# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Times an ANN pass, from frame to state, in the initializer and in other runtimes.

The initializer runs PyTorch in either precision. If installed, ONNX Runtime and OpenVINO run the
same weights, also in int8, calibrated on the first second. All process the same frames of a
simulated person and write the same tensors. The reference is PyTorch in float32; no speed-up is
reported for a rival whose output differs. Rows alternate frame by frame. Times are wall times, but
ratios and shares of a core use the CPU time of one thread, which excludes other processes.
"""

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_pose_ros.benchmarks.ann_rivals import Pass, Tensors, makers_of_passes
from hybrid_pose_ros.benchmarks.simulated_person import simulated_person
from hybrid_pose_ros.evaluation.metrics import distances
from hybrid_pose_ros.model.checkpoint import Checkpoint, shipped
from hybrid_pose_ros.model.layout import layer_costs, state_layout
from hybrid_pose_ros.pose.heatmaps import locate_joints
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import InputGeometry, input_geometry
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.state_producer import Frame, StateProducer

PERSON_S = 5.0
PERIOD_US = 33_000
CALIBRATION_US = 1_000_000
WARM_UP = 5
LIMIT_MS = 3000
"""Time after which no new pass is started, since two threads of PyTorch starve on a busy core."""

REFERENCE = 'torch float32'

MOVED_PX = 0.3
"""An output counts as the same if its joints are on average within this of the reference's ..."""
WORSE = 1.01
"""... and its error is at most this times as large. Rounding to 8 bits meets both limits."""

MATRIX, PRODUCTS = 1024, 20
"""Size of the matrices, and number of multiplications, of which the fastest counts."""


def ann_benchmark(person_s: float | None = None) -> dict[str, Any]:
    """Measure `edge` on the input of a DAVIS346, with one thread and with one thread per core.

    Args:
        person_s: duration of the simulated recording; None: PERSON_S.

    Returns:
        The speed-up over PyTorch in float32 of each row with the same output; the node's cost per
        state; these rows; the rows with different output; the packages that are not installed; and
        what bounds the times.
    """
    import torch
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _benchmark(shipped('edge'), simulated_person(person_s or PERSON_S))
    finally:
        torch.set_num_threads(before)


def _benchmark(weights: Checkpoint, person: LabeledRecording) -> dict[str, Any]:
    producer = StateProducer(weights, InitializerParams(), person.width, person.height)
    frames, node = _frames(producer, person)
    calibration = [frame.counts for frame in frames
                   if frame.sensor_time_us < person.start_us + CALIBRATION_US]
    frames = frames[len(calibration):]
    geometry = input_geometry(weights.preset, person.width, person.height)
    maps = state_layout(weights.preset, geometry.width, geometry.height)
    tensors = {name: np.zeros(shape, np.float32) for name, shape in maps.items()}
    with tempfile.TemporaryDirectory() as folder:
        makers, missing = makers_of_passes(weights, calibration, Path(folder))
        rows, passes = {}, {}
        for name, make in makers.items():
            begun = time.perf_counter()
            passes[name] = make(1)
            passes[name](frames[0].counts, tensors)
            rows[name] = {'ready_s': time.perf_counter() - begun}
        answers = _answers(passes, frames, tensors, weights.preset.logits)
        judged = _judge(answers, frames, person)
        for threads in sorted({1, len(os.sched_getaffinity(0))}):
            passes = passes if threads == 1 else _with_threads(makers, threads)
            for name, (wall_ms, cpu_ms) in _times_ms(passes, frames, tensors).items():
                median, p95 = map(float, np.percentile(wall_ms, (50, 95)))
                rows[name] |= {f'ms_{threads}_threads': median, f'ms_{threads}_threads_p95': p95}
                rows[name].setdefault('cpu_ms', float(np.median(cpu_ms)))  # with one thread
    rows = {name: judged[name] | row for name, row in rows.items()}
    same = {name: row for name, row in rows.items() if _is_same(row, rows[REFERENCE])}
    return {
        'times_faster_than_torch_float32': {
            name: rows[REFERENCE]['cpu_ms'] / row['cpu_ms'] for name, row in same.items()},
        'node': node, 'rows': same,
        'another_answer': {name: row for name, row in rows.items() if name not in same},
        'not_installed': missing, 'frames': len(frames),
        'bound': _bound(weights, geometry, same),
    }


def _frames(producer: StateProducer,
            person: LabeledRecording) -> tuple[list[Frame], dict[str, Any]]:
    """Return the node's input frames, one every PERIOD_US, and its cost per state."""
    tensors = {name: np.zeros(shape, np.float32) for name, shape in producer.layout.items()}
    frames, frame_ms, run_ms, cpu_ms, fed_us = [], [], [], [], 0
    producer.warm_up()
    for at_us in range(person.start_us + PERIOD_US, person.end_us, PERIOD_US):
        producer.append(person.events_between(fed_us, at_us))
        fed_us, begun, cpu_begun = at_us, time.perf_counter(), time.process_time()
        if not producer.is_due() or (frame := producer.frame()) is None:
            continue
        framed = time.perf_counter()
        producer.run_into(frame, tensors)
        frame_ms.append(1e3 * (framed - begun))
        run_ms.append(1e3 * (time.perf_counter() - framed))
        cpu_ms.append(1e3 * (time.process_time() - cpu_begun))
        frames.append(frame)
    state_ms = np.add(frame_ms, run_ms)
    return frames, {'precision': producer.precision,
                    'share_of_a_core_at_30_hz': 0.03 * float(np.median(cpu_ms)),
                    'state_ms': float(np.median(state_ms)),
                    'state_ms_p95': float(np.percentile(state_ms, 95)),
                    'of_which_frame_ms': float(np.median(frame_ms))}


def _answers(passes: Mapping[str, Pass], frames: Sequence[Frame], tensors: Tensors,
             logits: bool) -> dict[str, dict[str, Any]]:
    """Return each row's joints (T, J, 2) [px] and, by map, its difference from the reference."""
    joints: dict[str, list[np.ndarray]] = {name: [] for name in passes}
    apart = {name: dict.fromkeys(tensors, 0.0) for name in passes}
    scale = dict.fromkeys(tensors, 0.0)
    for frame in frames:
        passes[REFERENCE](frame.counts, tensors)
        exact = {name: tensor.copy() for name, tensor in tensors.items()}
        for row, run in passes.items():
            run(frame.counts, tensors)
            cells, _ = locate_joints(tensors['heatmap'], logits)
            joints[row].append(frame.geometry.to_px(cells))
            for name, tensor in tensors.items():
                apart[row][name] += float(np.abs(tensor - exact[name]).mean())
        for name, tensor in exact.items():
            scale[name] += float(np.abs(tensor).mean())
    return {row: {'joints_px': np.array(joints[row]),
                  'apart': {name: apart[row][name] / scale[name] for name in scale}}
            for row in passes}


def _judge(answers: Mapping[str, dict[str, Any]], frames: Sequence[Frame],
           person: LabeledRecording) -> dict[str, dict[str, float]]:
    """Return each row's difference from the reference and from the ground truth."""
    truth, counted, _ = person.joints_at(np.array([frame.sensor_time_us for frame in frames]))
    rows = {}
    for row, answer in answers.items():
        moved_px = np.linalg.norm(answer['joints_px'] - answers[REFERENCE]['joints_px'], axis=-1)
        membranes = [share for name, share in answer['apart'].items() if name != 'heatmap']
        rows[row] = {
            'error_px': float(np.nanmean(distances(answer['joints_px'], truth, counted))),
            'moved_px': float(moved_px.mean()), 'moved_px_p99': float(np.percentile(moved_px, 99)),
            'membranes_apart': max(membranes), 'heatmap_apart': answer['apart']['heatmap']}
    return rows


def _is_same(row: Mapping[str, float], reference: Mapping[str, float]) -> bool:
    return row['moved_px'] <= MOVED_PX and row['error_px'] <= WORSE * reference['error_px']


def _with_threads(makers: Mapping[str, Callable[[int], Pass]], threads: int) -> dict[str, Pass]:
    import torch
    torch.set_num_threads(threads)
    return {name: make(threads) for name, make in makers.items()}


def _times_ms(passes: Mapping[str, Pass], frames: Sequence[Frame],
              tensors: Tensors) -> dict[str, tuple[Sequence[float], Sequence[float]]]:
    """Return the wall and CPU times of each row's passes."""
    times_ms: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in passes}
    for frame in [*frames[:WARM_UP], *frames]:
        for name, run in passes.items():
            wall_ms, cpu_ms = times_ms[name]
            if len(wall_ms) <= WARM_UP or sum(wall_ms) < LIMIT_MS:
                begun, cpu_begun = time.perf_counter(), time.process_time()
                run(frame.counts, tensors)
                cpu_ms.append(1e3 * (time.process_time() - cpu_begun))
                wall_ms.append(1e3 * (time.perf_counter() - begun))
    return {name: (wall_ms[WARM_UP:], cpu_ms[WARM_UP:])
            for name, (wall_ms, cpu_ms) in times_ms.items()}


def _bound(weights: Checkpoint, geometry: InputGeometry,
           rows: Mapping[str, dict[str, float]]) -> dict[str, Any]:
    """Return billions of products per second, for each row and for large matrices in PyTorch."""
    import torch
    macs = sum(layer.macs for layer in layer_costs(weights.preset, geometry.width, geometry.height)
               if not layer.name.startswith('snn.'))
    torch.set_num_threads(1)
    limits = {}
    for name in ('float32', 'bfloat16'):
        matrix = torch.ones((MATRIX, MATRIX), dtype=getattr(torch, name))
        times_s = []
        for _ in range(PRODUCTS):
            begun = time.perf_counter()
            torch.mm(matrix, matrix)
            times_s.append(time.perf_counter() - begun)
        limits[f'matrices {name}'] = MATRIX ** 3 / min(times_s) * 1e-9
    return {'by': "the core's products: float32, or twice as many in bfloat16", 'macs': macs,
            'giga_macs_per_s': limits | {name: macs / row['cpu_ms'] * 1e-6
                                         for name, row in rows.items()}}
