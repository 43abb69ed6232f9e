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

"""The method cut where frames, motion and time come in: what backends run and exporters write."""

from collections.abc import Mapping

from mdepth_ros.geometry.intrinsics import intrinsics_from_fov, stride_intrinsics
from mdepth_ros.networks.canonical import canonical_depth
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.evidence import matching_evidence, no_evidence, thumbnail
from mdepth_ros.networks.features import ImageFeatures, MATCHING_STRIDE
from mdepth_ros.networks.hypotheses import downsample_nearest
from mdepth_ros.networks.precision import lower_precision
import torch
from torch import nn, Tensor


class Part(nn.Module):
    """
    A piece of a model; its text says all that its answers depend on beside the weights.

    It returns a tuple, whose members ``outputs`` names in order.
    """

    outputs: tuple[str, ...] = ()

    def __init__(self, model: DepthModel) -> None:
        super().__init__()
        self.config = model.config

    def extra_repr(self) -> str:
        """Return what ``repr`` shows of it."""
        return str(self.config)


class SingleFrame(Part):
    """
    S-DepthNet: (1, 3, H, W) image -> (1, 1, H, W) depth, (1, h, w, C) features.

    The depth is for the canonical camera, see :func:`depth_per_canonical`.
    """

    outputs = ('canonical_depth', 'features')

    def __init__(self, model: DepthModel) -> None:
        super().__init__(model)
        self.net = model.single

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Image in [0, 1] to the canonical camera's depth, and what it was read from."""
        disparity, features = self.net(image)
        return canonical_depth(disparity, self.config), _channels_last(features)


