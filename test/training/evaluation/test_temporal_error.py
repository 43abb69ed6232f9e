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

"""Exact depth does not change from frame to frame, whatever the camera does; spots do."""

from types import SimpleNamespace

from mdepth_ros.training.datasets.frames_folder import open_frames
from mdepth_ros.training.evaluation.temporal_error import frame_errors, MOST
import pytest
import torch


class Known:
    """An estimator that knows depth and motion; both are changed by the test."""

    def __init__(self, scene, scale=lambda i: 1.0, spot=lambda i: 1.0, blind=False):
        depth = scene.depth.clamp(max=1000)
        T = scene.T_world_camera.float()
        self._estimates = []
        for i in range(len(depth)):
            given = depth[i:i + 1].clone()
            given[..., 20:44, 20:44] *= spot(i)
            motion = None
            if i and not blind:
                motion = torch.linalg.inv(T[i - 1]) @ T[i]
                motion[:3, 3] *= scale(i)
            self._estimates.append(SimpleNamespace(
                depth=given * scale(i), K=scene.K.float(), T_previous_target=motion))

    def reset(self):
        self._next = iter(self._estimates)

    def push(self, frame):
        return next(self._next)


@pytest.fixture(scope='module')
def frames(rendered_folder):
    return open_frames(rendered_folder)[0]


def error(estimator, frames):
    errors = list(frame_errors(estimator, frames))
    return sum(errors) / len(errors)


def test_exact_depth_stays(rendered, frames):
    assert error(Known(rendered), frames) < 0.02  # at edges, of 64 x 64 px


def test_the_whole_images_scale_does_not_count(rendered, frames):
    assert error(Known(rendered, scale=lambda i: 1.0 + 0.1 * i), frames) < 0.03


def test_spots_that_come_and_go_count(rendered, frames):
    exact = error(Known(rendered), frames)
    few, more = (error(Known(rendered, spot=spot), frames) for spot in (
        lambda i: 1 + 0.1 * (i % 2), lambda i: 1 + 0.3 * (i % 2)))
    assert exact + 0.005 < few < more < MOST


def test_without_motion_nobody_can_tell(rendered, frames):
    assert list(frame_errors(Known(rendered, blind=True), frames)) == []
