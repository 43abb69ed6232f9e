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

"""One recording to sequences of frames, from its start or from where a journal ends."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import cv2
from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import BadCamera, BadImage
from mdepth_ros.training.datasets.frames_index import FrameEntry, FramesIndex
from mdepth_ros.training.prepare.frame_writer import FrameWriter
from mdepth_ros.training.prepare.journal import Decision, Journal
from mdepth_ros.training.prepare.options import PrepareOptions
from mdepth_ros.training.prepare.rectifier import Rectifier
from mdepth_ros.training.prepare.report import SourceReport
from mdepth_ros.training.prepare.source_image import (
    BAD_CAMERA,
    BROKEN,
    LEFT_OUT,
    Rejected,
    REPEATED,
    SHORT,
    Source,
    SourceImage,
    STATIC,
)
from mdepth_ros.training.samples.parallax import image_motion
import numpy as np
from numpy.typing import NDArray

MIN_FRAMES = 3
# Displacement since the last frame that is none, as a share of the width.
STATIC_SHARE = 0.002
# Of points that could not be followed nobody knows whether they moved.
MIN_TRACKED = 0.5

Pixels = NDArray[np.uint8]


class SourceRun:
    """
    Takes the images of one source in order.

    What the journal knows already is only retraced, so that all that follows, the numbers of
    sequences and frames included, is as if the run had never been interrupted.

    :param number: of the source, in the journal.
    :param source: the recording.
    :param writer: where its frames go.
    :param journal: what is known, and where decisions go.
    :param options: how it is prepared.
    """

    def __init__(self, number: int, source: Source, writer: FrameWriter, journal: Journal,
                 options: PrepareOptions) -> None:
        self._number = number
        self._source = source
        self._writer = writer
        self._journal = journal
        self._options = options
        self._rectify = not (options.rectified or source.rectified)
        self._rectifiers: dict[Camera, Rectifier] = {}
        self._rejected: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._finished: list[FrameEntry] = []
        self._sequence = 0
        self._frames: list[FrameEntry] = []
        self._camera: Camera | None = None
        self._clock_ns: int | None = None
        self._breaks = False
        self._last_grey: Pixels | None = None

    def run(self, advance: Callable[[], object]) -> SourceReport:
        """
        Take all images.

        :param advance: called after each.
        :return: what became of them; all files of the source are on the disk.
        :raises MdepthError: if the recording or the disk gives up.
        """
        decisions = self._journal.decisions(self._number)
        newest_frame = max((n for n, known in decisions.items() if not known.rejected), default=-1)
        count = 0
        for count, image in enumerate(self._source.images(), 1):
            number = count - 1
            try:
                if number in decisions:
                    self._retrace(image, decisions[number])
                    if number == newest_frame:
                        self._last_grey = _grey(self._rectified(self._usable(image)))
                else:
                    self._take(number, image)
            except Rejected as rejected:
                self._count(rejected)
                if number not in decisions and rejected.reason != LEFT_OUT:
                    self._journal.decide(self._number, number,
                                         Decision(rejected.reason, rejected.detail))
            advance()
        self._end_sequence(live=True)
        if not self._sequence:
            self._writer.remove()
        return self._report(count)

    def _take(self, number: int, given: SourceImage | Rejected) -> None:
        """Make a frame of an image, or raise Rejected."""
        image = self._usable(given)
        self._refuse_repeated(image)
        if number % self._options.every:
            self._follow(image.stamp_ns)
            raise Rejected(LEFT_OUT)
        rgb = self._rectified(image)
        self._follow(image.stamp_ns, image.camera)
        grey = _grey(rgb)
        if not self._breaks and not self._options.keep_static and self._is_static(grey):
            raise Rejected(STATIC)
        self._break_sequence(image.camera, live=True)
        index = len(self._frames)
        depth = image.read_depth()
        if depth is not None:
            self._writer.write_depth(self._sequence, index,
                                     self._rectifier(image.camera).depth(depth))
        self._writer.write_image(self._sequence, index, rgb)
        self._journal.decide(self._number, number, Decision(has_depth=depth is not None))
        self._add(image, depth is not None)
        self._last_grey = grey

    def _retrace(self, given: SourceImage | Rejected, known: Decision) -> None:
        """Repeat what is known about an image, without its files."""
        if known.rejected:
            if known.rejected == STATIC:
                image = self._usable(given)
                self._follow(image.stamp_ns, image.camera)
            raise Rejected(known.rejected, known.detail)
        image = self._usable(given)
        self._follow(image.stamp_ns, image.camera)
        self._break_sequence(image.camera, live=False)
        self._add(image, known.has_depth)

    def _usable(self, image: SourceImage | Rejected) -> SourceImage:
        """Raise what rejects an image; autofocus does not make another camera of one."""
        if isinstance(image, Rejected):
            raise image
        if self._camera is not None and self._camera.is_nearly(image.camera):
            return replace(image, camera=self._camera)
        return image

    def _refuse_repeated(self, image: SourceImage) -> None:
        """Refuse a second image of the same time."""
        if image.stamp_ns == self._clock_ns:
            raise Rejected(REPEATED, f'{image.stamp_ns} ns')

    def _follow(self, stamp_ns: int, camera: Camera | None = None) -> None:
        """Note whether a pause, a jump back or another camera ends the sequence here."""
        if self._clock_ns is not None:
            step_ns = stamp_ns - self._clock_ns
            self._breaks |= not 0 < step_ns <= self._options.max_gap_s * 1e9
        if camera is not None and self._camera is not None and camera != self._camera:
            self._breaks = True
        self._clock_ns = stamp_ns

    def _is_static(self, grey: Pixels) -> bool:
        """Whether the camera stands where it took the last frame."""
        if self._last_grey is None:
            return False
        if np.array_equal(grey, self._last_grey):  # a frozen or featureless picture, too
            return True
        motion = image_motion(self._last_grey, grey)
        return motion.tracked >= MIN_TRACKED and motion.displacement < STATIC_SHARE

    def _break_sequence(self, camera: Camera, live: bool) -> None:
        """Begin a new sequence, if it is time to."""
        if self._breaks:
            self._end_sequence(live)
        self._camera = camera

    def _end_sequence(self, live: bool) -> None:
        """Keep or drop the sequence; on the disk only if that was not done before."""
        if len(self._frames) >= MIN_FRAMES:
            if live and self._camera is not None:
                camera = self._rectifier(self._camera).camera
                self._writer.finish(self._sequence, FramesIndex(
                    camera.width, camera.height, camera.K, tuple(self._frames)))
            self._finished += self._frames
            self._sequence += 1
        elif self._frames:
            for _ in self._frames:
                self._count(Rejected(SHORT))
            if live:
                self._writer.remove(self._sequence)
        self._frames = []
        self._breaks = False
        self._last_grey = None

    def _add(self, image: SourceImage, has_depth: bool) -> None:
        """Append a frame to the sequence."""
        index = len(self._frames)
        self._frames.append(FrameEntry(
            self._writer.image_name(index), image.stamp_ns,
            self._writer.depth_name(index) if has_depth else None, T_odom_base=image.T_odom_base))

    def _rectified(self, image: SourceImage) -> Pixels:
        """Decode and rectify."""
        try:
            # Read first: it is refused if its camera has another size, which may be absurd.
            rgb = image.read_rgb()
            return self._rectifier(image.camera).image(rgb)
        except BadImage as error:
            raise Rejected(BROKEN, str(error)) from error
        except BadCamera as error:  # one that cannot be rectified
            raise Rejected(BAD_CAMERA, str(error)) from error

    def _rectifier(self, camera: Camera) -> Rectifier:
        """Return the camera's rectifier, whose lookups take a while to make."""
        if camera not in self._rectifiers:
            self._rectifiers = {camera: Rectifier(
                camera, self._options.width, self._rectify and camera.needs_rectification)}
        return self._rectifiers[camera]

    def _count(self, rejected: Rejected) -> None:
        """Count a rejection, and remember what was wrong with the first of its kind."""
        self._rejected[rejected.reason] += 1
        if rejected.detail:
            self._first.setdefault(rejected.reason, rejected.detail)

    def _report(self, images: int) -> SourceReport:
        """Sum up."""
        frames = self._finished
        return SourceReport(
            self._source.name, self._writer.folder.name, images, len(frames), self._sequence,
            sum(frame.depth is not None for frame in frames),
            sum(frame.T_odom_base is not None for frame in frames), dict(self._rejected),
            self._first)


def _grey(rgb: Pixels) -> Pixels:
    """Grey picture for the comparison with the next one."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
