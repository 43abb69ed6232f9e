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

"""The same worlds filmed by other cameras, at the size that the engine chooses for each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
from mdepth_ros.training.robustness.bench import Bench
from mdepth_ros.training.robustness.methods import METHODS
from mdepth_ros.training.robustness.runs import LEAD_FRAMES, Run
from mdepth_ros.training.robustness.scene_classes import open_world
from mdepth_ros.training.robustness.view import View, views_of
from mdepth_ros.training.robustness.view_scores import score_views

# What each camera films, in turn.
FILMED = ('forward', 'indoor', 'handheld')


@dataclass(frozen=True)
class OtherCamera:
    """Its images' size [px], whether they are grey, and other settings of the scene."""

    width: int
    height: int
    grey: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


CAMERAS = {
    '10:3, 1242x375': OtherCamera(1242, 375),
    '4:3, 640x480': OtherCamera(640, 480),
    '16:9, 1280x720': OtherCamera(1280, 720),
    '16:9, 1920x1080': OtherCamera(1920, 1080),
    '3:2, 45 degrees': OtherCamera(720, 480, settings={'horizontal_fov_deg': 45.0}),
    '3:2, 105 degrees': OtherCamera(720, 480, settings={'horizontal_fov_deg': 105.0}),
    '3:2, grey': OtherCamera(720, 480, grey=True),
    '3:2, exposure changes': OtherCamera(720, 480, settings={'exposure_change': True}),
}


def run_camera(bench: Bench, name: str, number: int) -> Run:
    """
    Film a world.

    :param bench: how.
    :param name: of the camera, a key of ``CAMERAS``.
    :param number: which world; the same for all cameras.
    :raises MdepthError: as the estimator does.
    """
    camera = CAMERAS[name]
    settings = {'exposure_change': False, **camera.settings}
    world = open_world(FILMED[number % len(FILMED)], number, camera.width, camera.height,
                       LEAD_FRAMES + bench.frames, **settings)
    return Run(name, LEAD_FRAMES, {
        method: score_views(bench.estimator(method, resized=False),
                            _greyed(views_of(world)) if camera.grey else views_of(world))
        for method in METHODS})


def _greyed(views: Iterable[View]) -> Iterator[View]:
    """Take the colours away."""
    for view in views:
        grey = cv2.cvtColor(view.rgb, cv2.COLOR_RGB2GRAY)
        yield replace(view, rgb=cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))
