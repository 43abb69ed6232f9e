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

"""What a prediction leaves behind: depth and clouds of each frame, one cloud of all."""

import io
from pathlib import Path
from typing import Protocol

import cv2
from mdepth_ros.cli.predict.frame import PredictedFrame
from mdepth_ros.engine.camera_yaml import write_camera_yaml
from mdepth_ros.engine.cloud_files import cloud_file, CloudFormat
from mdepth_ros.engine.fused_cloud import FusedCloud
from mdepth_ros.engine.point_cloud import CloudFilter
from mdepth_ros.errors import MdepthError, writing
from mdepth_ros.messages.depth_images import to_millimetres
from mdepth_ros.training.datasets.image_files import write_image
from mdepth_ros.whole_file import write_whole
import numpy as np

# A cell that fewer frames saw is more often an error than a surface.
MIN_FRAMES = 3


class Output(Protocol):
    """Something that takes frames, and is complete once it is closed."""

    def write(self, frame: PredictedFrame) -> None:
        """Take the next frame; raises MdepthError if the disk does not."""

    def close(self) -> str | None:
        """Complete the files; returns what there is, in a line, None if nothing is."""


class DepthPngs:
    """
    Depth in millimetres, 0 where it is not known, as 16-bit PNG.

    :param folder: where ``depth/<number>.png`` and the camera's file go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def write(self, frame: PredictedFrame) -> None:
        """Write an image."""
        # PNG's first level is several times faster, for a tenth more bytes.
        write_image(self._folder / 'depth' / f'{frame.number:06}.png',
                    to_millimetres(frame.rendering.depth), [cv2.IMWRITE_PNG_COMPRESSION, 1])
        if not self._count:
            path = self._folder / 'camera.yaml'
            with writing(path):
                write_camera_yaml(frame.rendering.camera, path)
        self._count += 1

    def close(self) -> str | None:
        """Say what there is."""
        return f'depth/: {self._count} PNG images [mm], of camera.yaml' if self._count else None


class DepthArrays:
    """
    Depth and confidence as NumPy has them.

    ``depth`` (H, W) float32 [m] is NaN where it is not known, +Inf beyond range, -Inf too close;
    ``confidence`` (H, W) float32 in [0, 1]; ``K`` (3, 3) [px]; ``stamp_ns``; ``T_first_camera``
    (4, 4) is the estimated pose in the first frame's optical frame [m].

    :param folder: where ``depth/<number>.npz`` go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def write(self, frame: PredictedFrame) -> None:
        """Write a file."""
        content = io.BytesIO()
        np.savez(content, depth=frame.rendering.depth, confidence=frame.rendering.confidence,
                 K=frame.rendering.camera.rectified_K(), stamp_ns=frame.estimate.stamp_ns,
                 T_first_camera=frame.path.T_first_camera)
        write_whole(self._folder / 'depth' / f'{frame.number:06}.npz', content.getvalue())
        self._count += 1

    def close(self) -> str | None:
        """Say what there is."""
        return f'depth/: {self._count} NumPy files' if self._count else None


class Clouds:
    """
    The confident points of each frame, in its camera's optical frame [m].

    :param folder: where ``clouds/<number>.<form>`` go.
    :param form: of the files.
    """

    def __init__(self, folder: Path, form: CloudFormat) -> None:
        self._folder, self._form, self._count = folder, form, 0

    def write(self, frame: PredictedFrame) -> None:
        """Write a cloud."""
        write_whole(self._folder / 'clouds' / f'{frame.number:06}.{self._form}',
                    cloud_file(*frame.rendering.navigation_points, self._form))
        self._count += 1

    def close(self) -> str | None:
        """Say what there is."""
        return f'clouds/: {self._count} {self._form.upper()} clouds' if self._count else None


class Fused:
    """
    One cloud of the whole run, along the estimated path, in the first frame's optical frame [m].

    :param path: the PLY file.
    :param cell_m: edge of the grid's cells [m].
    :param keep: which points are exact enough.
    """

    def __init__(self, path: Path, cell_m: float, keep: CloudFilter) -> None:
        self._path, self._keep = path, keep
        self._fused, self._count, self._ended = FusedCloud(cell_m, MIN_FRAMES), 0, ''

    def write(self, frame: PredictedFrame) -> None:
        """Add a frame's points, as long as the grid reaches."""
        if self._ended:
            return
        try:
            self._fused.add(*frame.rendering.points_that_pass(self._keep),
                            frame.path.T_first_camera)
        except MdepthError as error:
            self._ended = str(error)
        else:
            self._count += 1

    def close(self) -> str | None:
        """Write the file."""
        if not self._count:
            return f'no {self._path.name}: {self._ended}' if self._ended else None
        points, rgb = self._fused.cloud()
        write_whole(self._path, cloud_file(points, rgb, 'ply'))
        there_is = f'{self._path.name}: {len(points)} points of {self._count} frames'
        return f'{there_is}; no more: {self._ended}' if self._ended else there_is
