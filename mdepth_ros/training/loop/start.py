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

"""The networks that a run starts from."""

from collections.abc import Mapping
import dataclasses
from pathlib import Path

from mdepth_ros.config import Encoder, lite_config, paper_config
from mdepth_ros.errors import MdepthError, one_line
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.efficientnet import EfficientNetLite0Encoder
from mdepth_ros.networks.encoders import AnyEncoder
from mdepth_ros.networks.features import MATCHING_STRIDE
from mdepth_ros.networks.hypotheses import resize_delta
from mdepth_ros.networks.public_weights import (
    load_imagenet_efficientnet_lite0,
    load_imagenet_file,
)
from mdepth_ros.training.loop.recipe import Recipe
import torch


def start_model(recipe: Recipe, seed: int) -> DepthModel:
    """
    Make the networks of a recipe, delta at its training size.

    :param recipe: its ``model``, ``start``, ``imagenet`` and size count.
    :param seed: of the layers that no file fills, whatever was drawn before.
    :return: the networks.
    :raises MdepthError: if the weights cannot be read.
    """
    torch.manual_seed(seed)
    if recipe.start != 'imagenet':
        return _at_size(start_weights(recipe), recipe.data.width, recipe.data.height)
    config = lite_config() if recipe.model == 'lite' else paper_config()
    model = DepthModel(dataclasses.replace(config, width=recipe.data.width,
                                           height=recipe.data.height))
    _load_imagenet(model.single.encoder, config.single_encoder, recipe.imagenet)
    _load_imagenet(model.pose.encoder, config.pose_encoder, recipe.imagenet)
    return model


def start_weights(recipe: Recipe) -> DepthModel:
    """
    Load the weights that a run starts from.

    :param recipe: its ``start`` is ``default`` or a file.
    :return: the networks, at their own size.
    :raises MdepthError: if the file cannot be read, or has no M-DepthNet.
    """
    path = DEFAULT_WEIGHTS if recipe.start == 'default' else Path(recipe.start)
    model = load_checkpoint(path)
    if not model.config.multi_frame:
        raise MdepthError(f'{path} has no M-DepthNet, which training needs: start from weights '
                          'that have one, or from imagenet')
    return model


def _load_imagenet(encoder: AnyEncoder, name: Encoder, files: Mapping[str, str]) -> None:
    """Fill an encoder from its file, or from the package that has the lite one's weights."""
    try:
        if name in files:
            load_imagenet_file(encoder, Path(files[name]))
        elif isinstance(encoder, EfficientNetLite0Encoder):
            load_imagenet_efficientnet_lite0(encoder)
        else:
            raise MdepthError(f'ImageNet weights of {name} do not come with the package: name '
                              f'their public .pth file in the recipe, imagenet.{name}=FILE')
    except (FileNotFoundError, ModuleNotFoundError, ValueError) as error:
        raise MdepthError(one_line(error)) from error


def _at_size(model: DepthModel, width: int, height: int) -> DepthModel:
    """Bring config and delta to the training size."""
    resized = DepthModel(dataclasses.replace(model.config, width=width, height=height))
    state = model.state_dict()
    state['multi.delta'] = resize_delta(model.multi.delta, height // MATCHING_STRIDE,
                                        width // MATCHING_STRIDE)
    resized.load_state_dict(state)
    return resized
