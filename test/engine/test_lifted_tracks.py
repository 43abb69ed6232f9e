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

"""Points at the depth that torch samples where they are."""

from mdepth_ros.engine.lifted_tracks import lift
from mdepth_ros.geometry.intrinsics import intrinsics_from_fov
from mdepth_ros.geometry.projection import sample
import torch

WIDTH, HEIGHT = 32, 20


def test_points_lie_on_their_rays_at_the_depth_sampled_there():
    random = torch.Generator().manual_seed(0)
    depth = 1 + torch.rand(2, 1, HEIGHT, WIDTH, generator=random)
    # Some of them outside: there the border's depth goes on.
    tracks = torch.rand(2, 50, 4, generator=random) * 1.4 * WIDTH - 5
    tracks[0, :2, :2] = torch.tensor([[0.0, 0.0], [WIDTH - 1, HEIGHT - 1]])
    K = intrinsics_from_fov(70.0, WIDTH, HEIGHT).repeat(2, 1, 1)
    lifted = lift(tracks, depth, K)
    pixels, points, K_of_pixels = (torch.from_numpy(it).float() for it in lifted)
    tracks = tracks.transpose(1, 2)
    # The working image is ten times as wide as this depth.
    torch.testing.assert_close(pixels, 10 * (tracks + 0.5) - 0.5)
    for matrix, seen_at in ((K, tracks), (K_of_pixels, pixels)):
        seen = matrix @ points
        torch.testing.assert_close(seen[:, :2] / seen[:, 2:], seen_at[:, :2], atol=1e-3,
                                   rtol=1e-5)
    expected = sample(depth, tracks[:, :2, None], 'border')[:, 0]
    torch.testing.assert_close(points[:, 2:], expected, atol=1e-5, rtol=0)


def test_missing_tracks_have_no_point_and_spoil_no_other():
    depth = torch.rand(1, 1, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1))
    tracks = torch.full((1, 3, 6), 7.0)
    tracks[0, 1, 0] = torch.nan
    points = torch.from_numpy(lift(tracks, depth, torch.eye(3)[None]).points)
    assert points[:, :, 1].isnan().all()
    torch.testing.assert_close(points[0, 2, ::2], depth[0, 0, 7, 7].double().repeat(2))
