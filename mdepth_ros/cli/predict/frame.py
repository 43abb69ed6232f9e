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

"""Images of a source to predicted frames."""

from dataclasses import dataclass, replace
from functools import cached_property

from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_path import CameraPath
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import DepthEstimate, Frame
from mdepth_ros.engine.rendering import Rendering, RenderingOptions
from mdepth_ros.messages.header import check_stamp, OPTICAL_FRAME
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.prepare.rectifier import Rectifier
from mdepth_ros.training.prepare.source_image import SourceImage
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PredictedFrame:
    """
    One image with its depth.

    ``number`` counts the source's images from 0; ``frame_id`` is the image's; ``path`` is the
    camera's up to this frame, valid until the next one is predicted. ``image_as_it_came`` (H, W,
    3) uint8 RGB; ``rectifier`` undistorts it, None where there is nothing to undistort.
    """

    number: int
    frame_id: str
    estimate: DepthEstimate
    rendering: Rendering
    path: CameraPath
    image_as_it_came: NDArray[np.uint8]
    rectifier: Rectifier | None

    @cached_property
    def rgb(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB image, pixel for pixel that of the rendered depth."""
        size = self.rendering.camera.height, self.rendering.camera.width
        if self.image_as_it_came.shape[:2] != size:
            return self.estimate.rgb
        return (self.image_as_it_came if self.rectifier is None
                else self.rectifier.image(self.image_as_it_came))


class Predictor:
    """
    The model on one image after another.

    :param model: the networks.
    :param config: how to run them; images that are not rectified are undistorted if need be.
    :param options: what the depth is to be like.
    :param rectified: whether the source's images are.
    """

    def __init__(self, model: DepthModel, config: EngineConfig, options: RenderingOptions,
                 rectified: bool) -> None:
        self._model, self._config, self._options = model, config, options
        self._rectified = rectified
        self._camera: Camera | None = None
        self._rectifier: Rectifier | None = None
        self.estimator = DepthEstimator(model, config)
        self.path = CameraPath()

    def __call__(self, number: int, image: SourceImage) -> PredictedFrame:
        """
        Predict.

        :param number: of the image.
        :param image: the next one; stamps that jump, and other cameras, start matching anew.
        :raises BadImage: if it cannot be decoded, or its stamp repeats or is none that ROS has.
        :raises BadCamera: if its camera cannot be used.
        """
        check_stamp(image.stamp_ns)
        rgb = image.read_rgb()
        if image.camera != self._camera:
            self._follow(image.camera)
        estimate = self.estimator.push(Frame(rgb, image.camera, image.stamp_ns))
        self.path.add(estimate)
        return PredictedFrame(number, image.frame_id or OPTICAL_FRAME, estimate,
                              Rendering(estimate, image.camera, self._options), self.path, rgb,
                              self._rectifier)

    def _follow(self, camera: Camera) -> None:
        """Rectify the images of another camera, if they need it."""
        rectify = not self._rectified and camera.needs_rectification
        rectifier = Rectifier(camera, 0, rectify=True) if rectify else None
        if rectify != self.estimator.config.rectify:
            self.estimator = DepthEstimator(self._model, replace(self._config, rectify=rectify))
        self._camera, self._rectifier = camera, rectifier
