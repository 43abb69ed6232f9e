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

from mdepth_ros.engine.device import choose_device
from mdepth_ros.errors import MdepthError
import pytest
import torch


def test_auto_takes_what_there_is():
    assert choose_device('auto').type == ('cuda' if torch.cuda.is_available() else 'cpu')
    assert choose_device('cpu') == torch.device('cpu')


@pytest.mark.parametrize('name', ['', 'gpu', 'CUDA', 'cuda:', 'cuda:-1', 'meta', 'mps', 'cpu:x'])
def test_unknown_names_are_refused_with_the_known_ones(name):
    with pytest.raises(MdepthError, match=r"device must be 'auto', 'cpu' or 'cuda\[:N\]', got"):
        choose_device(name)


def test_an_absent_gpu_is_no_silent_cpu():
    with pytest.raises(MdepthError, match=r"device is 'cuda:99', but torch .* sees \d+ CUDA"):
        choose_device('cuda:99')
