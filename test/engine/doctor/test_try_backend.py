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

"""Both networks must work for a backend to pass."""

import math

from mdepth_ros.engine.backends.runner import Runner
from mdepth_ros.engine.doctor import try_backend
from mdepth_ros.engine.ego_motion import FollowedPoints
from mdepth_ros.errors import MdepthError
import pytest


def test_a_backend_that_works_is_timed():
    assert try_backend.main('torch', 'cpu').startswith('torch on cpu: ')


@pytest.mark.parametrize('wrong', [math.nan, math.inf, -1.0])
def test_matched_depth_that_is_none_is_refused(monkeypatch, wrong):
    fuse = Runner.fuse
    monkeypatch.setattr(Runner, 'fuse', lambda *arguments: (
        fuse(*arguments)._replace(depth=wrong * fuse(*arguments).depth)))
    with pytest.raises(MdepthError, match='the depth is not positive and finite everywhere'):
        try_backend.main('torch', 'cpu')


def test_frames_that_are_not_matched_are_refused(monkeypatch):
    monkeypatch.setattr(FollowedPoints, 'sources', lambda *arguments: [])
    with pytest.raises(MdepthError, match='nothing is matched: no earlier frame shows enough'):
        try_backend.main('torch', 'cpu')
