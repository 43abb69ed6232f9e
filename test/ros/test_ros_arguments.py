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

"""What ROS refuses at the node's start: one line and status 1."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize('text', [
    '/**:\n  ros__parameters:\n    - a\n', '/**:\n  ros__parameters:\n    depth.max:\n',
    None], ids=['list', 'nothing', 'absent'])
def test_a_parameters_file_that_ros_refuses(tmp_path, text):
    path = tmp_path / 'depth.yaml'
    if text is not None:
        path.write_text(text)
    done = subprocess.run(
        [sys.executable, '-m', 'mdepth_ros.ros.depth_node', '--ros-args', '--params-file',
         str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert 'Traceback' not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith('mdepth: error: ')]
    assert len(lines) == 1, done.stderr
