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

"""What a synthetic sequence shows: a frozen dataclass, checked when it is made."""

from dataclasses import dataclass, replace
from typing import get_args, Literal

import numpy as np

Kind = Literal['driving', 'indoor', 'handheld']
FRAME_RATES = {'driving': 10.0, 'indoor': 10.0, 'handheld': 15.0}
# Horizontal angles of view, and those of randomised worlds' cameras [deg].
FOV_DEG, VARIED_FOV_DEG = (50.0, 105.0), (40.0, 110.0)


@dataclass(frozen=True)
class SceneConfig:
    """
    One sequence. ``kind`` picks the world and the camera's path; the seed picks the rest.

    ``width`` and ``height`` [px], ``horizontal_fov_deg`` [deg], ``frames`` in all, ``fps`` [1/s].
    ``moving_objects`` adds traffic or people. ``textureless`` makes ground, walls and facades
    plain. ``static_camera`` repeats the first pose, ``pure_rotation`` the first position;
    ``stop_and_go`` stands now and then on its way. ``heading_deg`` [deg] is where the camera
    looks, anticlockwise from above: 0 ahead, 90 out of the left side. ``exposure_change`` varies
    the gain over time. ``noise`` is the standard deviation of the sensor noise on images in
    [0, 1]. ``speed`` scales how fast the camera goes along its path. ``varied`` randomises
    materials, light and mounting, and adds clutter.
    """

    kind: Kind = 'driving'
    width: int = 416
    height: int = 128
    horizontal_fov_deg: float = 80.0
    frames: int = 30
    fps: float = 10.0
    moving_objects: bool = True
    textureless: bool = False
    static_camera: bool = False
    pure_rotation: bool = False
    stop_and_go: bool = False
    heading_deg: float = 0.0
    exposure_change: bool = False
    noise: float = 0.0
    speed: float = 1.0
    varied: bool = False

    def __post_init__(self) -> None:
        problems = []
        if self.kind not in get_args(Kind):
            problems.append(f'kind must be one of {get_args(Kind)}, got {self.kind!r}')
        if self.width < 8 or self.height < 8:
            problems.append(f'width and height must be at least 8, '
                            f'got {self.width} x {self.height}')
        if not 40.0 <= self.horizontal_fov_deg <= 110.0:
            problems.append(f'horizontal_fov_deg must be in [40, 110], '
                            f'got {self.horizontal_fov_deg}')
        if self.frames < 1:
            problems.append(f'frames must be at least 1, got {self.frames}')
        if not 0.0 < self.fps < float('inf'):
            problems.append(f'fps must be > 0 and finite, got {self.fps}')
        if not 0.0 <= self.noise <= 0.5:
            problems.append(f'noise must be in [0, 0.5], got {self.noise}')
        if not 0.0 < self.speed <= 5.0:
            problems.append(f'speed must be in (0, 5], got {self.speed}')
        if not -180.0 <= self.heading_deg <= 180.0:
            problems.append(f'heading_deg must be in [-180, 180], got {self.heading_deg}')
        if self.static_camera + self.pure_rotation + self.stop_and_go > 1:
            problems.append('static_camera, pure_rotation and stop_and_go exclude each other')
        if problems:
            raise ValueError('SceneConfig: ' + '; '.join(problems))

    @property
    def stationary(self) -> bool:
        """Whether the camera's position stays the same."""
        return self.static_camera or self.pure_rotation


def random_config(
    seed: int, width: int = 416, height: int = 128, frames: int = 30, kind: Kind | None = None,
    varied: float = 0.0,
) -> SceneConfig:
    """
    Draw a configuration for training: mostly moving cameras, now and then a degenerate case.

    :param seed: the same seed gives the same configuration.
    :param width: image width [px].
    :param height: image height [px].
    :param frames: number of frames.
    :param kind: the kind of scene; drawn (half of them driving) if None.
    :param varied: share of the seeds whose worlds are randomised.
    :return: the configuration.
    """
    rng = np.random.default_rng([seed, 0xC0F])
    drawn = str(rng.choice(get_args(Kind), p=[0.5, 0.25, 0.25]))
    kind = kind or drawn  # type: ignore[assignment]
    stillness = rng.random()
    config = SceneConfig(
        kind=kind,
        width=width,
        height=height,
        horizontal_fov_deg=float(rng.uniform(*FOV_DEG)),
        frames=frames,
        fps=FRAME_RATES[kind] * float(rng.choice([0.8, 1.0, 1.0, 1.5])),
        moving_objects=bool(rng.random() < 0.6),
        textureless=bool(rng.random() < 0.08),
        static_camera=bool(stillness < 0.03),
        pure_rotation=bool(0.03 <= stillness < 0.06),
        exposure_change=bool(rng.random() < 0.2),
        noise=float(rng.choice([0.0, 0.005, 0.01, 0.02])),
        speed=float(rng.uniform(0.7, 1.4)),
        varied=bool(rng.random() < varied),
    )
    if not config.varied:
        return config
    return replace(config, horizontal_fov_deg=float(
        np.interp(config.horizontal_fov_deg, FOV_DEG, VARIED_FOV_DEG)))
