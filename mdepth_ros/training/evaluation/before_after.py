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

"""What a training brought: numbers and a picture of the same frames before and after."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
import json

import cv2
import matplotlib
from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.datasets import sequence as data
from mdepth_ros.training.datasets.sequence_part import SequencePart
from mdepth_ros.training.evaluation.evaluate import EvaluatedFrame, play
from mdepth_ros.training.evaluation.protocol import ALL
from mdepth_ros.training.evaluation.stretches import whole_sequences
from mdepth_ros.training.evaluation.summary import summarise
from mdepth_ros.training.evaluation.temporal_error import COMPARED_FRAMES, temporal_error
from mdepth_ros.training.loop.recipe import Recipe
from mdepth_ros.training.validation import photometric_score, PhotometricScore
import numpy as np
from numpy.typing import NDArray

ROWS = 4  # frames in the picture
CAPTION_PX = 22

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Score:
    """
    One model on the held-back frames.

    ``abs_rel_single`` and ``abs_rel_multi`` are median-scaled, of the estimator that the robot
    runs; None where no true depth is known. ``temporal_error`` see there; None where it cannot be
    told. With ``keep_refined: steadier`` training has chosen by it, so it is a little too good.
    """

    photometric: PhotometricScore
    temporal_error: float | None
    abs_rel_single: float | None
    abs_rel_multi: float | None


def score(
    model: DepthModel, held_back: Sequence[data.Sequence], recipe: Recipe
) -> tuple[Score, list[EvaluatedFrame]]:
    """
    Score a model, on the first frames of long sequences.

    :param model: in eval mode, on the CPU.
    :param held_back: frames that it did not learn from.
    :param recipe: of the training.
    :return: the score, and some frames to look at.
    """
    width, height = recipe.data.width, recipe.data.height
    photometric = photometric_score(model, held_back, width, height, recipe.data.gap,
                                    tracks=recipe.data.tracks)
    config = EngineConfig(recipe.devices.accelerator, width=width, height=height, backend='torch')
    begun = [SequencePart(part, 0, min(len(part), COMPARED_FRAMES)) for part in held_back]
    rows = set(np.linspace(1, sum(map(len, begun)) - 1, ROWS).round().astype(int).tolist())
    scores, shown = [], []
    for i, frame in enumerate(play(DepthEstimator(model, config), whole_sequences(begun), ALL)):
        scores.append(frame.score)
        if i in rows:
            shown.append(frame)
    row = summarise(scores).rows.get('all')
    steadiness = temporal_error(model, held_back, config)
    if row is None:
        return Score(photometric, steadiness, None, None), shown
    return Score(photometric, steadiness, row.single.abs_rel, row.multi.abs_rel), shown


def text_report(before: Score, after: Score) -> str:
    """
    Compare two scores.

    :param before: of the weights that the training started from.
    :param after: of the weights that it gave.
    :return: a small table.
    """
    first, second = before.photometric, after.photometric
    rows: list[tuple[str, float | None, float | None]] = [
        ('photometric error, single-frame', first.single, second.single),
        ('photometric error, multi-frame', first.multi, second.multi),
        ('the same, all pixels, both depths', first.capped, second.capped),
        ('change from frame to frame', before.temporal_error, after.temporal_error),
        ('AbsRel (median-scaled), single-frame', before.abs_rel_single, after.abs_rel_single),
        ('AbsRel (median-scaled), multi-frame', before.abs_rel_multi, after.abs_rel_multi),
    ]
    title = f'on {second.frames} held-back frames'
    return '\n'.join([f'{title:<40}{"before":>8}{"after":>8}',
                      *(f'{name:<40}{a:8.4f}{b:8.4f}' for name, a, b in rows
                        if a is not None and b is not None)])


def json_report(before: Score, after: Score) -> str:
    """
    Return both scores as JSON.

    :param before: of the weights that the training started from.
    :param after: of the weights that it gave.
    """
    return json.dumps({'before': asdict(before), 'after': asdict(after)}, indent=2)


def draw(before: Sequence[EvaluatedFrame], after: Sequence[EvaluatedFrame]) -> Picture:
    """
    Draw frames beside their depth before and after; near is bright.

    :param before: some frames.
    :param after: the same frames.
    :return: (H, W, 3) uint8 RGB.
    """
    height, width = before[0].multi.shape
    photos = [np.asarray(cv2.resize(frame.rgb, (width, height), interpolation=cv2.INTER_AREA))
              for frame in before]
    columns = {'image': photos,
               'before, single': [_coloured(frame.single) for frame in before],
               'before, multi': [_coloured(frame.multi) for frame in before],
               'after, single': [_coloured(frame.single) for frame in after],
               'after, multi': [_coloured(frame.multi) for frame in after]}
    return np.hstack([np.vstack([_caption(title, width), *column])
                      for title, column in columns.items()])


def _coloured(depth: NDArray[np.float32]) -> Picture:
    """Colour inverse depth, from 0 to its own 95 % quantile."""
    inverse = np.nan_to_num(1 / depth)
    share = np.clip(inverse / np.quantile(inverse, 0.95), 0, 1)
    return np.asarray(matplotlib.colormaps['magma'](share, bytes=True)[..., :3])


def _caption(text: str, width: int) -> Picture:
    """Write a word on a white strip."""
    strip = np.full((CAPTION_PX, width, 3), 255, np.uint8)
    cv2.putText(strip, text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return strip
