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

"""Every parameter of the node: one table, declared, checked and read as one frozen object."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, get_args

from mdepth_ros.config import Backend, EngineConfig, Method
from mdepth_ros.engine.point_cloud import CloudFilter
from mdepth_ros.engine.rendering import OutputSize, RenderingOptions
from mdepth_ros.engine.scale.ground_plane import GroundPrior
from mdepth_ros.ros.parameter_field import BadParameter, parameter, Spec, spec_of
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter


@dataclass(frozen=True)
class NodeParameters:
    """The values in force; a new object for every change, so that nothing is half-applied."""

    weights: str = parameter(
        'weights', '', 'Weights file (.safetensors); empty is the model that comes with the '
        'package')
    device: str = parameter(
        'device', 'auto', "Where the networks run: 'auto', 'cpu', 'cuda' or 'cuda:N'")
    backend: str = parameter(
        'backend', 'auto', "What runs the networks: 'torch' as it is, 'cuda' in half precision, "
        "'openvino', 'onnxruntime', 'tensorrt', or 'auto': 'cuda' on a GPU, 'openvino' on a CPU "
        'where it is installed', choices=get_args(Backend))
    threads: int = parameter(
        'threads', 0, "CPU cores of 'openvino' and 'onnxruntime'; 0 is all", low=0, high=1024)
    pixel_budget: int = parameter(
        'network.pixel_budget', 640 * 192, "Most pixels of the networks' input, whose size "
        "follows the camera's aspect [px]", low=64 * 64, high=4096 * 2304)
    network_width: int = parameter(
        'network.width', 0, "Width of the networks' input, a multiple of 32; 0 follows "
        'network.pixel_budget [px]', low=0, high=4096)
    network_height: int = parameter(
        'network.height', 0, "Height of the networks' input, a multiple of 32; 0 follows "
        'network.pixel_budget [px]', low=0, high=4096)

    image_transport: str = parameter(
        'image_transport', 'raw', "'raw' subscribes to image, 'compressed' to image/compressed",
        choices=('raw', 'compressed'))
    image_is_rectified: bool = parameter(
        'image_is_rectified', True, 'True: the image is rectified, P of camera_info counts. '
        'False: it is raw, and undistorted with K and D')
    exact_camera_info: bool = parameter(
        'camera_info.exact_stamp', False, 'Use only the CameraInfo with the stamp of the image; '
        'each change of it by more than half a percent starts with single-frame depth')
    camera_info_timeout_s: float = parameter(
        'camera_info.timeout', 1.0, 'How long an image waits for its CameraInfo [s]',
        low=0.01, high=60.0)
    max_gap_s: float = parameter(
        'max_gap', 10.0, 'A longer pause between images empties the frame buffer [s]',
        low=0.01, high=3600.0)

    method: str = parameter(
        'method', 'robust', "'robust': matches with past frames that show parallax, and blends "
        "both networks by confidence; 'published': as the paper does", choices=get_args(Method))
    sources: int = parameter(
        'sources', 2, "How many past frames 'robust' matches with, at most", low=1, high=3)

    scale_mode: str = parameter(
        'scale.mode', 'fixed', "Where metres come from: 'fixed' is scale.value, 'odometry' "
        "compares the motion with the odom topic, 'ground_plane' looks for the ground "
        'scale.camera_height below the camera', choices=('fixed', 'odometry', 'ground_plane'))
    scale_value: float = parameter(
        'scale.value', 0.0, 'Metres per network unit, where the other modes start; 0 is the '
        "weights' own", low=0.0, high=1e6, dynamic=True)
    wait_for_scale: bool = parameter(
        'scale.wait', False, 'Publish nothing until the scale is known; otherwise depth goes to '
        'it by 1.5 % a frame', dynamic=True)
    camera_height_m: float = parameter(
        'scale.camera_height', 0.0, "Height of the camera above the ground, for 'ground_plane' "
        '[m]', low=0.0, high=100.0)
    camera_pitch_deg: float = parameter(
        'scale.camera_pitch', 0.0, "How far the camera looks down from level, for 'ground_plane' "
        '[deg]', low=-90.0, high=90.0)
    ground_tolerance_deg: float = parameter(
        'scale.ground_tolerance', 18.0, 'Largest difference of pitch and roll above the ground '
        "from scale.camera_pitch and level: more is a wall, for 'ground_plane' [deg]", low=1.0,
        high=45.0)

    depth_encoding: str = parameter(
        'depth.encoding', '32FC1', "'32FC1' is metres, '16UC1' millimetres with 0 for invalid",
        choices=('32FC1', '16UC1'), dynamic=True)
    output_size: str = parameter(
        'depth.size', 'network', "Resolution of images and depth/points: 'network', or 'input' "
        'like the camera image', choices=get_args(OutputSize), dynamic=True)
    min_depth_m: float = parameter(
        'depth.min', 0.1, 'Nearer depth is published as -Inf [m]', low=0.0, high=1000.0,
        dynamic=True)
    max_depth_m: float = parameter(
        'depth.max', 80.0, 'Farther depth is published as +Inf [m]', low=0.01, high=10000.0,
        dynamic=True)
    color_near_m: float = parameter(
        'color.near', 1.0, 'Depth of the warmest colour of depth/color [m]', low=0.01,
        high=1000.0, dynamic=True)
    color_far_m: float = parameter(
        'color.far', 40.0, 'Depth of the coldest colour of depth/color [m]', low=0.02,
        high=10000.0, dynamic=True)

    filtered_rate: float = parameter(
        'filtered.rate', 10.0, 'Most messages per second on depth/points_filtered and '
        'depth/points_clearing; 0 is no limit [Hz]', low=0.0, high=1000.0, dynamic=True)
    filtered_stride: int = parameter(
        'filtered.stride', 2, 'depth/points_filtered keeps every n-th pixel of every n-th row',
        low=1, high=64, dynamic=True)
    filtered_voxel: float = parameter(
        'filtered.voxel', 0.0, 'Edge of the grid of which each cell keeps one point; 0 is no grid '
        '[m]',
        low=0.0, high=10.0, dynamic=True)
    filtered_min_range: float = parameter(
        'filtered.min_range', 0.2, 'Nearest point that is kept [m]', low=0.0, high=1000.0,
        dynamic=True)
    filtered_max_range: float = parameter(
        'filtered.max_range', 10.0, 'Farthest point that is kept [m]', low=0.01, high=10000.0,
        dynamic=True)
    filtered_min_confidence: float = parameter(
        'filtered.min_confidence', 0.4, 'Lowest confidence that is kept: the probability that '
        'a depth is right within 25 %', low=0.0, high=1.0, dynamic=True)
    filtered_edge_tolerance: float = parameter(
        'filtered.edge_tolerance', 0.1, 'A pixel between a near and a far surface goes if it is '
        'off both by more than this share; 1 keeps all', low=0.001, high=1.0, dynamic=True)

    clearing_enabled: bool = parameter(
        'clearing.enabled', False, 'Publish depth/points_clearing, rays through free space for a '
        'costmap to clear; filtered.* say which pixels are trusted', dynamic=True)
    clearing_stride: int = parameter(
        'clearing.stride', 4, 'depth/points_clearing has a ray for every n-th pixel of every n-th '
        'row', low=1, high=64, dynamic=True)
    clearing_range: float = parameter(
        'clearing.range', 10.0, 'Where a ray ends that meets nothing before, at the latest at '
        'depth.max [m]', low=0.01, high=10000.0, dynamic=True)

    odometry_frame: str = parameter(
        'odometry.frame_id', 'mdepth_odom', 'Frame that the odometry topic is given in; every '
        'node needs its own', dynamic=True)
    odometry_tf: bool = parameter(
        'odometry.publish_tf', False, 'Publish odometry.frame_id -> the camera on /tf, too; only '
        "where nothing else publishes the camera's frame")
    diagnostics_rate: float = parameter(
        'diagnostics.rate', 1.0, 'Messages per second on /diagnostics [Hz]', low=0.01, high=100.0)

    def __post_init__(self) -> None:
        problems = []
        if not self.min_depth_m < self.max_depth_m:
            problems.append(f'depth.min must be below depth.max, '
                            f'got {self.min_depth_m} and {self.max_depth_m}')
        if not self.color_near_m < self.color_far_m:
            problems.append(f'color.near must be below color.far, '
                            f'got {self.color_near_m} and {self.color_far_m}')
        if not self.filtered_min_range < self._clearing_end:
            problems.append(f'clearing.range and depth.max must be above filtered.min_range, got '
                            f'{self.clearing_range}, {self.max_depth_m} and '
                            f'{self.filtered_min_range}')
        if self.scale_mode == 'ground_plane' and not self.camera_height_m:
            problems.append('scale.mode ground_plane needs scale.camera_height, got 0.0')
        if not self.odometry_frame:
            problems.append('odometry.frame_id must not be empty')
        for build in (self.engine_config, self.cloud_filter):
            try:
                build()
            except ValueError as error:
                problems.append(str(error))
        if problems:
            raise BadParameter('; '.join(problems))

    def engine_config(self) -> EngineConfig:
        """Return what the engine needs of these."""
        return EngineConfig(
            device=self.device, method=self.method, sources=self.sources,  # type: ignore[arg-type]
            backend=self.backend, threads=self.threads,  # type: ignore[arg-type]
            pixel_budget=self.pixel_budget, width=self.network_width,
            height=self.network_height, rectify=not self.image_is_rectified,
            max_gap_s=self.max_gap_s, scale=self.scale_value)

    def rendering_options(self) -> RenderingOptions:
        """Return what the published arrays are like."""
        return RenderingOptions(
            self.output_size, self.min_depth_m, self.max_depth_m,  # type: ignore[arg-type]
            self.color_near_m, self.color_far_m, self.cloud_filter(), self.clearing_filter())

    def cloud_filter(self) -> CloudFilter:
        """Return what depth/points_filtered keeps."""
        return CloudFilter(
            stride=self.filtered_stride, voxel_size=self.filtered_voxel,
            min_range=self.filtered_min_range, max_range=self.filtered_max_range,
            min_confidence=self.filtered_min_confidence,
            edge_tolerance=self.filtered_edge_tolerance)

    def clearing_filter(self) -> CloudFilter:
        """Return which rays depth/points_clearing has."""
        return replace(self.cloud_filter(), stride=self.clearing_stride, voxel_size=0.0,
                       max_range=self._clearing_end)

    @property
    def _clearing_end(self) -> float:
        """Beyond depth.max the end of a ray is not known, be there a wall [m]."""
        return min(self.clearing_range, self.max_depth_m)

    def ground_prior(self) -> GroundPrior:
        """Return how the camera is mounted."""
        return GroundPrior(self.camera_pitch_deg, self.ground_tolerance_deg)

    def changed(self, parameters: Iterable[Parameter]) -> 'NodeParameters':
        """
        Return these with some values replaced, as while the node is configured.

        :param parameters: new values; those of other owners (``use_sim_time``) are left alone.
        :raises BadParameter: saying why the values are refused together.
        """
        values: dict[str, Any] = {}
        for new, spec in known(parameters):
            values[spec.field] = value = spec.checked(new.value)
            if not spec.dynamic and value != getattr(self, spec.field):
                raise BadParameter(f'{spec.name} can only change while the node is unconfigured')
        return replace(self, **values)


SPECS: Mapping[str, Spec] = {
    spec.name: spec for spec in (spec_of(field) for field in fields(NodeParameters))}

# Declared by rclpy itself.
OF_RCLPY = ('use_sim_time', 'start_type_description_service')


def known(parameters: Iterable[Parameter]) -> list[tuple[Parameter, Spec]]:
    """Pair those parameters that are in the table with their entries."""
    return [(one, SPECS[one.name]) for one in parameters if one.name in SPECS]


def declare_parameters(node: Node) -> dict[str, str]:
    """
    Declare all parameters with their descriptors.

    :param node: their node, made with ``automatically_declare_parameters_from_overrides``.
    :return: what is wrong with the values given at the start, by name. Those that rclpy refuses
        hold their default until they are set.
    """
    # What was given is declared as it is: ours and qos_overrides get their descriptors later, the
    # rest is not for us.
    for name in node.get_parameters_by_prefix(''):
        if name not in OF_RCLPY:
            node.undeclare_parameter(name)
            if name not in SPECS and not name.startswith('qos_overrides.'):
                node.get_logger().warning(f'there is no parameter {name!r}, it is ignored')
    problems = {}
    for spec in SPECS.values():
        descriptor = ParameterDescriptor(
            description=spec.text, additional_constraints=spec.constraints(),
            dynamic_typing=True)  # rclpy would refuse other types without naming the parameter
        if spec.low is not None and isinstance(spec.default, int):
            descriptor.integer_range = [IntegerRange(from_value=spec.low, to_value=spec.high)]
        elif spec.low is not None:
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=spec.low, to_value=spec.high)]
        try:
            spec.checked(node.declare_parameter(spec.name, spec.default, descriptor).value)
        except (InvalidParameterValueException, BadParameter) as error:
            problems[spec.name] = str(error)
            if not node.has_parameter(spec.name):
                node.declare_parameter(spec.name, spec.default, descriptor, ignore_override=True)
    return problems


def read_parameters(node: Node) -> NodeParameters:
    """
    Read all parameters.

    :raises BadParameter: naming everything that is wrong with them.
    """
    return NodeParameters(**{spec.field: spec.checked(node.get_parameter(name).value)
                             for name, spec in SPECS.items()})
