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

"""Depth that is known: a plane, and a room through which a camera moves."""

from mdepth_ros.training.synthetic import render_sequence, SceneConfig
import torch

K = torch.tensor([[[100.0, 0, 63.5], [0, 100.0, 31.5], [0, 0, 1]]])
STILL = torch.eye(4)[None]


def plane(z):
    return torch.full((1, 1, 64, 128), z)


def moving_camera():
    """Yield depth, K, and the motion to the frame before, None for the first."""
    sequence = render_sequence(SceneConfig('indoor', 128, 64, frames=6), seed=5)
    T = sequence.T_world_camera.float()
    for i in range(6):
        motion = (torch.linalg.inv(T[i - 1]) @ T[i])[None] if i else None
        yield sequence.depth[i:i + 1].clamp(max=1000), sequence.K[None], motion
