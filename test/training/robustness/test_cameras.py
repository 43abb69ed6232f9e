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

"""The same worlds by other cameras."""

from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.training.robustness import cameras
from mdepth_ros.training.robustness.bench import Bench
from mdepth_ros.training.robustness.cameras import OtherCamera, run_camera
from mdepth_ros.training.robustness.run import run_robustness
from mdepth_ros.training.robustness.table import tables
import numpy as np
import pytest

SMALL = {'small': OtherCamera(96, 64), 'small, grey': OtherCamera(96, 64, grey=True),
         'tall, wide angle': OtherCamera(64, 96, settings={'horizontal_fov_deg': 110.0})}


@pytest.fixture
def bench(tiny_weights, monkeypatch):
    monkeypatch.setattr(cameras, 'CAMERAS', SMALL)
    monkeypatch.setattr('mdepth_ros.training.robustness.run.CAMERAS', SMALL)
    return Bench(tiny_weights, frames=1, device='cpu', backend='torch')


def test_each_camera_films_the_same_world(bench, monkeypatch):
    pushed = []
    push = DepthEstimator.push

    def watched(self, frame):
        pushed.append(frame)
        return push(self, frame)

    monkeypatch.setattr(DepthEstimator, 'push', watched)
    seen = {}
    for name in SMALL:
        pushed.clear()
        run_camera(bench, name, 1)
        seen[name] = pushed[0]
    plain, grey, tall = (seen[name] for name in SMALL)
    assert np.array_equal(plain.camera.K, grey.camera.K)
    luma = plain.rgb @ [0.299, 0.587, 0.114]
    assert np.abs(grey.rgb - luma[..., None]).max() <= 0.51
    assert (tall.camera.width, tall.camera.height) == (64, 96)
    # From 110 degrees across: half of the image's width over the focal length.
    assert 32 / tall.camera.K[0, 0] == pytest.approx(np.tan(np.radians(55)), rel=1e-4)


def test_each_has_a_row(bench):
    summary = run_robustness(bench, 1, ['cameras'])
    assert list(summary['classes']) == list(SMALL)
    assert summary['worst'] is None
    rows = tables(summary).splitlines()[2:5]
    assert [row.split(' | ')[0] for row in rows] == [f'| {name}' for name in SMALL]
