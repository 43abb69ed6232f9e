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

"""What a configuration refuses, and that it says everything at once."""

from dataclasses import replace

from mdepth_ros.config import EngineConfig, lite_config, paper_config
import pytest


@pytest.mark.parametrize(('changes', 'said'), [
    ({'hypotheses': 16.0}, 'hypotheses must be a whole number, got 16.0'),
    ({'min_depth': float('nan')}, 'min_depth must be a finite number, got nan'),
    ({'scale': True}, 'scale must be a finite number, got True'),
    ({'multi_frame': 1}, 'multi_frame must be true or false, got 1'),
    ({'regulariser': 'unet4d'}, "regulariser must be one of ('unet3d', 'unet2d'), got 'unet4d'"),
    ({'width': 100}, 'width and height must be positive multiples of 32, got 100 x 192'),
    ({'height': 0}, 'width and height must be positive multiples of 32, got 640 x 0'),
    ({'width': 8224}, 'width and height must be at most 8192, got 8224 x 192'),
    ({'single_side': 100}, 'single_side must be a multiple of 32, or 0, got 100'),
    ({'groups': 0}, 'matching_channels must be a multiple of groups, got 32 and 0'),
    ({'groups': 5}, 'matching_channels must be a multiple of groups, got 32 and 5'),
    ({'hypotheses': 3}, 'hypotheses must be at least 4, got 3'),
    ({'hypotheses': 512}, 'times hypotheses must be at most 8192, got 32 and 512'),
    ({'min_depth': 0.0}, 'need 0 < min_depth < max_depth, got 0.0 and 200.0'),
    ({'max_depth': 0.1}, 'need 0 < min_depth < max_depth, got 0.1 and 0.1'),
    ({'canonical_focal': -1.0}, 'canonical_focal must be >= 0, got -1.0'),
    ({'scale': 0.0}, 'scale must be > 0, got 0.0'),
])
def test_models(changes, said):
    with pytest.raises(ValueError, match=r'^ModelConfig: ') as caught:
        replace(lite_config(), **changes)
    assert str(caught.value).removeprefix('ModelConfig: ').split('; ')[-1].endswith(said)


def test_a_volume_that_is_halved_thrice():
    with pytest.raises(ValueError, match='hypotheses must be a multiple of 8 for unet3d, got 12'):
        replace(paper_config(), hypotheses=12)


@pytest.mark.parametrize(('changes', 'said'), [
    ({'method': 'net'}, "method must be one of ('robust', 'published'), got 'net'"),
    ({'backend': 'tvm'}, "got 'tvm'"),
    ({'threads': -1}, 'threads must be >= 0, got -1'),
    ({'sources': 0}, 'sources must be in [1, 3], got 0'),
    ({'sources': 4}, 'sources must be in [1, 3], got 4'),
    ({'pixel_budget': 4095}, 'pixel_budget must be at least 4096, got 4095'),
    ({'width': 128}, 'set both of width and height or neither, got 128 and 0'),
    ({'width': 100, 'height': 96}, 'width must be 0 or a multiple of 32 from 64 on, got 100'),
    ({'width': 96, 'height': 32}, 'height must be 0 or a multiple of 32 from 64 on, got 32'),
    ({'max_gap_s': 0.0}, 'max_gap_s must be > 0, got 0.0'),
    ({'max_gap_s': float('nan')}, 'max_gap_s must be > 0, got nan'),
    ({'scale': -1.0}, 'scale must be >= 0, got -1.0'),
])
def test_engines(changes, said):
    with pytest.raises(ValueError, match=r'^EngineConfig: ') as caught:
        EngineConfig(**changes)
    assert str(caught.value).endswith(said)


def test_all_at_once():
    with pytest.raises(ValueError, match=r'width.*single_side.*groups.*min_depth.*scale'):
        replace(lite_config(), width=1, single_side=1, groups=5, min_depth=-1.0, scale=-1.0)
    with pytest.raises(ValueError, match=r'threads.*sources.*max_gap_s'):
        EngineConfig(threads=-1, sources=9, max_gap_s=-1.0)
