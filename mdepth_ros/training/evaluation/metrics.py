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

"""The usual seven numbers between a predicted and a true depth."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

Depth = NDArray[np.floating]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class DepthMetrics:
    """
    Errors of one image, or their means over images.

    Of a depth d and its truth t: ``abs_rel`` is the mean of abs(d - t) / t, ``sq_rel`` of
    (d - t)² / t [m]; ``rmse`` [m]; ``rmse_log`` that of the natural logarithms; ``d1``, ``d2``
    and ``d3`` are the shares of pixels where max(d/t, t/d) is below 1.25, 1.25² and 1.25³.
    """

    abs_rel: float
    sq_rel: float
    rmse: float
    rmse_log: float
    d1: float
    d2: float
    d3: float


def depth_metrics(prediction: Depth, truth: Depth, valid: Mask) -> DepthMetrics:
    """
    Compare two depths as they are.

    :param prediction: (H, W) predicted depth [m], > 0 where valid.
    :param truth: (H, W) true depth [m], > 0 where valid.
    :param valid: (H, W) which pixels count.
    :return: the errors over these pixels.
    :raises ValueError: if the shapes differ, no pixel is valid, or a valid depth is not positive
        and finite.
    """
    d, t = _select(prediction, truth, valid)
    ratio = np.maximum(d / t, t / d)
    return DepthMetrics(
        abs_rel=float(np.mean(np.abs(d - t) / t)),
        sq_rel=float(np.mean((d - t) ** 2 / t)),
        rmse=float(np.sqrt(np.mean((d - t) ** 2))),
        rmse_log=float(np.sqrt(np.mean((np.log(d) - np.log(t)) ** 2))),
        d1=float(np.mean(ratio < 1.25)),
        d2=float(np.mean(ratio < 1.25**2)),
        d3=float(np.mean(ratio < 1.25**3)),
    )


def median_ratio(prediction: Depth, truth: Depth, valid: Mask) -> float:
    """
    Return the factor that gives the prediction the truth's median.

    :param prediction: (H, W) predicted depth [m].
    :param truth: (H, W) true depth [m].
    :param valid: (H, W) which pixels count.
    :return: median(truth) / median(prediction).
    :raises ValueError: as :func:`depth_metrics`.
    """
    d, t = _select(prediction, truth, valid)
    return float(np.median(t) / np.median(d))


def mean_metrics(metrics: Sequence[DepthMetrics]) -> DepthMetrics:
    """
    Average over images, each with the same weight.

    :param metrics: of one or more images.
    :raises ValueError: if there is none.
    """
    if not metrics:
        raise ValueError('metrics must be of at least one image, got none')
    return DepthMetrics(*np.mean([astuple(one) for one in metrics], axis=0).tolist())


def _select(
    prediction: Depth, truth: Depth, valid: Mask
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Check both depths and return their valid pixels."""
    if not prediction.shape == truth.shape == valid.shape:
        raise ValueError(f'prediction, truth and valid must have one shape, '
                         f'got {prediction.shape}, {truth.shape} and {valid.shape}')
    if not valid.any():
        raise ValueError('valid must hold a pixel, got none')
    d, t = prediction[valid].astype(np.float64), truth[valid].astype(np.float64)
    for name, values in (('prediction', d), ('truth', t)):
        if not (np.isfinite(values).all() and values.min() > 0):
            raise ValueError(f'{name} must be positive and finite where valid, '
                             f'got {values.min()} to {values.max()}')
    return d, t
