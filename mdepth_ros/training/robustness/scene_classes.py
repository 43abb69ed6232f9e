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

"""The kinds of scene that a robot meets, each as worlds that nothing was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mdepth_ros.training.datasets.synthetic import SyntheticSequenceView
from mdepth_ros.training.scenes.held_out import ROBUSTNESS
from mdepth_ros.training.synthetic import random_config, SceneConfig

SEEDS_PER_CLASS = 1000
_PLAIN = {'moving_objects': False, 'textureless': False, 'static_camera': False,
          'pure_rotation': False}


@dataclass(frozen=True)
class SceneClass:
    """What the table calls it, and settings of its worlds, which take them in turn."""

    title: str
    variants: tuple[Mapping[str, Any], ...]


def _of_kinds(*kinds: str, **settings: Any) -> tuple[Mapping[str, Any], ...]:
    """Variants that differ in the kind of scene only."""
    return tuple({'kind': kind, **settings} for kind in kinds)


CLASSES = {
    'forward': SceneClass('forward', _of_kinds('driving')),
    # A robot's speed: what passes at a car's is gone in the next frame.
    'sideways': SceneClass('sideways', (
        {'kind': 'driving', 'heading_deg': 90.0, 'speed': 0.3},
        {'kind': 'indoor', 'heading_deg': 90.0},
        {'kind': 'driving', 'heading_deg': -90.0, 'speed': 0.3},
        {'kind': 'indoor', 'heading_deg': -90.0})),
    'indoor': SceneClass('indoor', _of_kinds('indoor')),
    'handheld': SceneClass('handheld', _of_kinds('handheld')),
    'static_camera': SceneClass('static camera', (
        *_of_kinds('driving', 'indoor', static_camera=True),
        *_of_kinds('driving', 'indoor', static_camera=True, moving_objects=True))),
    'pure_rotation': SceneClass('pure rotation', _of_kinds(
        'driving', 'indoor', 'handheld', pure_rotation=True)),
    'textureless': SceneClass('texture-less', _of_kinds(
        'indoor', 'driving', 'handheld', textureless=True)),
    'moving_objects': SceneClass('moving objects', _of_kinds(
        'driving', 'indoor', 'handheld', moving_objects=True)),
    'stop_and_go': SceneClass('stop and go', _of_kinds('driving', 'indoor', stop_and_go=True)),
}


def open_world(
    name: str, number: int, width: int, height: int, frames: int, **settings: Any
) -> SyntheticSequenceView:
    """
    Choose a world of a class; field of view, noise, light and speed differ from world to world.

    :param name: of the class, a key of ``CLASSES``.
    :param number: which of its worlds, from 0.
    :param width: image width [px].
    :param height: image height [px].
    :param frames: number of frames.
    :param settings: other fields of the scene that are to differ from the class's.
    :return: the world, not rendered yet.
    :raises ValueError: if there is no such world.
    """
    if not 0 <= number < SEEDS_PER_CLASS:
        raise ValueError(f'number must be in [0, {SEEDS_PER_CLASS}), got {number}')
    variants = CLASSES[name].variants
    seed = ROBUSTNESS[SEEDS_PER_CLASS * list(CLASSES).index(name) + number]
    variant = variants[number % len(variants)]
    drawn = random_config(seed, width, height, frames, variant['kind'])
    config: SceneConfig = replace(drawn, **{**_PLAIN, **variant, **settings})
    return SyntheticSequenceView(config, seed)
