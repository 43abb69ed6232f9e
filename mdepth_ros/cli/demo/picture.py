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

"""One picture of a late frame: image, depth, confidence, the cloud from the side, the truth."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from mdepth_ros.cli.driven_node import NAMESPACE
from mdepth_ros.cli.played.material import Material, TRUTH_TOPIC
from mdepth_ros.cli.played.recording import find_message, pixels_of, points_of
from mdepth_ros.cli.played.session import DEPTH, POINTS, Session
from mdepth_ros.ros.image_decoding import decode
from mdepth_ros.training.evaluation.depth_colours import depth_range, label_in_metres
from mdepth_ros.training.evaluation.plots import INK, save_figure
import numpy as np
from numpy.typing import NDArray

NAN_COLOUR, FAR_COLOUR, NEAR_COLOUR = '#7a7a7a', '#c9d8ee', '#ff00ff'
COLUMN_IN, SIDE_IN = 6.2, 3.0  # width of an image, height of the cloud's plot


def draw_picture(material: Material, session: Session, path: Path) -> None:
    """
    Draw a frame at four fifths of the session.

    :param material: what was played.
    :param session: what happened; must hold a depth image.
    :param path: the PNG to write.
    :raises MdepthError: if the disk does not take it.
    """
    times = session.times()
    stamps = sorted(times[DEPTH].keys() & times.get(POINTS, times[DEPTH]).keys())
    stamp = stamps[int(0.8 * (len(stamps) - 1))]
    rgb = _input_image(material, stamp)
    depth = pixels_of(find_message(session.recording, DEPTH, stamp))
    confidence = find_message(session.recording, f'{NAMESPACE}/depth/confidence', stamp)
    truth = (None if material.truth is None
             else find_message(material.truth, TRUTH_TOPIC, stamp))
    cloud = find_message(session.recording, POINTS, stamp)

    aspect = rgb.shape[0] / rgb.shape[1]
    rows = 2 if truth is None else 3
    height = COLUMN_IN * aspect
    last = height if truth is None else SIDE_IN
    figure = Figure(figsize=(2 * COLUMN_IN + 2.0, (rows - 1) * (height + 0.5) + last + 1.0),
                    layout='constrained', dpi=110)
    grid = figure.add_gridspec(rows, 2, height_ratios=[height] * (rows - 1) + [last])
    near, far = depth_range([depth if truth is None else pixels_of(truth)])
    _show(figure.add_subplot(grid[0, 0]), rgb, 'input')
    # The network's size may have another aspect; it is stretched to the image that it covers.
    _show_depth(figure.add_subplot(grid[0, 1], box_aspect=aspect), depth, near, far, 'depth')
    if truth is not None:
        _show_depth(figure.add_subplot(grid[1, 1], box_aspect=aspect), pixels_of(truth), near, far,
                    'true depth')
    # Without a truth the confidence stands beside the cloud.
    if confidence is not None:
        _show_confidence(figure.add_subplot(grid[1, 0], box_aspect=aspect), pixels_of(confidence))
    _show_side(figure.add_subplot(grid[1, 1] if truth is None else grid[2, :]), cloud)
    seconds = (stamp - session.played[0].stamp_ns) / 1e9
    figure.suptitle(f'{material.name}, {seconds:.1f} s after its start', color=INK, fontsize=12)
    save_figure(figure, path)


def _input_image(material: Material, stamp_ns: int) -> NDArray[np.uint8]:
    """Decode the image with this stamp from the bag that was played."""
    return decode(find_message(material.bag, material.topics.image, stamp_ns))


def _frame(axes: Axes, title: str) -> None:
    """Title an image and take its ticks away."""
    axes.set_title(title, loc='left', fontsize=10, color=INK)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _show(axes: Axes, image: NDArray[Any], title: str) -> None:
    """Show a colour image."""
    axes.imshow(image)
    _frame(axes, title)


def _show_depth(axes: Axes, depth: NDArray[np.float32], near: float, far: float,
                title: str) -> None:
    """Show inverse depth, where a step of colour is a step of disparity; mark what is none."""
    inverse = np.ma.masked_invalid(np.where(depth > 0, 1.0 / depth, np.nan))
    inverse = np.ma.masked_where(~np.isfinite(depth), inverse)
    shown = axes.imshow(inverse, cmap='turbo', vmin=1.0 / far, vmax=1.0 / near,
                        interpolation='nearest', aspect='auto')
    marks = []
    for where, colour, text in ((np.isnan(depth), NAN_COLOUR, 'none (NaN)'),
                                (np.isposinf(depth), FAR_COLOUR, 'beyond range (+Inf)'),
                                (np.isneginf(depth), NEAR_COLOUR, 'too close (-Inf)')):
        if where.any():
            overlay = np.zeros((*depth.shape, 4))
            overlay[where] = to_rgba(colour)
            axes.imshow(overlay, interpolation='nearest', aspect='auto')
            marks.append(Patch(color=colour, label=f'{text} {100 * where.mean():.0f} %'))
    _frame(axes, title)
    label_in_metres(_bar(axes, shown), near, far)
    if marks:
        axes.legend(handles=marks, loc='lower right', bbox_to_anchor=(1.0, 1.0), ncols=3,
                    frameon=False, fontsize=8, borderaxespad=0.1, handlelength=1.0)


def _show_confidence(axes: Axes, confidence: NDArray[np.float32]) -> None:
    """Show the confidence."""
    shown = axes.imshow(confidence, cmap='viridis', vmin=0.0, vmax=1.0, aspect='auto')
    _frame(axes, f'confidence, median {np.nanmedian(confidence):.2f}')
    _bar(axes, shown)


def _bar(axes: Axes, shown: AxesImage) -> Colorbar:
    """Put a colour bar of the image's own height beside it."""
    bar = axes.figure.colorbar(shown, cax=axes.inset_axes([1.015, 0.0, 0.025, 1.0]))
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    return bar


def _show_side(axes: Axes, cloud: Any) -> None:
    """Show the cloud from the left: forward to the right, up is up, camera at the origin."""
    axes.set_title('cloud from the side', loc='left', fontsize=10, color=INK)
    axes.set_xlabel('forward [m]', fontsize=9)
    axes.set_ylabel('above the camera [m]', fontsize=9)
    axes.tick_params(labelsize=8)
    axes.set_facecolor('#f4f4f4')
    points, colours = (np.zeros((0, 3)), np.zeros((0, 3))) if cloud is None else points_of(cloud)
    if not len(points):
        text = 'no cloud recorded' if cloud is None else 'the cloud has no finite point'
        axes.text(0.5, 0.5, text, ha='center', transform=axes.transAxes, color=INK)
        return
    points, colours = points[::2], colours[::2]
    # The nearest last, on top, as one would see it from the left.
    order = np.argsort(points[:, 0])[::-1]
    x, up = points[order, 2], -points[order, 1]
    far = float(np.percentile(x, 95))
    axes.scatter(x, up, s=0.8, c=colours[order] / 255.0, linewidths=0, rasterized=True)
    low, high = np.percentile(up[x < far], [0.5, 99.5]) if (x < far).any() else (-2.0, 2.0)
    axes.plot(0, 0, marker='>', color='#d62728', markersize=9, zorder=3)
    axes.set_xlim(-0.03 * far, 1.05 * far)
    margin = 0.15 * (high - low)
    axes.set_ylim(min(low, 0) - margin, max(high, 0) + margin)
    axes.grid(color='white', linewidth=0.8)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
