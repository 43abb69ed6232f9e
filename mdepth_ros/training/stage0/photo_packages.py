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

"""Packages that hold photographs of materials and places, and which of their files do."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from mdepth_ros.training.scenes.photographs import PhotoKind


@dataclass(frozen=True)
class Package:
    """
    A package of one version, and what to take from it.

    ``members`` are files below ``folder``, by what they show.
    """

    version: str
    licence: str
    folder: str
    members: Mapping[PhotoKind, tuple[str, ...]]


def _files(ending: str, **kinds: str) -> Mapping[PhotoKind, tuple[str, ...]]:
    """Spell out the files of each kind."""
    return {PhotoKind(kind): tuple(name if '.' in name else name + ending
                                   for name in names.split())
            for kind, names in kinds.items()}


_png = partial(_files, '.png')

# Left out: logos, packagings, flat colours, height maps, what games painted, and close portraits.
PACKAGES = {
    'miniworld': Package('2.1.0', 'Apache-2.0', 'miniworld/textures/', _png(
        ground='asphalt_1 rock_1 concrete_1', grass='grass_1 grass_2',
        wood='wood_1 wood_2', planks='wood_planks_1 picket_fence_1 door_garage_white',
        brick='brick_wall_1 cinder_blocks_1',
        plaster='concrete_2 concrete_3 concrete_4 drywall_1 stucco_1 cardboard_3',
        tiles='ceiling_tiles_1 concrete_tiles_1 floor_tiles_bw_1 floor_tiles_white '
              'ceiling_tile_noborder_1',
        stone='marble_1 marble_2', fabric='cardboard_1 cardboard_2 cardboard_4',
        metal='metal_grill_1 metal_grill_2 airduct_grate_1',
        door='door_garage_red door_garage_white door_steel_brown door_steel_grey '
             'door_steel_red')),
    'robosuite': Package('1.5.2', 'MIT', 'robosuite/models/assets/textures/', _png(
        ground='dirt clay bread',
        wood='blue-wood dark-wood green-wood light-wood red-wood gray-woodgrain',
        planks='wood-tiles wood-varnished-panels light-gray-floor-tile',
        brick='white-bricks',
        plaster='cream-plaster gray-plaster light-gray-plaster pink-plaster white-plaster '
                'yellow-plaster brass-ambra',
        fabric='gray-felt', metal='metal steel-brushed steel-scratched')),
    'metaworld': Package('3.1.1', 'MIT', 'metaworld/assets/', _png(
        wood='scene/textures/wood scene/textures/wood2 textures/light_wood textures/light_wood_v2 '
             'textures/light_wood_v3.jpeg textures/light_wood_v3 textures/real_door '
             'textures/wood1 textures/wood3',
        planks='textures/wood textures/wood2 textures/wood4 textures/wood_light',
        brick='textures/brick1',
        plaster='scene/textures/metal textures/metal1 textures/plaster1',
        tiles='scene/textures/white_marble_tile scene/textures/white_marble_tile2 '
              'textures/floor1 textures/floor2',
        stone='textures/granite textures/marble',
        fabric='scene/textures/fabricPattern scene/textures/fabricPlain textures/navy_blue')),
    # These of its pictures are CC0 or in the public domain, as the docstrings of its
    # `skimage.data` say.
    'scikit_image': Package('0.26.0', 'BSD-3-Clause', 'skimage/data/', _png(
        ground='gravel', grass='grass', brick='brick',
        place='astronaut camera chelsea coffee rocket.jpg')),
    # Panoramas by Poly Haven.
    '@pmndrs/assets': Package('1.7.0', 'CC0-1.0', 'package/hdri/', _files(
        '.exr.js', trees='forest',
        place='apartment bridge city dawn esplanade hall lab lobby park sunrise sunset venice '
              'warehouse workshop')),
}
