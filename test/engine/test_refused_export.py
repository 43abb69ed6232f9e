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

"""What is refused of an export, and what a refused one leaves behind."""

import math

from mdepth_ros.config import lite_config
from mdepth_ros.engine import export
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.depth_model import DepthModel
import pytest
import torch


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    return DepthModel(lite_config()).eval()


@pytest.fixture
def run(model, monkeypatch, tmp_path):
    """Export with a runtime that answers as PyTorch does, but for one output."""
    def start(part_name='', output='', factor=1.0):
        def answer(part, inputs, path, names):
            path.write_text('a file')
            with torch.no_grad():
                found = part(*inputs)
            found = found if isinstance(found, tuple) else (found,)
            return [(factor * x if (path.stem, name) == (part_name, output) else x).numpy()
                    for name, x in zip(part.outputs, found)]
        monkeypatch.setattr(export, '_onnx', answer)
        return export.export(model, tmp_path, 'onnx', 64, 64, 1, blended=True)
    return start


@pytest.mark.parametrize('factor', [1.01, math.nan, math.inf])
@pytest.mark.parametrize(('part', 'output'), [
    ('single_frame', 'canonical_depth'), ('single_frame', 'features'), ('fuse', 'confidence')])
def test_any_output_that_differs_is_refused(run, part, output, factor):
    with pytest.raises(MdepthError, match=rf'{part}\.onnx differs from PyTorch by'):
        run(part, output, factor)


def test_a_refused_export_leaves_no_description_and_no_wrong_file(run, tmp_path):
    run()
    assert (tmp_path / export.DESCRIPTION).is_file()
    with pytest.raises(MdepthError, match='differs'):
        run('fuse', 'depth', 1.01)
    left = {path.name for path in tmp_path.iterdir()}
    assert 'single_frame.onnx' in left
    assert not left & {'fuse.onnx', export.DESCRIPTION}
