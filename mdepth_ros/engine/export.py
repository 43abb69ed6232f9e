# Copyright 2026 mdepth_ros maintainers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""The parts of a model as files for other runtimes, with a description for people who use them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
import inspect
import json
from pathlib import Path
from typing import Any, Literal

from mdepth_ros.config import ModelConfig
from mdepth_ros.errors import MdepthError, writing
from mdepth_ros.networks.canonical import depth_per_canonical
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.parts import example_inputs, Part, parts_of
from mdepth_ros.whole_file import require_room, write_whole
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

Format = Literal['onnx', 'openvino']
DESCRIPTION = 'mdepth.json'
# Largest difference to PyTorch, of the largest value.
TOLERANCE = 1e-3
PURPOSES = {
    'single_frame': "S-DepthNet: image in [0, 1] -> the canonical camera's depth, features",
    'describe': 'image in [0, 1] -> what matching needs of it, kept for later frames',
    'fuse': 'a frame, one or more earlier ones -> depth [network units], confidence in [0, 1]',
    'unmatched': 'the confidence of single-frame depth without an earlier frame',
    'motion': 'PoseNet: earlier and later image -> T_later_earlier [network units]',
}
NOTES = (
    'All tensors are float32. Depth and translations are in network units: metres are scale times '
    'them. single_depth is canonical_depth times depth_per_focal times the square root of fx fy, '
    'or canonical_depth itself where depth_per_focal is null. K is at the size of the image, its '
    'integer coordinates are pixel centres. small is the image averaged over 5 x 5 pixels around '
    'every fourth pixel of every fourth row, borders over what is there. T_source_target maps '
    'points of the frame into the earlier one; a motion from followed points has the unit of the '
    'depth that they were lifted by.')


@dataclass(frozen=True)
class Exported:
    """A part's ``file``, and the largest ``error`` of its outputs against PyTorch, relative."""

    part: str
    file: str
    error: float


def export(
    model: DepthModel, folder: Path, kind: Format, width: int, height: int, sources: int,
    blended: bool,
) -> list[Exported]:
    """
    Write every part, run it, and compare.

    :param model: in eval mode, on the CPU.
    :param folder: gets the files and ``mdepth.json``.
    :param kind: of files.
    :param width: of the networks' input [px].
    :param height: of the networks' input [px].
    :param sources: frames that ``fuse`` matches with.
    :param blended: see :class:`mdepth_ros.networks.parts.Fuse`.
    :return: the parts.
    :raises MdepthError: if the converter is not installed, a part differs from PyTorch, or the
        folder takes no files.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        require_room(folder)
        # An older one would describe parts that are about to be replaced.
        (folder / DESCRIPTION).unlink(missing_ok=True)
    parts = parts_of(model, blended)
    inputs = example_inputs(parts, width, height, sources)
    described, exported = {}, []
    for name, part in parts.items():
        names = list(inspect.signature(part.forward).parameters)
        with torch.no_grad():
            expected = part(*inputs[name])
        path = folder / f'{name}.{"onnx" if kind == "onnx" else "xml"}'
        found = (_onnx if kind == 'onnx' else _openvino)(part, inputs[name], path, names)
        # Unlike max(), np.max() is NaN where any of them is, which is no small error either.
        error = float(np.max([float((torch.from_numpy(a) - b).abs().max() / b.abs().max())
                              for a, b in zip(found, expected)]))
        if not error < TOLERANCE:
            path.unlink()
            path.with_suffix('.bin').unlink(missing_ok=True)
            raise MdepthError(f'{path} differs from PyTorch by {error:.1e} of its largest value')
        exported.append(Exported(name, path.name, error))
        described[name] = {
            'file': path.name, 'does': PURPOSES[name],
            'inputs': _shapes(names, inputs[name]), 'outputs': _shapes(part.outputs, expected)}
    text = {'notes': NOTES, 'width': width, 'height': height, 'sources': sources,
            'method': 'robust' if blended else 'published', 'parts': described,
            'depth_per_focal': _depth_per_focal(model.config, width, height),
            'model': asdict(model.config)}
    write_whole(folder / DESCRIPTION, (json.dumps(text, indent=2) + '\n').encode())
    return exported


def _depth_per_focal(config: ModelConfig, width: int, height: int) -> float | None:
    """Say what a focal length of one pixel makes of the canonical camera's depth."""
    if not config.canonical_focal:
        return None
    return float(depth_per_canonical(config, torch.eye(3)[None], height, width))


def _shapes(names: Sequence[str], tensors: Sequence[Tensor]) -> list[dict[str, Any]]:
    """Names and shapes, in order."""
    return [{'name': name, 'shape': list(tensor.shape)} for name, tensor in zip(names, tensors)]


def _onnx(part: Part, inputs: tuple[Tensor, ...], path: Path, names: Sequence[str]
          ) -> list[NDArray[Any]]:
    """Write, and run by ONNX Runtime."""
    try:
        from mdepth_ros.engine.backends.onnx_backend import write_onnx
        import onnx  # noqa: F401
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MdepthError(f'the format onnx needs onnx, onnxscript and onnxruntime: {error}'
                          ) from error
    write_onnx(part, inputs, path, names, part.outputs)
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return list(session.run(list(part.outputs), {
        name: x.numpy() for name, x in zip(names, inputs)}))


def _openvino(part: Part, inputs: tuple[Tensor, ...], path: Path, names: Sequence[str]
              ) -> list[NDArray[Any]]:
    """Write, and run by OpenVINO."""
    try:
        from mdepth_ros.engine.backends.openvino_backend import write_openvino
    except ImportError as error:
        raise MdepthError(f'the format openvino needs openvino: {error}') from error
    write_openvino(part, inputs, path, names, part.outputs)
    import openvino  # after the backends, which keep it from reporting what it does
    compiled = openvino.Core().compile_model(path, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
    answer = compiled({name: x.contiguous().numpy() for name, x in zip(names, inputs)})
    return [answer[name] for name in part.outputs]