class Describe(Part):
    """
    What matching needs of a frame, at 1/4 of its size.

    (1, C, h, w) features, (1, h, w, 32) context and (1, 3, h, w) :func:`thumbnail`.
    """

    outputs = ('matching', 'context', 'thumbnail')

    def __init__(self, model: DepthModel) -> None:
        super().__init__(model)
        self.net = model.multi.feature_net

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(1, 3, H, W) image in [0, 1] to matching, context and thumbnail."""
        features = self.net(image)
        return features.matching, _channels_last(features.context), thumbnail(image)


class Fuse(Part):
    """
    M-DepthNet and TrustNet.

    :param blended: whether the depth is TrustNet's blend, or M-DepthNet's as published.
    """

    outputs = ('depth', 'confidence')

    def __init__(self, model: DepthModel, blended: bool) -> None:
        super().__init__(model)
        self.multi, self.trust, self.blended = model.multi, model.trust, blended

    def extra_repr(self) -> str:
        """Return what ``repr`` shows of it."""
        return f'{super().extra_repr()}, blended={self.blended}'

    def forward(
        self, matching: Tensor, context: Tensor, small: Tensor, source_matching: Tensor,
        source_small: Tensor, single_depth: Tensor, single_features: Tensor, K: Tensor,
        T_source_target: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """
        Match a frame with its sources, the best first.

        :param matching: (1, C, h, w) features of the target.
        :param context: (1, h, w, 32) of the target.
        :param small: (1, 3, h, w) its :func:`thumbnail`.
        :param source_matching: (1, S, C, h, w) features of the sources.
        :param source_small: (1, 3, h, w) thumbnail of the best one.
        :param single_depth: (1, 1, H, W) D_s of the target.
        :param single_features: (1, h, w, C) what it was read from.
        :param K: (1, 3, 3) intrinsics at H x W [px].
        :param T_source_target: (1, S, 4, 4) motions, in the unit of D_s.
        :return: (1, 1, H, W) depth in that unit, and its confidence in [0, 1].
        """
        K = stride_intrinsics(K, MATCHING_STRIDE)
        target = ImageFeatures(matching, _channels_first(context))
        matched = self.multi(target, source_matching, single_depth, K, T_source_target)
        trust = self.trust(
            matching_evidence(matched, downsample_nearest(single_depth, *small.shape[-2:]), small,
                              source_small, K, T_source_target[:, 0]),
            matched.depth, single_depth, _channels_first(single_features))
        return (trust.depth if self.blended else matched.depth), trust.confidence


class Unmatched(Part):
    """TrustNet without a source: the confidence of D_s."""

    outputs = ('confidence',)

    def __init__(self, model: DepthModel) -> None:
        super().__init__(model)
        self.trust = model.trust

    def forward(self, small: Tensor, single_depth: Tensor, single_features: Tensor
                ) -> tuple[Tensor]:
        """Thumbnail, D_s and its features to (1, 1, H, W) confidence in [0, 1]."""
        evidence = no_evidence(downsample_nearest(single_depth, *small.shape[-2:]), small)
        confidence: Tensor = self.trust(evidence, single_depth, single_depth,
                                        _channels_first(single_features)).confidence
        return confidence,


class Motion(Part):
    """PoseNet: two (1, 3, H, W) images, the earlier first -> (1, 4, 4) T_later_earlier."""

    outputs = ('T_later_earlier',)

    def __init__(self, model: DepthModel) -> None:
        super().__init__(model)
        self.net = model.pose

    def forward(self, earlier: Tensor, later: Tensor) -> tuple[Tensor]:
        """Motion in the unit of the depth."""
        return self.net.motion(earlier, later),


def _channels_last(x: Tensor) -> Tensor:
    """(B, C, h, w) to (B, h, w, C), as convolutions compute: what passes on is not copied."""
    return x.permute(0, 2, 3, 1)


def _channels_first(x: Tensor) -> Tensor:
    """(B, h, w, C) to (B, C, h, w)."""
    return x.permute(0, 3, 1, 2)


def parts_of(
    model: DepthModel, blended: bool, dtype: torch.dtype = torch.float32
) -> dict[str, Part]:
    """
    Cut a model into its parts.

    :param model: in eval mode.
    :param blended: see :class:`Fuse`.
    :param dtype: of the convolutions, see :func:`lower_precision`.
    :return: the parts by name; ``motion`` only where the depth is the published one, ``describe``
        and ``fuse`` only where there is an M-DepthNet.
    """
    model = lower_precision(model, dtype)
    parts: dict[str, Part] = {'single_frame': SingleFrame(model), 'unmatched': Unmatched(model)}
    if model.config.multi_frame:
        parts |= {'describe': Describe(model), 'fuse': Fuse(model, blended)}
    if not blended:
        parts['motion'] = Motion(model)
    return {name: part.eval() for name, part in parts.items()}


@torch.no_grad()
def example_inputs(
    parts: Mapping[str, nn.Module], width: int, height: int, sources: int = 1
) -> dict[str, tuple[Tensor, ...]]:
    """
    Make up what the parts could be given: two views of noise.

    :param parts: of a model, on the CPU.
    :param width: of the images [px].
    :param height: of the images [px].
    :param sources: S.
    :return: the inputs of each part, by name.
    """
    generator = torch.Generator().manual_seed(0)
    image, other = (torch.rand(1, 3, height, width, generator=generator) for _ in range(2))
    depth, features = parts['single_frame'](image)
    inputs: dict[str, tuple[Tensor, ...]] = {
        'single_frame': (image,), 'describe': (image,),
        'unmatched': (thumbnail(image), depth, features), 'motion': (other, image)}
    if 'fuse' in parts:
        description, (seen, _, small) = (parts['describe'](it) for it in (image, other))
        K = intrinsics_from_fov(80.0, width, height)[None]
        T = torch.eye(4).repeat(1, sources, 1, 1)
        T[..., 0, 3] = 0.05 * depth.median()
        inputs['fuse'] = (
            *description, seen[:, None].repeat(1, sources, 1, 1, 1), small, depth, features, K, T)
    return {name: inputs[name] for name in parts}
