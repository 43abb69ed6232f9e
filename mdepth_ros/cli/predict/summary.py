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

"""What became of a recording: counted, for people and as JSON."""

from collections import Counter
from pathlib import Path
from statistics import median
import time
from typing import Any

from mdepth_ros.cli.json_file import write_json
from mdepth_ros.cli.predict.frame import PredictedFrame
from mdepth_ros.engine.frames import Mode
from mdepth_ros.errors import MdepthError

SHOWN = 3  # reasons and unusable images that are named on the screen


class Summary:
    """
    Counts frames as they come.

    :ivar complete: whether the run came to its end.
    """

    def __init__(self) -> None:
        self.complete = False
        self._kept: list[str] = []
        self._started = time.monotonic()
        self._stamps: list[int] = []
        self._single: Counter[str] = Counter()
        self._depth_ms: list[float] = []
        self._lost_motions = 0
        self._last: PredictedFrame | None = None
        self._unusable: list[dict[str, Any]] = []

    @property
    def frames(self) -> int:
        """Predicted so far."""
        return len(self._stamps)

    def add(self, frame: PredictedFrame) -> None:
        """Count a frame whose outputs are written."""
        estimate = frame.estimate
        if self._stamps and estimate.T_previous_target is None:
            self._lost_motions += 1
        self._stamps.append(estimate.stamp_ns)
        if estimate.mode is Mode.SINGLE:
            self._single[estimate.reason] += 1
        timings = estimate.timings
        self._depth_ms.append(timings.preprocess_ms + timings.single_ms + timings.pose_ms
                              + timings.multi_ms)
        self._last = frame

    def refuse(self, number: int, error: MdepthError) -> None:
        """Count an image that could not be used."""
        self._unusable.append({'image': number, 'reason': str(error)})

    def keep(self, what: str) -> None:
        """Note a complete output."""
        self._kept.append(what)

    def text(self, out: Path) -> str:
        """Return what people should know; the outputs are in a folder."""
        lines = [f'{self.frames} frames: {self.frames - self._single.total()} matched, '
                 f'{self._single.total()} single-frame']
        lines += [f'  {count} single-frame: {reason}'
                  for reason, count in self._single.most_common(SHOWN)]
        if self._lost_motions:
            lines.append(f'{self._lost_motions} frames whose motion is not known: there the path '
                         'stands still, and in the fused cloud what follows lies wrong')
        lines += [f'image {entry["image"]} could not be used: {entry["reason"]}'
                  for entry in self._unusable[:SHOWN]]
        if len(self._unusable) > SHOWN:
            lines.append(f'... and {len(self._unusable) - SHOWN} more')
        lines.append(f'in {out}: ' + '; '.join([*self._kept, 'summary.json']))
        return '\n'.join(lines)

    def require_a_frame(self, source: str) -> None:
        """Raise MdepthError if there is not one frame."""
        if not self.frames:
            why = (f'; image {self._unusable[0]["image"]}: {self._unusable[0]["reason"]}'
                   if self._unusable else '')
            raise MdepthError(f'{source}: none of the images could be used{why}')

    def write(self, path: Path, about: dict[str, Any]) -> None:
        """
        Write the JSON.

        ``complete``, ``kept`` (a line for each output), ``frames``, ``matched``, ``single`` (by
        reason), ``lost_motions``, ``unusable`` (image and reason), ``first_stamp_ns``,
        ``last_stamp_ns``, ``scale``, ``path_length_m``, ``size`` of the network,
        ``first_depth_ms``, ``depth_ms`` (median of the others) and ``total_s``.

        :param path: the file.
        :param about: what else to write.
        """
        last = self._last
        content: dict[str, Any] = about | {
            'complete': self.complete, 'kept': self._kept,
            'frames': self.frames, 'matched': self.frames - self._single.total(),
            'single': dict(self._single), 'lost_motions': self._lost_motions,
            'unusable': self._unusable, 'total_s': round(time.monotonic() - self._started, 3)}
        if last is not None:
            height, width = last.estimate.depth.shape[2:]
            content |= {
                'first_stamp_ns': self._stamps[0], 'last_stamp_ns': self._stamps[-1],
                'scale': last.estimate.scale, 'path_length_m': last.path.length_m,
                'size': f'{width}x{height}', 'first_depth_ms': self._depth_ms[0],
                'depth_ms': median(self._depth_ms[1:] or self._depth_ms)}
        write_json(path, content)
