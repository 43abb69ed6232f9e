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

"""Pictures of an evaluation: errors and scale over time."""

from collections.abc import Callable, Sequence
import io
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mdepth_ros.training.evaluation.scores import FrameScore, Scores
from mdepth_ros.whole_file import write_whole
import numpy as np
from numpy.typing import NDArray

INK, GRID = '#202020', '#dddddd'
SINGLE_COLOUR, MULTI_COLOUR = '#e08214', '#2166ac'


def plot_errors(per_frame: Sequence[FrameScore], path: Path) -> None:
    """
    Draw AbsRel over time, single and multi.

    :param per_frame: the frames, in order; those without truth leave gaps.
    :param path: the PNG to write.
    :raises MdepthError: if the disk does not take it.
    """
    _plot(per_frame, path, 'AbsRel, median-scaled',
          lambda scores: scores.scaled.single.abs_rel, lambda scores: scores.scaled.multi.abs_rel)


def plot_scale(per_frame: Sequence[FrameScore], path: Path) -> None:
    """
    Draw median(truth) / median(depth) over time: flat where scale is steady, 1 where metric.

    :param per_frame: the frames, in order; those without truth leave gaps.
    :param path: the PNG to write.
    :raises MdepthError: if the disk does not take it.
    """
    _plot(per_frame, path, 'scale, median(truth) / median(depth)',
          lambda scores: scores.single_scale, lambda scores: scores.multi_scale)


def save_figure(figure: Figure, path: Path) -> None:
    """
    Write a figure completely or not at all.

    :param figure: what was drawn.
    :param path: the PNG to write.
    :raises MdepthError: if the disk does not take it.
    """
    content = io.BytesIO()
    figure.savefig(content, format='png')
    write_whole(path, content.getvalue())


def _plot(
    per_frame: Sequence[FrameScore], path: Path, label: str,
    single: Callable[[Scores], float], multi: Callable[[Scores], float],
) -> None:
    """Draw one value of both depths."""
    figure = Figure(figsize=(11.0, 4.2), layout='constrained', dpi=110)
    axes = figure.add_subplot()
    x, unit = _times(per_frame)
    for name, value, colour in (('single-frame', single, SINGLE_COLOUR),
                                ('multi-frame', multi, MULTI_COLOUR)):
        y = np.array([np.nan if frame.scores is None else value(frame.scores)
                      for frame in per_frame])
        axes.plot(x, y, color=colour, linewidth=1.5, marker='.', markersize=4,
                  label=f'{name}, mean {np.nanmean(y):.3f} ± {np.nanstd(y):.3f}')
    _mark_sequences(axes, per_frame, x)
    axes.set_xlabel(unit, color=INK)
    axes.set_ylabel(label, color=INK)
    axes.set_ylim(bottom=0.0)
    axes.margins(x=0.01)
    axes.grid(color=GRID, linewidth=0.6)
    axes.spines[['top', 'right']].set_visible(False)
    axes.legend(frameon=False, loc='lower right', bbox_to_anchor=(1.0, 1.0), ncols=2)
    save_figure(figure, path)


def _times(per_frame: Sequence[FrameScore]) -> tuple[NDArray[np.float64], str]:
    """Seconds within one sequence; several have no common clock."""
    if len({frame.sequence for frame in per_frame}) > 1:
        return np.arange(len(per_frame), dtype=np.float64), 'frames, sequence after sequence'
    stamps = np.array([frame.stamp_ns for frame in per_frame])
    return (stamps - stamps[0]) * 1e-9, f'time from frame {per_frame[0].index} on [s]'


def _mark_sequences(
    axes: Axes, per_frame: Sequence[FrameScore], x: NDArray[np.float64]
) -> None:
    """Draw a line between the frames of two sequences."""
    for number in range(1, len(per_frame)):
        if per_frame[number].sequence != per_frame[number - 1].sequence:
            axes.axvline((x[number] + x[number - 1]) / 2, color='#999999', linewidth=0.8,
                         linestyle=':')
