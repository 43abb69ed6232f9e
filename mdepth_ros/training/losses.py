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

"""The self-supervised losses: photometric error, auto-mask, smoothness, distillation."""

from mdepth_ros.training.ranks.reduction import max_over_ranks, sum_over_ranks
import torch
from torch import Tensor
import torch.nn.functional as F

SSIM_WEIGHT = 0.85
SSIM_C1 = 0.01**2
SSIM_C2 = 0.03**2
# Width of the noise that decides between equal errors, such as those of a static camera.
TIE_NOISE = 1e-5
# Added to the variance of the log ratio: the square root has no slope at 0. 1e-8 is a ratio of
# 1e-4, far below what a network resolves.
DISTILLATION_EPSILON = 1e-8


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """
    Structural similarity over 3x3 means, with reflected borders.

    :param a: (B, C, H, W) image in [0, 1].
    :param b: (B, C, H, W) image in [0, 1].
    :return: (B, C, H, W) similarity in [-1, 1]; 1 where the windows agree.
    :raises ValueError: if the shapes differ or are not 4-dimensional.
    """
    _check_pair('a', a, 'b', b)
    a, b = F.pad(a, (1, 1, 1, 1), mode='reflect'), F.pad(b, (1, 1, 1, 1), mode='reflect')
    mean_a, mean_b = _mean3(a), _mean3(b)
    variance_a = _mean3(a * a) - mean_a * mean_a
    variance_b = _mean3(b * b) - mean_b * mean_b
    covariance = _mean3(a * b) - mean_a * mean_b
    numerator = (2 * mean_a * mean_b + SSIM_C1) * (2 * covariance + SSIM_C2)
    denominator = (mean_a**2 + mean_b**2 + SSIM_C1) * (variance_a + variance_b + SSIM_C2)
    return numerator / denominator


def photometric_error(a: Tensor, b: Tensor) -> Tensor:
    """
    Compare two images per pixel: 0.85 (1 - SSIM)/2 + 0.15 L1, each averaged over the channels.

    :param a: (B, C, H, W) image in [0, 1].
    :param b: (B, C, H, W) image in [0, 1].
    :return: (B, 1, H, W) error in [0, 1].
    :raises ValueError: if the shapes differ or are not 4-dimensional.
    """
    dissimilarity = ((1 - ssim(a, b)) / 2).clamp(0, 1).mean(dim=1, keepdim=True)
    difference = (a - b).abs().mean(dim=1, keepdim=True)
    return SSIM_WEIGHT * dissimilarity + (1 - SSIM_WEIGHT) * difference


def source_errors(target: Tensor, images: list[Tensor]) -> Tensor:
    """
    Compute the photometric errors of several images against one target.

    Warped sources give the reprojection errors, unwarped sources the identity errors.

    :param target: (B, C, H, W) image in [0, 1].
    :param images: S images of that shape.
    :return: (B, S, H, W) errors.
    :raises ValueError: if there is no image or a shape differs.
    """
    if not images:
        raise ValueError('images must hold at least one image, got none')
    return torch.cat([photometric_error(image, target) for image in images], dim=1)


def minimum_error(errors: Tensor) -> Tensor:
    """
    Keep the best source per pixel: one that sees the point rather than an occluder.

    :param errors: (B, S, H, W) errors from :func:`source_errors`.
    :return: (B, 1, H, W) smallest error.
    :raises ValueError: if errors is not 4-dimensional.
    """
    if errors.ndim != 4:
        raise ValueError(f'errors must be (B, S, H, W), got {tuple(errors.shape)}')
    return errors.amin(dim=1, keepdim=True)


