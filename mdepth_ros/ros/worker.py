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

"""The one thread that works: newest image -> estimator -> topics."""

from collections.abc import Callable
from dataclasses import dataclass
import threading
import time

from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_path import CameraPath
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import DepthEstimate, Frame, Mode
from mdepth_ros.engine.rendering import Rendering
from mdepth_ros.engine.scale.ground import GroundScale
from mdepth_ros.engine.scale.odometry import OdometryScale
from mdepth_ros.engine.scale.ramp import Ramp
from mdepth_ros.engine.scale.state import FixedScale
from mdepth_ros.errors import MdepthError
from mdepth_ros.messages.header import nanoseconds
from mdepth_ros.ros.diagnostics import Status
from mdepth_ros.ros.failure import LoggedFailure
from mdepth_ros.ros.image_decoding import decode
from mdepth_ros.ros.inputs import ImageMessage
from mdepth_ros.ros.parameters import NodeParameters
from mdepth_ros.ros.publishers import Publishers
from mdepth_ros.ros.subscriptions import Subscriptions

STOP_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class WorkerLog:
    """Where the worker writes: ``error`` and ``warning`` are throttled, ``failure`` is not."""

    error: Callable[[str], object]
    warning: Callable[[str], object]
    failure: Callable[[str], object]


class Worker:
    """Takes images until its subscriptions are destroyed."""

    def __init__(
        self, estimator: DepthEstimator, subscriptions: Subscriptions, publishers: Publishers,
        status: Status, parameters: NodeParameters, log: WorkerLog,
    ) -> None:
        """
        Start the thread.

        :param estimator: used by this thread alone from now on.
        :param subscriptions: where images come from.
        :param publishers: where results go.
        :param status: told of every frame.
        :param parameters: the values in force.
        :param log: told of every image that cannot be used and of what looks wrong.
        """
        self._estimator = estimator
        self._subscriptions = subscriptions
        self._publishers = publishers
        self._status = status
        self._parameters = parameters
        self._log = log
        self._forget()
        self._checked: tuple[Camera, str] | None = None
        self._reset = threading.Event()
        self._thread = threading.Thread(target=self._run, name='mdepth worker', daemon=True)
        self._thread.start()

    def update(self, parameters: NodeParameters) -> None:
        """Work with other parameters from the next frame on."""
        self._parameters = parameters

    def reset(self) -> bool:
        """Forget past frames, path and scale before the next frame; False after a failure."""
        self._reset.set()
        return self._thread.is_alive()

    def join(self) -> None:
        """
        Wait for the frame in work, once the subscriptions are destroyed.

        :raises MdepthError: if the thread hangs, or that frame takes too long.
        """
        self._thread.join(STOP_TIMEOUT_S)
        if self._thread.is_alive():
            raise MdepthError(f'the worker did not stop within {STOP_TIMEOUT_S:g} s')

    def _run(self) -> None:
        """Work until the slot closes; an error that nobody foresaw ends the thread loudly."""
        with LoggedFailure(self._on_failure, 'the worker'):
            while (taken := self._subscriptions.images.take()) is not None:
                try:
                    with self._status.at_work():
                        self._process(*taken)
                except MdepthError as error:
                    self._status.refused(str(error))
                    self._log.error(str(error))

    def _on_failure(self, text: str) -> None:
        """Tell people: from here on nothing comes."""
        self._status.failed(f'{text.splitlines()[0]}; deactivate and activate the node')
        self._log.failure(text)

    def _process(self, message: ImageMessage, arrived_s: float) -> None:
        """Turn one image into all that is wanted of it."""
        parameters = self._parameters
        if self._reset.is_set():
            self._reset.clear()
            self._estimator.reset()
            self._forget()
        elif parameters.scale_value != self._scale_value:
            self._search_scale()
        rgb = decode(message)
        stamp_ns = nanoseconds(message.header.stamp)
        height, width = rgb.shape[:2]
        camera = self._subscriptions.cameras.camera_of(stamp_ns, width, height)
        if camera is None:
            return
        self._check(camera, message.header.frame_id)
        frame = Frame(rgb, camera, stamp_ns)
        wanted = self._publishers.wanted(parameters)
        # A scale is searched also before anybody listens.
        if not wanted and isinstance(self._found, FixedScale):
            self._estimator.observe(frame)
            self._path = None
            self._status.unheard(self._applied.scale)
            return

        scale = self._applied.scale
        known = self._applied.arrived or not parameters.wait_for_scale
        self._estimator.scale = scale.value
        estimate = self._estimator.push(frame)
        self._shown = known and (self._shown or bool(wanted))
        # What this frame tells of the scale counts from the next frame on.
        self._follow(estimate)
        if not wanted:
            self._status.unheard(scale)
            return
        if not known:
            self._status.withheld('the scale is not known yet', scale)
            return
        estimated_s = time.monotonic()
        rendering = Rendering(estimate, camera, parameters.rendering_options())
        self._publishers.publish(rendering, self._path, message.header, parameters)
        published_s = time.monotonic()
        self._status.accepted(estimate, scale, 1e3 * (published_s - arrived_s),
                              1e3 * (published_s - estimated_s))

    def _follow(self, estimate: DepthEstimate) -> None:
        """Feed the estimate to the path, and with the odometry so far to the scale."""
        if estimate.mode is Mode.SINGLE and self._mode is Mode.MULTI:
            self._log.warning(f'back to single-frame depth: {estimate.reason}')
        self._mode = estimate.mode
        if not self._shown:
            self._path = None
        elif self._path is None:  # this is the first image that is wanted, and in metres
            self._path = CameraPath()
        else:
            self._path.add(estimate)
        if isinstance(self._found, OdometryScale):
            readings = self._subscriptions.odometry
            while readings:
                reading = readings.popleft()
                self._found.add_odometry(reading.stamp_ns, reading.position)
        self._found.follow(estimate)
        self._applied.follow(self._found.scale, may_jump=not self._shown)

    def _check(self, camera: Camera, frame_id: str) -> None:
        """Start afresh with another camera; warn of what often goes wrong, once for each."""
        if self._checked is not None:
            if self._checked[1] != frame_id:
                self._estimator.reset(f'the camera is another one, {frame_id!r}')
                self._forget()
            elif self._checked[0].is_nearly(camera):
                return
            elif not self._estimator.model_config.canonical_focal:
                self._search_scale()  # the depth of another lens has another unit
        self._checked = camera, frame_id
        if 'optical' not in frame_id:
            self._log.warning(
                f"frame_id {frame_id!r} does not say 'optical': outputs are x right, "
                f'y down, z forward in it (REP 103)')
        if camera.has_distortion and self._parameters.image_is_rectified:
            self._log.warning(
                f'camera_info has distortion ({camera.distortion_model}), and image_is_rectified '
                f'is true: that is right for image_rect; for image_raw set it to false')

    def _forget(self) -> None:
        """Start path and scale afresh."""
        self._path: CameraPath | None = None
        self._mode = Mode.SINGLE
        self._search_scale()

    def _search_scale(self) -> None:
        """Start the scale that the parameters ask for."""
        parameters = self._parameters
        self._scale_value = parameters.scale_value
        start = self._scale_value or self._estimator.model_config.scale
        self._found: FixedScale | OdometryScale | GroundScale
        if parameters.scale_mode == 'odometry':
            self._found = OdometryScale(start)
        elif parameters.scale_mode == 'ground_plane':
            self._found = GroundScale(start, parameters.camera_height_m, parameters.ground_prior())
        else:
            self._found = FixedScale(start)
        self._applied = Ramp(start)
        self._applied.follow(self._found.scale, may_jump=True)
        self._shown = False
