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

"""Worlds and recordings, played by each method from beginning to end."""

from dataclasses import dataclass
from pathlib import Path

from mdepth_ros.training.datasets.frames_folder import open_frames
from mdepth_ros.training.datasets.sequence import Sequence
from mdepth_ros.training.robustness.bench import Bench
from mdepth_ros.training.robustness.methods import METHODS
from mdepth_ros.training.robustness.scene_classes import open_world
from mdepth_ros.training.robustness.view import views_of
from mdepth_ros.training.robustness.view_scores import score_views, ViewScore

# A robot has seen some frames already: those before are played, and count for steadiness only.
LEAD_FRAMES = 5


@dataclass(frozen=True)
class Run:
    """One world of a class; ``scores`` of each method, the first ``lead`` without errors."""

    name: str
    lead: int
    scores: dict[str, list[ViewScore]]


@dataclass(frozen=True)
class Recording:
    """
    Real frames: ``first`` to ``last``, itself included, or to the end if that is None.

    ``path`` is a frames folder, or a tree of them.
    """

    path: Path
    first: int = 0
    last: int | None = None

    def open(self) -> list[Sequence]:
        """
        Open them.

        :raises MdepthError: as :func:`open_frames`.
        """
        end = None if self.last is None else self.last + 1
        return open_frames(self.path, self.first, end)


def run_world(bench: Bench, name: str, number: int) -> Run:
    """
    Play a world of a scene class.

    :param bench: how.
    :param name: of the class.
    :param number: which of its worlds.
    :raises MdepthError: as the estimator does.
    """
    world = open_world(name, number, *bench.camera_size, LEAD_FRAMES + bench.frames)
    return Run(name, LEAD_FRAMES, {
        method: score_views(bench.estimator(method), views_of(world)) for method in METHODS})


def run_recording(bench: Bench, recording: Recording) -> Run:
    """
    Play real frames at the size that the engine chooses for their camera.

    :param bench: how.
    :param recording: what.
    :raises MdepthError: naming the file, if one is missing or broken.
    """
    return Run('recording', 0, {
        method: [score for sequence in recording.open()
                 for score in score_views(bench.estimator(method, resized=False),
                                          views_of(sequence))]
        for method in METHODS})