def tie_noise(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """
    Draw the noise that :func:`automask` breaks ties with.

    :param like: gives shape, dtype and device, usually the (B, S, H, W) identity errors.
    :param generator: source of randomness on that device; torch's own if None.
    :return: normal noise of standard deviation 1e-5, of that shape.
    """
    return TIE_NOISE * torch.randn(like.shape, dtype=like.dtype, device=like.device,
                                   generator=generator)


def automask(reprojection: Tensor, identity: Tensor, noise: Tensor | float = 0.0) -> Tensor:
    """
    Select the pixels that warping explains better than leaving the sources unwarped.

    That drops what moves with the camera, and everything when the camera stands still.

    :param reprojection: (B, S, H, W) errors of the warped sources, or their (B, 1, H, W) minimum.
    :param identity: (B, S, H, W) errors of the unwarped sources.
    :param noise: added to ``identity`` to break ties, see :func:`tie_noise`.
    :return: (B, 1, H, W) bool; a tie is not selected.
    """
    return minimum_error(reprojection) < minimum_error(identity + noise)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """
    Average over the selected pixels, in a distributed run over those of all processes.

    :param values: (B, 1, H, W).
    :param mask: (B, 1, H, W) bool.
    :return: scalar; 0 with zero gradient if nothing is selected.
    """
    total = torch.where(mask, values, torch.zeros_like(values)).sum()
    count = mask.sum().to(total.dtype)
    return sum_over_ranks(total) / sum_over_ranks(count).clamp(min=1)


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """
    Average by weight, in a distributed run over the pixels of all processes.

    :param values: (B, 1, H, W).
    :param weight: (B, 1, H, W) in [0, 1].
    :return: scalar; less where all weights together are less than one pixel's.
    """
    return (sum_over_ranks((values * weight).sum())
            / sum_over_ranks(weight.sum()).clamp(min=1.0))


def smoothness(disparity: Tensor, image: Tensor) -> Tensor:
    """
    Edge-aware first differences of the disparity divided by its mean over each image.

    :param disparity: (B, 1, H, W) disparity, any positive scale.
    :param image: (B, C, H, W) image in [0, 1]; its edges excuse those of the disparity.
    :return: scalar.
    :raises ValueError: if the shapes do not belong together.
    """
    if disparity.ndim != 4 or image.ndim != 4 or disparity.shape[1] != 1 or (
            disparity.shape[0], *disparity.shape[2:]) != (image.shape[0], *image.shape[2:]):
        raise ValueError(f'disparity must be (B, 1, H, W) and image (B, C, H, W), '
                         f'got {tuple(disparity.shape)} and {tuple(image.shape)}')
    # 1e-7 only keeps an all-zero disparity finite.
    normalised = disparity / (disparity.mean(dim=(2, 3), keepdim=True) + 1e-7)
    slope_x = normalised.diff(dim=3).abs() * _edge_weight(image, dim=3)
    slope_y = normalised.diff(dim=2).abs() * _edge_weight(image, dim=2)
    return slope_x.mean() + slope_y.mean()


def distillation_mask(teacher: Tensor, student: Tensor, identity: Tensor) -> Tensor:
    """
    Select the pixels where the teacher's multi-frame depth explains the images best.

    :param teacher: (B, S, H, W) reprojection errors with the teacher's depth, or their minimum.
    :param student: (B, S, H, W) reprojection errors with the student's depth, or their minimum.
    :param identity: (B, S, H, W) errors of the unwarped sources, or their minimum.
    :return: (B, 1, H, W) bool.
    """
    rival = torch.minimum(minimum_error(student), minimum_error(identity))
    return minimum_error(teacher) < rival


def distillation_loss(
    student_depth: Tensor, teacher_depth: Tensor, mask: Tensor
) -> Tensor:
    """
    Compute the standard deviation of log student - log teacher.

    It is taken over the selected pixels of the whole batch: a different overall scale costs
    nothing.

    Differs: a little variance is added, which keeps the gradient finite at equal depths; an empty
    mask gives 0; depths outside the mask may be anything, NaN included.

    :param student_depth: (B, 1, H, W) depth [m].
    :param teacher_depth: (B, 1, H, W) depth [m]; no gradient flows into it.
    :param mask: (B, 1, H, W) bool, the distilled pixels.
    :return: scalar.
    :raises ValueError: if the shapes differ.
    """
    _check_pair('student_depth', student_depth, 'teacher_depth', teacher_depth)
    _check_pair('student_depth', student_depth, 'mask', mask)
    # Replaced before the logarithm: a NaN cut away after it would still poison the gradient.
    one = torch.ones_like(student_depth)
    ratio = (torch.where(mask, student_depth, one).log()
             - torch.where(mask, teacher_depth.detach(), one).log())
    mean = masked_mean(ratio, mask)
    # About the mean, not mean(d^2) - mean(d)^2: the same number without the cancellation.
    variance = masked_mean((ratio - mean) ** 2, mask)
    return (variance + DISTILLATION_EPSILON).sqrt() * max_over_ranks(mask.any().to(variance.dtype))


def _mean3(image: Tensor) -> Tensor:
    """3x3 mean of an already padded image."""
    return F.avg_pool2d(image, 3, stride=1)


def _edge_weight(image: Tensor, dim: int) -> Tensor:
    """exp(-|first difference|), averaged over the channels before the exponential."""
    return torch.exp(-image.diff(dim=dim).abs().mean(dim=1, keepdim=True))


def _check_pair(name_a: str, a: Tensor, name_b: str, b: Tensor) -> None:
    """Refuse tensors that are not (B, C, H, W) of the same shape."""
    if a.ndim != 4 or a.shape != b.shape:
        raise ValueError(f'{name_a} and {name_b} must have the same (B, C, H, W), '
                         f'got {tuple(a.shape)} and {tuple(b.shape)}')
