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

"""Where played images come from: a made-up drive, a video, a folder of images."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mdepth_ros.cli.image_folder import open_image_folder
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.errors import BadImage, MdepthError
from mdepth_ros.messages.header import check_stamp
from mdepth_ros.training.datasets.image_files import read_depth, read_rgb
from mdepth_ros.training.prepare.source_image import Rejected
from mdepth_ros.training.prepare.video_source import VideoSource
import numpy as np
from numpy.typing import NDArray

# A stamp of 0 means "none" to many nodes; any other start would do.
START_NS = 1_700_000_000_000_000_000
# Of the made-up drive: width and height [px], and which of all drives it is.
SIZE, SEED = (640, 192), 7
# Frames rendered at once: few, so that the progress bar moves.
CHUNK = 4


@dataclass(frozen=True)
class SourceFrame:
    """
    One image with what is known about it.

    ``rgb`` (H, W, 3) uint8; ``depth`` (H, W) [m], NaN where there is none, +Inf sky;
    ``T_world_camera`` (4, 4) in optical axes [m].
    """

    stamp_ns: int
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32] | None = None
    T_world_camera: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Source:
    """
    A name for people, the camera, the number of frames at most, and the frames.

    ``action`` says what making the frames is, for a progress bar.
    """

    name: str
    camera: Camera
    count: int
    frames: Iterator[SourceFrame]
    action: str = 'writing the bag'


def synthetic_source(frames: int, fps: float = 10.0) -> Source:
    """
    Render a drive, with true depth and poses.

    :param frames: how many.
    :param fps: images per second of the drive [1/s].
    :return: the source.
    """
    from mdepth_ros.training.synthetic import SceneConfig, stream_sequence, to_bytes

    config = SceneConfig('driving', *SIZE, frames=frames, fps=fps)

    def frames_of() -> Iterator[SourceFrame]:
        with _one_thread():
            for piece in stream_sequence(config, SEED, chunk=CHUNK):
                images = to_bytes(piece.images).permute(0, 2, 3, 1).numpy()
                for index, stamp_ns in enumerate(piece.stamps_ns.tolist()):
                    yield SourceFrame(START_NS + stamp_ns, images[index],
                                      piece.depth[index, 0].numpy(),
                                      piece.T_world_camera[index].double().numpy())

    camera = Camera.from_fov(*SIZE, config.horizontal_fov_deg)
    return Source(f'a made-up drive (seed {SEED})', camera, frames, frames_of(), 'rendering')


@contextmanager
def _one_thread() -> Iterator[None]:
    """
    Let torch compute with one thread.

    The scenes are many small operations: more threads are a little faster on an idle machine, and
    five to ten times slower where anything else runs, since they wait for each other.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def video_source(path: Path, choice: CameraChoice, limit: int) -> Source:
    """
    Read a video with OpenCV; frames that it cannot decode are left out.

    :param path: the file.
    :param choice: its camera; a video does not carry one.
    :param limit: read at most so many frames.
    :return: the source, at the video's own frame rate.
    :raises MdepthError: if it cannot be read or the camera is not known.
    """
    if not path.is_file():
        raise MdepthError(f'no video at {path}')
    video = VideoSource(path, choice)
    total = video.count or limit

    def frames_of() -> Iterator[SourceFrame]:
        for image in islice(video.images(), limit):
            if isinstance(image, Rejected):
                print(image, flush=True)
                continue
            with suppress(BadImage):
                yield SourceFrame(START_NS + image.stamp_ns, image.read_rgb())

    return Source(f'{path.name} ({min(limit, total)} of {total} frames)', video.camera,
                  min(limit, total), frames_of())


def images_source(folder: Path, choice: CameraChoice, limit: int, fps: float) -> Source:
    """
    Read a folder of images, sorted by name, or as its ``frames.json`` lists them.

    :param folder: the folder; for ``frames.json`` see
        :mod:`mdepth_ros.training.datasets.frames_index`.
    :param choice: the camera; without ``frames.json`` it is needed.
    :param limit: read at most so many.
    :param fps: images per second, if ``frames.json`` says nothing.
    :return: the source.
    :raises MdepthError: if there are no images, the camera is not known, or a stamp is none that
        ROS has.
    """
    images = open_image_folder(folder, choice)
    index, camera = images.index, images.camera
    count = min(limit, len(images.entries))
    stamps_ns = [images.stamp_ns(place, fps, START_NS) for place in range(count)]
    for stamp_ns in stamps_ns:
        check_stamp(stamp_ns)

    def frames_of() -> Iterator[SourceFrame]:
        for stamp_ns, entry in zip(stamps_ns, images.entries):
            rgb = read_rgb(folder / entry.image, camera.width, camera.height)
            depth = (read_depth(folder / entry.depth, index.depth_unit_m)
                     if index and entry.depth else None)
            yield SourceFrame(stamp_ns, rgb, depth, entry.T_world_camera)

    return Source(f'{folder.name} ({count} of {len(images.entries)} images)', camera, count,
                  frames_of())
