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

"""Draw docs/pipeline.svg, and a PNG to look at: python docs/pipeline.py OUT_FOLDER."""

from dataclasses import dataclass
from pathlib import Path
import sys

import matplotlib as mpl

mpl.use('Agg')
# Text stays text, and the file is the same every time.
mpl.rcParams |= {'svg.fonttype': 'none', 'svg.hashsalt': 'pipeline', 'font.family': 'sans-serif'}
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.patches import FancyBboxPatch  # noqa: E402

NETWORK, PLAIN, OUTPUT = '#cfe3f7', '#eeeeee', '#d9efd4'
WIDTH, HEIGHT = 2.15, 0.84


@dataclass(frozen=True)
class Box:
    """A step: centre, colour, name and what it gives."""

    x: float
    y: float
    colour: str
    name: str
    gives: str


TOP, MIDDLE, LOW = 4.7, 2.9, 1.1
BOXES = {
    'image': Box(1.2, MIDDLE, PLAIN, 'image', 'resized, undistorted'),
    'past': Box(1.2, LOW, PLAIN, 'past frames', '16, described'),
    'single': Box(4.1, TOP, NETWORK, 'S-DepthNet', 'single-frame depth D_s'),
    'features': Box(4.1, MIDDLE, NETWORK, 'feature pyramid', '1/4 size, 32 channels'),
    'points': Box(4.1, LOW, PLAIN, 'followed points', 'where corners went'),
    'pads': Box(7.0, TOP, PLAIN, 'PADS', '16 depths around D_s'),
    'volume': Box(7.0, MIDDLE, PLAIN, 'cost volume', 'likeness at each depth'),
    'motion': Box(7.0, LOW, PLAIN, 'motion, source', 'by the points and D_s'),
    'trust': Box(9.9, TOP, NETWORK, 'TrustNet', 'blend, confidence'),
    'multi': Box(9.9, MIDDLE, NETWORK, 'M-DepthNet', 'multi-frame depth D_m'),
    'scale': Box(9.9, LOW, PLAIN, 'scale', 'odometry or ground'),
    'steady': Box(12.8, MIDDLE, PLAIN, 'depth filter', 'averaged, no jumps, metric'),
    'out': Box(12.8, TOP, OUTPUT, 'messages', 'depth, clouds, path'),
}
# From, to, and where the arrow leaves and arrives: east, west, north, south.
ARROWS = (
    ('image', 'single', 'ew'), ('image', 'features', 'ew'), ('image', 'points', 'ew'),
    ('past', 'points', 'ew'), ('single', 'pads', 'ew'), ('pads', 'volume', 'sn'),
    ('features', 'volume', 'ew'), ('points', 'motion', 'ew'), ('motion', 'volume', 'ns'),
    ('volume', 'multi', 'ew'), ('multi', 'trust', 'ns'), ('trust', 'steady', 'ew'),
    ('motion', 'scale', 'ew'), ('scale', 'steady', 'ew'), ('steady', 'out', 'ns'),
)
SIDES = {'e': (0.5, 0.0), 'w': (-0.5, 0.0), 'n': (0.0, 0.5), 's': (0.0, -0.5)}


def draw(axes: Axes) -> None:
    """
    Draw boxes and arrows.

    :param axes: empty ones, in units of the boxes.
    """
    for box in BOXES.values():
        axes.add_patch(FancyBboxPatch(
            (box.x - WIDTH / 2, box.y - HEIGHT / 2), WIDTH, HEIGHT, facecolor=box.colour,
            edgecolor='#555555', linewidth=0.8, boxstyle='round,pad=0.06'))
        axes.text(box.x, box.y + 0.17, box.name, ha='center', va='center', fontsize=11,
                  weight='bold')
        axes.text(box.x, box.y - 0.2, box.gives, ha='center', va='center', fontsize=8.5)
    for start, end, sides in ARROWS:
        _arrow(axes, _port(BOXES[start], sides[0]), _port(BOXES[end], sides[1]))
    axes.plot([4.1, 4.1, 9.9], [TOP + 0.5, 5.75, 5.75], color='#555555', linewidth=1)
    _arrow(axes, (9.9, 5.75), _port(BOXES['trust'], 'n'))
    axes.text(7.0, 5.85, 'D_s, the fallback wherever matching tells nothing', ha='center',
              fontsize=8.5)
    axes.text(7.1, 2.0, "T, the source's features", va='center', fontsize=8.5)


def _port(box: Box, side: str) -> tuple[float, float]:
    """Middle of a box's side, with its border."""
    dx, dy = SIDES[side]
    return box.x + dx * (WIDTH + 0.14), box.y + dy * (HEIGHT + 0.14)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate('', xy=end, xytext=start,
                  arrowprops={'arrowstyle': '-|>', 'color': '#555555', 'linewidth': 1})


def main(folder: Path) -> None:
    """
    Write the figure.

    :param folder: takes pipeline.svg and pipeline.png.
    """
    figure, axes = plt.subplots(figsize=(11, 4.5), layout='constrained')
    axes.set(xlim=(0, 14), ylim=(0.5, 6.2), aspect='equal')
    axes.axis('off')
    draw(axes)
    figure.savefig(folder / 'pipeline.svg', metadata={'Date': None})
    figure.savefig(folder / 'pipeline.png', dpi=100)


if __name__ == '__main__':
    main(Path(sys.argv[1]))
