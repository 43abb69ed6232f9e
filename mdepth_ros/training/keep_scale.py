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

"""Metric depth before a training is metric depth after it."""

from collections.abc import Iterator, Sequence
import dataclasses
import math

from mdepth_ros.engine.preprocess import network_input, Preprocessor
from mdepth_ros.networks.canonical import to_depth
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.datasets import sequence as data
import numpy as np
import torch
from torch import Tensor

FRAMES = 24


def keep_scale(
    before: DepthModel, after: DepthModel, sequences: Sequence[data.Sequence], width: int,
    height: int,
) -> DepthModel:
    """
    Give a trained model the scale with which it measures what its start did.

    Images do not tell the scale, so training drifts along it; the start's metres are all that is
    known of it.

    :param before: what the training started from; its ``scale`` is right.
    :param after: what it gave; its ``scale`` does not count.
    :param sequences: frames of the camera.
    :param width: width of the networks' input [px].
    :param height: height of the networks' input [px].
    :return: ``after`` with the start's scale times the geometric mean of the ratios of the frames'
        median depths.
    """
    depths = [sample_depths(model, sequences, width, height) for model in (before, after)]
    ratios = [math.log(float(first.median() / second.median())) for first, second in zip(*depths)]
    scale = before.config.scale * math.exp(float(np.mean(ratios)))
    scaled = DepthModel(dataclasses.replace(after.config, scale=scale))
    scaled.load_state_dict(after.state_dict())
    return scaled.eval()


@torch.no_grad()
def sample_depths(
    model: DepthModel, sequences: Sequence[data.Sequence], width: int, height: int,
    frames: int = FRAMES,
) -> Iterator[Tensor]:
    """
    Run S-DepthNet on frames spread over all the data.

    :param model: in eval mode, on the CPU.
    :param sequences: at least one frame in all.
    :param width: width of the networks' input [px].
    :param height: height of the networks' input [px].
    :param frames: at most so many.
    :return: (1, 1, H, W) depths [network units].
    """
    every = [(sequence, index) for sequence in sequences for index in range(len(sequence))]
    count = min(frames, len(every))
    for place in np.linspace(0, len(every) - 1, count).round().astype(int):
        sequence, index = every[place]
        preprocess = Preprocessor(sequence.camera, width, height, rectify=False)
        image = network_input(preprocess(sequence.rgb(index)), torch.device('cpu'))
        yield to_depth(model.single(image).disparity, model.config, preprocess.K[None])
