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

"""A street without its town."""

from mdepth_ros.training.scenes.config import SceneConfig
from mdepth_ros.training.scenes.country import open_up
from mdepth_ros.training.scenes.room import build_room
from mdepth_ros.training.scenes.shapes import STATIC
from mdepth_ros.training.scenes.street import build_street
import numpy as np
import pytest

STREET = SceneConfig('driving', frames=3, fps=1.0)


def street(seed):
    return build_street(STREET, np.random.default_rng(seed))


@pytest.mark.parametrize('seed', range(4))
def test_most_of_the_town_goes_and_traffic_stays(seed):
    town = street(seed)
    country = open_up(town, np.random.default_rng(seed))
    houses, left = (sum(solid.structure for solid in world.solids) for world in (town, country))
    assert left < 0.7 * houses
    traffic, goes_on = ([solid for solid in world.solids if solid.track != STATIC]
                        for world in (town, country))
    assert traffic == goes_on


@pytest.mark.parametrize('seed', range(4))
def test_nothing_new_stands_on_the_road(seed):
    town = street(seed)
    country = open_up(town, np.random.default_rng(seed))
    road, edge = country.ground.road, country.ground.edges[-1]
    assert edge >= town.ground.edges[-1]
    before = {id(solid) for solid in town.solids}
    added = [solid for solid in country.solids if id(solid) not in before]
    assert added
    along = np.arange(-40.0, float(road.s[-1]), 0.5)
    x, y, _ = road.at(along)
    for solid in added:
        near = np.hypot(x - solid.centre[0], y - solid.centre[1]).min()
        # A tree's crown may hang over the verge.
        assert near > edge - 1.0 - 0.1 * max(solid.half), solid


def test_a_room_has_no_country():
    room = build_room(SceneConfig('indoor', frames=3), np.random.default_rng(0))
    with pytest.raises(ValueError, match='needs a world with a road, got none'):
        open_up(room, np.random.default_rng(0))
