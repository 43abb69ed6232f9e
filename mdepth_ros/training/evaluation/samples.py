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

"""A sheet of a few frames: image, truth, both depths and where they are wrong."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from mdepth_ros.training.evaluation.depth_colours import depth_range, label_in_metres
from mdepth_ros.training.evaluation.evaluate import EvaluatedFrame
from mdepth_ros.training.evaluation.plots import INK, save_figure
from mdepth_ros.training.evaluation.protocol import predicted_at, Protocol, relative_error
import numpy as np
from numpy.typing import NDArray

NONE_COLOUR = '#7a7a7a'
MOST_ERROR = 0.5  # relative error at the end of the colours
COLUMN_IN, BAR_IN, MARGIN_IN = 3.1, 0.12, 0.8
PICTURE_WIDTH = 340  # [px]; thin lidar points become areas that one can see
Image = NDArray[np.float32]


def draw_samples(samples: Sequence[EvaluatedFrame], protocol: Protocol, path: Path) -> None:
    """
    Draw a row per frame; one scale of colours for all depths and one for all errors.

    Depths are median-scaled where there is truth. Inverse depth is what is coloured: a step of
    colour is a step of disparity.

    :param samples: one or more frames.
    :param protocol: which errors to show.
    :param path: the PNG to write.
    :raises MdepthError: if the disk does not take it.
    """
    with_truth = any(sample.score.scores is not None for sample in samples)
    depths = [_depths(sample) for sample in samples]
    near, far = depth_range([row['truth' if with_truth else 'multi-frame'] for row in depths])
    names = ['truth'] * with_truth + ['single-frame', 'multi-frame']
    titles = ['image', *names, *(f'error of {name}' for name in names[1:] if with_truth)]
    height = COLUMN_IN * max(sample.rgb.shape[0] / sample.rgb.shape[1] for sample in samples)
    figure = Figure(figsize=(len(titles) * COLUMN_IN,
                             len(samples) * (height + 0.1) + MARGIN_IN),
                    layout='constrained', dpi=100)
    grid = figure.add_gridspec(len(samples) + 1, len(titles),
                               height_ratios=[height] * len(samples) + [BAR_IN])
    for number, (sample, row) in enumerate(zip(samples, depths)):
        cells = [figure.add_subplot(grid[number, column]) for column in range(len(titles))]
        cells[0].imshow(sample.rgb, aspect='auto')
        cells[0].text(0.02, 0.03, f'{sample.score.sequence}, {sample.score.index}', fontsize=7,
                      color=INK, transform=cells[0].transAxes,
                      bbox={'facecolor': 'white', 'alpha': 0.7, 'edgecolor': 'none', 'pad': 1.5})
        for cell, name in zip(cells[1:], names):
            depth_shown = _show(cell, 1.0 / _thin(row[name]), 'turbo', 1.0 / far, 1.0 / near)
        if with_truth:
            for cell, name in zip(cells[-2:], names[1:]):
                error = relative_error(row[name], row['truth'], protocol)
                error_shown = _show(cell, _thin(error), 'inferno', 0.0, MOST_ERROR)
        for cell, title in zip(cells, titles):
            _bare(cell, sample.rgb.shape[0] / sample.rgb.shape[1])
            if number == 0:
                cell.set_title(title, loc='left', fontsize=10, color=INK)
    last = 1 + len(names)
    bar = _bar(figure.add_subplot(grid[-1, 1:last]), depth_shown, 'depth')
    label_in_metres(bar, near, far)
    if with_truth:
        _bar(figure.add_subplot(grid[-1, last:]), error_shown, '|d - t| / t, median-scaled')
    save_figure(figure, path)


def _depths(sample: EvaluatedFrame) -> dict[str, Image]:
    """Truth and both depths [m], these at the truth's size and scale where there is one."""
    scores, truth = sample.score.scores, sample.truth
    single, multi = sample.single, sample.multi
    if truth is not None:
        single, multi = predicted_at(single, truth.shape), predicted_at(multi, truth.shape)
    # A truth of which no pixel counts, all sky, gives no scale.
    if scores is not None:
        single = single * np.float32(scores.single_scale)
        multi = multi * np.float32(scores.multi_scale)
    none = np.full_like(single, np.nan)
    return {'truth': none if truth is None else np.where(truth > 0, truth, np.nan),
            'single-frame': single, 'multi-frame': multi}


def _thin(values: Image) -> Image:
    """Shrink to the sheet's resolution by the means of what is known, NaN where nothing is."""
    H, W = values.shape
    if W <= PICTURE_WIDTH:
        return values
    size = (PICTURE_WIDTH, round(PICTURE_WIDTH * H / W))
    known = np.isfinite(values)
    total = cv2.resize(np.where(known, values, 0).astype(np.float32), size,
                       interpolation=cv2.INTER_AREA)
    share = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.divide(total, share, out=np.full_like(total, np.nan), where=share > 0)


def _show(axes: Axes, values: NDArray[Any], colours: str, low: float, high: float) -> AxesImage:
    """Show values; grey where there are none."""
    return axes.imshow(np.ma.masked_invalid(values), vmin=low, vmax=high, aspect='auto',
                       cmap=colormaps[colours].with_extremes(bad=NONE_COLOUR),
                       interpolation='nearest')


def _bare(axes: Axes, aspect: float) -> None:
    """Give a picture the image's shape, without ticks and frame."""
    axes.set_box_aspect(aspect)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_frame_on(False)


def _bar(axes: Axes, shown: AxesImage, label: str) -> Colorbar:
    """Draw the colour bar of all pictures that share these colours."""
    bar = axes.figure.colorbar(shown, cax=axes, orientation='horizontal')
    bar.set_label(label, fontsize=9, color=INK)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    return bar
