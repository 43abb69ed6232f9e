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

"""Whether the confidence knows where the depth is wrong: errors of what is left as it is cut."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating]

# A pixel whose depth is off by more than this share of the truth is wrong.
OFF = 0.25


@dataclass(frozen=True)
class Sparsification:
    """
    How well one image's confidence orders its errors.

    ``ause`` is the area between the curve by confidence and that by the errors themselves, 0 for
    the best possible order; ``ause_by_chance`` is what a confidence without any information is
    expected to have. ``off_all`` is the share of wrong pixels, ``off_kept`` that among the most
    confident ``coverage`` of them.
    """

    ause: float
    ause_by_chance: float
    off_all: float
    off_kept: float
    coverage: float


def sparsify(errors: Values, confidence: Values, coverage: float = 0.6) -> Sparsification:
    """
    Score the confidence of one image, or of the pixels of many.

    :param errors: (N,) relative errors.
    :param confidence: (N,) of the same pixels, higher is better.
    :param coverage: share of the pixels that is kept for ``off_kept``.
    :raises ValueError: as :func:`by_confidence`, or if coverage is not in (0, 1].
    """
    best = sparsification_curve(errors, -errors).mean()
    return Sparsification(
        ause=float(sparsification_curve(errors, confidence).mean() - best),
        # Whatever is cut at random, the mean of what is left is expected to stay.
        ause_by_chance=float(errors.mean(dtype=np.float64) - best),
        off_all=share_off(errors, confidence, 1.0),
        off_kept=share_off(errors, confidence, coverage),
        coverage=coverage)


def sparsification_curve(errors: Values, confidence: Values) -> NDArray[np.float64]:
    """
    Mean error of the 1, 2, ... N most confident pixels; its mean is the area under it.

    :param errors: (N,).
    :param confidence: (N,).
    :return: (N,).
    :raises ValueError: as :func:`by_confidence`.
    """
    return np.cumsum(by_confidence(errors, confidence)) / np.arange(1, errors.size + 1)


def share_off(errors: Values, confidence: Values, coverage: float) -> float:
    """
    Share of wrong pixels among the most confident ones.

    :param errors: (N,) relative errors.
    :param confidence: (N,).
    :param coverage: share of the pixels that is kept, at least one.
    :raises ValueError: as :func:`by_confidence`, or if coverage is not in (0, 1].
    """
    if not 0.0 < coverage <= 1.0:
        raise ValueError(f'coverage must be in (0, 1], got {coverage}')
    kept = max(1, round(coverage * errors.size))
    return float(by_confidence((errors > OFF).astype(np.float64), confidence)[:kept].mean())


def by_confidence(values: Values, confidence: Values) -> NDArray[np.float64]:
    """
    Order values, most confident first; those of one confidence become their mean.

    Their mean is what any order among them is expected to give, so that a constant confidence is
    worth as much as chance and the order of the pixels in the image counts for nothing.

    :param values: (N,).
    :param confidence: (N,) finite.
    :return: (N,).
    :raises ValueError: if the shapes differ, there is nothing, or a confidence is not finite.
    """
    if values.ndim != 1 or values.shape != confidence.shape or not values.size:
        raise ValueError(f'values and confidence must be (N,) with N > 0, '
                         f'got {values.shape} and {confidence.shape}')
    if not np.isfinite(confidence).all():
        raise ValueError(f'confidence must be finite, '
                         f'got {np.count_nonzero(~np.isfinite(confidence))} others')
    _, group, count = np.unique(-confidence, return_inverse=True, return_counts=True)
    return np.repeat(np.bincount(group, weights=values) / count, count)
