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

from dataclasses import fields

from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.point_cloud import CloudFilter
from mdepth_ros.engine.rendering import RenderingOptions
from mdepth_ros.engine.scale.ground_plane import GroundPrior
from mdepth_ros.ros.parameter_field import BadParameter
from mdepth_ros.ros.parameters import known, NodeParameters, SPECS
import pytest
import rclpy.parameter


def parameter(name, value):
    return rclpy.parameter.Parameter(name, value=value)


def test_every_field_is_a_parameter_with_a_name_of_its_own():
    assert len(SPECS) == len(fields(NodeParameters))
    for spec in SPECS.values():
        assert spec.checked(spec.default) == spec.default


def test_a_change_makes_a_new_object_and_leaves_the_old_one():
    old = NodeParameters()
    new = old.changed([parameter('depth.max', 20.0), parameter('use_sim_time', True)])
    assert (old.max_depth_m, new.max_depth_m) == (80.0, 20.0)


def test_every_value_reaches_what_it_is_for():
    values = {
        'device': 'cpu', 'method': 'published', 'sources': 3, 'backend': 'torch', 'threads': 2,
        'network.pixel_budget': 99_000, 'network.width': 128, 'network.height': 96,
        'image_is_rectified': False, 'max_gap': 7.0, 'scale.value': 1.5,
        'depth.size': 'input', 'depth.min': 0.3, 'depth.max': 30.0, 'color.near': 2.0,
        'color.far': 22.0, 'filtered.stride': 3, 'filtered.voxel': 0.07,
        'filtered.min_range': 0.4, 'filtered.max_range': 9.0, 'filtered.min_confidence': 0.6,
        'filtered.edge_tolerance': 0.2, 'clearing.stride': 5, 'clearing.range': 8.0,
        'scale.camera_pitch': 11.0, 'scale.ground_tolerance': 12.0}
    assert not [name for name, value in values.items() if value == SPECS[name].default]
    made = NodeParameters(**{SPECS[name].field: value for name, value in values.items()})
    assert made.engine_config() == EngineConfig(
        'cpu', 'published', 3, 99_000, 128, 96, rectify=True, max_gap_s=7.0, scale=1.5,
        backend='torch', threads=2)
    assert made.rendering_options() == RenderingOptions(
        'input', 0.3, 30.0, 2.0, 22.0,
        CloudFilter(stride=3, voxel_size=0.07, min_range=0.4, max_range=9.0, min_confidence=0.6,
                    edge_tolerance=0.2),
        CloudFilter(stride=5, voxel_size=0.0, min_range=0.4, max_range=8.0, min_confidence=0.6,
                    edge_tolerance=0.2))
    assert made.ground_prior() == GroundPrior(11.0, 12.0)


def test_no_ray_goes_on_behind_the_last_depth_that_is_published():
    assert NodeParameters(max_depth_m=8.0).clearing_filter().max_range == 8.0


def test_parameters_of_others_are_left_alone():
    assert known([parameter('use_sim_time', True), parameter('foo', 1)]) == []


def test_all_contradictions_are_named_at_once():
    with pytest.raises(BadParameter, match=r'depth\.min.*color\.near.*width.*min_range'):
        NodeParameters(min_depth_m=9.0, max_depth_m=8.0, color_near_m=5.0, color_far_m=4.0,
                       network_width=100, filtered_min_range=20.0)


@pytest.mark.parametrize(('name', 'value', 'text'), [
    ('depth.max', None, 'depth.max must be of type float, got None'),
    ('depth.max', True, 'depth.max must be of type float, got True'),
    ('depth.max', [1.0], 'must be of type float'),
    ('depth.max', 1e9, 'depth.max must be from 0.01 to 10000.0, got 1000000000.0'),
    ('filtered.stride', True, 'must be of type int'),
    ('scale.mode', 'laser',
     "scale.mode must be one of fixed, odometry, ground_plane, got 'laser'"),
])
def test_values_that_do_not_fit(name, value, text):
    with pytest.raises(BadParameter) as caught:
        SPECS[name].checked(value)
    assert text in str(caught.value)
