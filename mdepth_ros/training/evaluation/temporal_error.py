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

"""Whether the depth of what the camera sees stays what it is from frame to frame."""

from collections.abc import Iterator, Sequence
from itertools import islice

from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.comparison import compare
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Frame
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.datasets import sequence as data
import torch

# Every so manieth pixel of every so manieth row is compared.
STRIDE = 4
# What differs by more was not the same point, or moves [logarithm].
MOST = 0.5
# So many frames of each sequence are enough.
COMPARED_FRAMES = 200


def temporal_error(
    model: DepthModel, sequences: Sequence[data.Sequence], config: EngineConfig
) -> float | None:
    """
    Compare each frame's depth with that of the frame before, point by point.

    Points are followed by the depth and motion of the estimate itself, so nobody needs to know
    the truth. An image can look right when it is warped by a depth that is wrong where there is no
    texture; such depth is another one in the next frame.

    :param model: in eval mode; it is not changed.
    :param sequences: what to play, of each the beginning.
    :param config: how to run it.
    :return: mean abs log ratio of the points' depths, the change of the whole image's left out;
        None if no two frames could be compared.
    :raises MdepthError: if a frame cannot be read or run.
    """
    estimator = DepthEstimator(model, config)
    errors = [error for sequence in sequences for error in frame_errors(estimator, sequence)]
    return sum(errors) / len(errors) if errors else None


def frame_errors(estimator: DepthEstimator, sequence: data.Sequence) -> Iterator[float]:
    """
    Play a sequence and compare, see :func:`temporal_error`.

    :param estimator: reset first.
    :param sequence: what to play.
    :return: an error for every frame that can be compared with the one before.
    :raises MdepthError: if a frame cannot be read or run.
    """
    estimator.reset()
    last: torch.Tensor | None = None
    for i in islice(range(len(sequence)), COMPARED_FRAMES):
        now = estimator.push(Frame(sequence.rgb(i), sequence.camera, sequence.stamp_ns(i)))
        if last is not None and now.T_previous_target is not None:
            compared = compare(now.depth, last, now.K[None], now.T_previous_target[None], STRIDE)
            change = compared.log_ratio[compared.seen]
            if len(change):
                yield float((change - change.median()).abs().clamp(max=MOST).mean())
        last = now.depth
