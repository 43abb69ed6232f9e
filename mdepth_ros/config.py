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

"""What a model is made of: frozen dataclasses, checked when they are made."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from reprlib import repr as short
import sys
from typing import Any, get_args, Literal

Profile = Literal['paper', 'lite', 'monodepth2', 'movedepth']
Encoder = Literal['hrnet18', 'resnet18', 'efficientnet_lite0']
SingleFrameDecoder = Literal['fusion', 'unet', 'light']
Regulariser = Literal['unet3d', 'unet2d']
Padding = Literal['zeros', 'replicate']
Method = Literal['robust', 'published']
Backend = Literal['auto', 'torch', 'cuda', 'openvino', 'onnxruntime', 'tensorrt']

REDUCTION = 8  # of the volume inside of unet3d, along the hypotheses as along the image
MOST_SIDE = 8192  # [px]
MOST_VOLUME = 8192  # values of a pixel in the cost volume


@dataclass(frozen=True)
class ModelConfig:
    """
    Architecture of S-DepthNet, PoseNet and M-DepthNet, stored with every checkpoint.

    ``single_encoder`` and ``single_decoder`` make S-DepthNet, ``pose_encoder`` PoseNet; the rest
    is M-DepthNet's, which is absent where ``multi_frame`` is false. ``width`` and ``height`` [px]
    are the size it was trained at, delta's too. S-DepthNet sees larger images reduced until the
    shorter side has ``single_side`` [px], 0 for as they are. ``min_depth`` and ``max_depth`` [m]
    bound the disparity, of a camera whose focal length in what S-DepthNet sees is
    ``canonical_focal`` [px], with that of others in proportion; 0 is the same depth for all.
    PoseNet does not know the focal length: along z it fits cameras like those it learned from.
    ``scale`` is metres per network unit.
    """

    profile: Profile
    single_encoder: Encoder
    single_decoder: SingleFrameDecoder
    pose_encoder: Encoder
    regulariser: Regulariser
    upsampler_padding: Padding
    matching_channels: int = 32
    groups: int = 16
    hypotheses: int = 16
    width: int = 640
    height: int = 192
    single_side: int = 160
    canonical_focal: float = 0.0
    min_depth: float = 0.1
    max_depth: float = 100.0
    scale: float = 1.0
    multi_frame: bool = True

    def __post_init__(self) -> None:
        problems = [
            f'{name} must be a whole number, got {short(getattr(self, name))}'
            for name in ('matching_channels', 'groups', 'hypotheses', 'width', 'height',
                         'single_side')
            if type(getattr(self, name)) is not int
        ] + [
            f'{name} must be a finite number, got {short(getattr(self, name))}'
            for name in ('canonical_focal', 'min_depth', 'max_depth', 'scale')
            if not _is_finite(getattr(self, name))
        ]
        if type(self.multi_frame) is not bool:
            problems.append(f'multi_frame must be true or false, got {short(self.multi_frame)}')
        if problems:
            raise ValueError('ModelConfig: ' + '; '.join(problems))
        problems = [
            f'{name} must be one of {get_args(kind)}, got {short(getattr(self, name))}'
            for name, kind in (('profile', Profile), ('single_encoder', Encoder),
                               ('pose_encoder', Encoder), ('single_decoder', SingleFrameDecoder),
                               ('regulariser', Regulariser), ('upsampler_padding', Padding))
            if getattr(self, name) not in get_args(kind)
        ]
        if self.width % 32 or self.height % 32 or self.width <= 0 or self.height <= 0:
            problems.append(f'width and height must be positive multiples of 32, '
                            f'got {self.width} x {self.height}')
        if self.single_side % 32 or self.single_side < 0:
            problems.append(f'single_side must be a multiple of 32, or 0, got {self.single_side}')
        if self.groups <= 0 or self.matching_channels % self.groups:
            problems.append(f'matching_channels must be a multiple of groups, '
                            f'got {self.matching_channels} and {self.groups}')
        if self.hypotheses < 4:
            problems.append(f'hypotheses must be at least 4, got {self.hypotheses}')
        if self.regulariser == 'unet3d' and self.hypotheses % REDUCTION:
            problems.append(f'hypotheses must be a multiple of {REDUCTION} for unet3d, '
                            f'got {self.hypotheses}')
        # Beyond these a file of a few bytes would take the memory of the whole computer.
        if max(self.width, self.height) > MOST_SIDE:
            problems.append(f'width and height must be at most {MOST_SIDE}, '
                            f'got {self.width} x {self.height}')
        if self.matching_channels * self.hypotheses > MOST_VOLUME:
            problems.append(f'matching_channels times hypotheses must be at most {MOST_VOLUME}, '
                            f'got {self.matching_channels} and {self.hypotheses}')
        if not 0.0 < self.min_depth < self.max_depth:
            problems.append(f'need 0 < min_depth < max_depth, '
                            f'got {self.min_depth} and {self.max_depth}')
        if self.canonical_focal < 0.0:
            problems.append(f'canonical_focal must be >= 0, got {self.canonical_focal}')
        if not self.scale > 0.0:
            problems.append(f'scale must be > 0, got {self.scale}')
        if problems:
            raise ValueError('ModelConfig: ' + '; '.join(problems))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, for a checkpoint's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> 'ModelConfig':
        """
        Build from plain values.

        :param values: field names and values; those with a default may be missing.
        :raises ValueError: if a key is unknown or missing, or a value is out of range.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f'ModelConfig: unknown keys {short(unknown)}, '
                             f'known are {sorted(known)}')
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f'ModelConfig: {error}') from error


