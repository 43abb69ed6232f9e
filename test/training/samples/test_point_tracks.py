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

"""Points of rendered frames against the true depth and motion."""

from mdepth_ros.geometry.pose import invert_motion
from mdepth_ros.geometry.projection import sample
from mdepth_ros.training.datasets.frames_folder import open_frames
from mdepth_ros.training.samples.point_tracks import PointTracks
import numpy as np
import torch


def test_tracks_are_where_the_truth_says(rendered, rendered_folder):
    tracks = PointTracks(40).between('a', 4, 5, open_frames(rendered_folder)[0].rgb)
    assert tracks.shape == (40, 4)
    found = torch.from_numpy(tracks[~np.isnan(tracks).any(axis=1)]).double().T
    assert found.shape[1] > 20
    K, T = rendered.K.double(), rendered.T_world_camera.double()
    depth = sample(rendered.depth[4:5].double(), found[None, :2, None])[0, 0]
    rays = K.inverse() @ torch.cat([found[:2], torch.ones_like(found[:1])])
    motion = invert_motion(T[5]) @ T[4]
    seen = K @ (motion[:3, :3] @ (rays * depth) + motion[:3, 3:])
    distance = (seen[:2] / seen[2:] - found[2:]).norm(dim=0)
    still = (found[:2] - found[2:]).norm(dim=0)
    assert distance.median() < 0.25 * still.median()


def test_few_are_filled_up_and_many_are_spread(rendered_folder):
    sequence = open_frames(rendered_folder)[0]
    many = PointTracks(500).between('a', 2, 3, sequence.rgb)
    count = int((~np.isnan(many).any(axis=1)).sum())
    assert 20 < count < 500
    assert np.isnan(many[count:]).all()
    few = PointTracks(16).between('a', 2, 3, sequence.rgb)
    assert not np.isnan(few).any()
    rows = {tuple(row) for row in many[:count]}
    assert all(tuple(row) in rows for row in few)
    assert len({tuple(row) for row in few}) == 16
    # Corners come row by row: the first and the last quarter of the image have some.
    assert few[:, 1].min() < 16
    assert few[:, 1].max() > 48


def test_a_pair_is_followed_once(rendered_folder):
    sequence = open_frames(rendered_folder)[0]
    asked = []

    def read(index):
        asked.append(index)
        return sequence.rgb(index)

    tracks = PointTracks(8)
    once = tracks.between('a', 1, 2, read)
    assert tracks.between('a', 1, 2, read) is once
    assert asked == [1, 2]
    assert not np.array_equal(tracks.between('a', 2, 1, read), once, equal_nan=True)
    assert tracks.between('b', 1, 2, read) is not once
