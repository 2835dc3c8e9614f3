# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ANN and its heads in PyTorch, ONNX Runtime and OpenVINO, for comparison in `ann`."""

import contextlib
import importlib.util
import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from hybrid_pose_ros.model.checkpoint import Checkpoint

Tensors = dict[str, np.ndarray]
Pass = Callable[[np.ndarray, Tensors], None]
"""Function from a frame (2 * bins, H, W) to the tensors of `state_layout`, which it overwrites."""

NEEDED = ('onnx', 'onnxscript')
"""Packages for writing the model for the rivals."""

QUANTILE = 99.99
"""Percentage of a map's values that its int8 range covers."""


def makers_of_passes(weights: Checkpoint, calibration: Sequence[np.ndarray],
                     folder: Path) -> tuple[dict[str, Callable[[int], Pass]], list[str]]:
    """Return a factory of each row's pass for a number of threads, and the missing packages."""
    makers: dict[str, Callable[[int], Pass]] = {
        f'torch {precision}': partial(torch_pass, weights, precision)
        for precision in ('float32', 'bfloat16')}
    lacking = [name for name in NEEDED if not importlib.util.find_spec(name)]
    rivals = ('onnxruntime', 'openvino')
    absent = [name for name in rivals if not importlib.util.find_spec(name)]
    if lacking or len(absent) == len(rivals):
        return makers, lacking + absent
    model = write_onnx(weights, calibration[0], folder / 'ann.onnx')
    models = {'float32': model}
    if 'onnxruntime' not in absent:
        models['int8'] = _quantize(model, calibration, folder / 'int8.onnx')
        makers |= {f'onnxruntime {name}': partial(onnx_runtime_pass, path)
                   for name, path in models.items()}
    if 'openvino' not in absent:
        makers |= {f'openvino {name}': partial(openvino_pass, path, 'f32')
                   for name, path in models.items()}
        makers['openvino bfloat16'] = partial(openvino_pass, model, 'bf16')
    return makers, absent


def torch_pass(weights: Checkpoint, precision: str, threads: int) -> Pass:
    """Return the pass of the initializer; the thread count is torch's and thus global."""
    from hybrid_pose_ros.networks.initializer import StateInitializer
    return StateInitializer(weights, precision).initialize_into


def onnx_runtime_pass(model: Path, threads: int) -> Pass:
    """Return the pass of a model in ONNX Runtime, which does not support bfloat16 on CPUs."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    session = onnxruntime.InferenceSession(model, options, providers=['CPUExecutionProvider'])
    source, = (node.name for node in session.get_inputs())
    outputs = [node.name for node in session.get_outputs()]

    def run(frame: np.ndarray, tensors: Tensors) -> None:
        binding = session.io_binding()
        binding.bind_cpu_input(source, frame.astype(np.float32))
        for name, tensor in zip(outputs, tensors.values(), strict=True):
            binding.bind_output(name, 'cpu', 0, np.float32, tensor.shape, tensor.ctypes.data)
        session.run_with_iobinding(binding)
    return run


def openvino_pass(model: Path, precision: str, threads: int) -> Pass:
    """Return the pass of a model in OpenVINO; precision is f32 or bf16."""
    import openvino
    compiled = openvino.Core().compile_model(model, 'CPU', {
        'INFERENCE_NUM_THREADS': threads, 'INFERENCE_PRECISION_HINT': precision,
        'ENABLE_CPU_PINNING': False})
    request = compiled.create_infer_request()

    def run(frame: np.ndarray, tensors: Tensors) -> None:
        for index, tensor in enumerate(tensors.values()):
            request.set_output_tensor(index, openvino.Tensor(tensor, shared_memory=True))
        request.infer([frame.astype(np.float32)], share_inputs=True)
    return run


def write_onnx(weights: Checkpoint, frame: np.ndarray, path: Path) -> Path:
    """Write the network, norms folded, that maps a frame to the tensors of `state_layout`."""
    import torch

    from hybrid_pose_ros.networks.blocks import fold_norms
    from hybrid_pose_ros.networks.hybrid import Hybrid

    class Initialization(torch.nn.Module):
        """Computes the state in the layout of a ring slot."""

        def __init__(self):
            super().__init__()
            self.hybrid = Hybrid.from_checkpoint(weights)
            fold_norms(self.hybrid)

        def forward(self, frame):
            state = self.hybrid.initialize(frame[None])
            maps = [*(layer.membrane for layer in state.layers), state.held]
            return tuple(tensor[0].permute(1, 2, 0) for tensor in maps)

    with torch.no_grad():
        torch.onnx.export(Initialization().eval(), (torch.from_numpy(frame.astype(np.float32)),),
                          path, dynamo=True, external_data=False, verbose=False)
    return path


def _quantize(model: Path, calibration: Sequence[np.ndarray], path: Path) -> Path:
    """Write the model with convolutions in int8, whose ranges are calibrated on some frames."""
    from onnxruntime import InferenceSession, quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    source, = (node.name for node in InferenceSession(model).get_inputs())

    class Frames(quantization.CalibrationDataReader):
        """Yields the calibration frames one by one."""

        def __init__(self):
            self._frames = iter(calibration)

        def get_next(self):
            frame = next(self._frames, None)
            return None if frame is None else {source: frame.astype(np.float32)}

    prepared = path.with_suffix('.prepared.onnx')
    with contextlib.redirect_stdout(io.StringIO()):  # it prints each step
        quant_pre_process(model, prepared, skip_symbolic_shape=True)
        quantization.quantize_static(
            prepared, path, Frames(), quant_format=quantization.QuantFormat.QDQ, per_channel=True,
            op_types_to_quantize=['Conv'], weight_type=quantization.QuantType.QInt8,
            activation_type=quantization.QuantType.QUInt8,
            calibrate_method=quantization.CalibrationMethod.Percentile,
            extra_options={'CalibPercentile': QUANTILE})
    return path