def _is_finite(value: object) -> bool:
    """Tell finite numbers from NaN, Inf, text and booleans, which are ints in Python."""
    return (isinstance(value, int | float) and not isinstance(value, bool)
            and abs(value) <= sys.float_info.max)


def paper_config() -> ModelConfig:
    """Return the networks of Xiang et al. (RA-L 2023), as published."""
    return ModelConfig('paper', 'hrnet18', 'fusion', 'resnet18', 'unet3d', 'zeros',
                       single_side=0)


def lite_config() -> ModelConfig:
    """Return our default: the same method on EfficientNet-Lite0 and a 2-D regulariser."""
    return ModelConfig('lite', 'efficientnet_lite0', 'light', 'efficientnet_lite0', 'unet2d',
                       'replicate', canonical_focal=150.0, max_depth=200.0)


@dataclass(frozen=True)
class EngineConfig:
    """
    How the estimator runs a model.

    The network's input is ``width`` x ``height`` [px], or, where these are 0, the size of the
    camera's aspect that has at most ``pixel_budget`` pixels. ``rectify`` undoes the lens
    distortion first; without it the image is taken as rectified. A pause of more than
    ``max_gap_s`` [s] empties the frame buffer. ``scale`` is metres per network unit, 0 for the
    checkpoint's own. ``backend`` runs the networks: ``torch`` is PyTorch as it is, ``cuda`` its
    graphs in half precision, ``auto`` the latter on a GPU and OpenVINO, where it is installed, on
    a CPU; ``threads`` are the cores that it uses, 0 for all. ``method`` is
    ``robust``, which matches with up to ``sources`` past frames, or the ``published`` one.
    """

    device: str = 'auto'
    method: Method = 'robust'
    sources: int = 2
    pixel_budget: int = 640 * 192
    width: int = 0
    height: int = 0
    rectify: bool = False
    max_gap_s: float = 10.0
    scale: float = 0.0
    backend: Backend = 'auto'
    threads: int = 0

    def __post_init__(self) -> None:
        problems = []
        if self.method not in get_args(Method):
            problems.append(f'method must be one of {get_args(Method)}, got {self.method!r}')
        if self.backend not in get_args(Backend):
            problems.append(f'backend must be one of {get_args(Backend)}, got {self.backend!r}')
        if self.threads < 0:
            problems.append(f'threads must be >= 0, got {self.threads}')
        if not 1 <= self.sources <= 3:
            problems.append(f'sources must be in [1, 3], got {self.sources}')
        if self.pixel_budget < 64 * 64:
            problems.append(f'pixel_budget must be at least {64 * 64}, got {self.pixel_budget}')
        if (self.width == 0) != (self.height == 0):
            problems.append(f'set both of width and height or neither, '
                            f'got {self.width} and {self.height}')
        for name in ('width', 'height'):
            size = getattr(self, name)
            if size < 0 or size % 32 or 0 < size < 64:
                problems.append(f'{name} must be 0 or a multiple of 32 from 64 on, got {size}')
        if not self.max_gap_s > 0:
            problems.append(f'max_gap_s must be > 0, got {self.max_gap_s}')
        if not self.scale >= 0:
            problems.append(f'scale must be >= 0, got {self.scale}')
        if problems:
            raise ValueError('EngineConfig: ' + '; '.join(problems))
