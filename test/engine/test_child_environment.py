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

"""Children find this package before any other, and what their parent finds after it."""

import os
from pathlib import Path

from mdepth_ros.engine.child_environment import child_environment

ROOT = str(Path(__file__).resolve().parents[2])


def test_the_package_comes_first_and_the_rest_stays():
    assert child_environment({'A': 'b'}) == {'A': 'b', 'PYTHONPATH': ROOT}
    there = {'PYTHONPATH': os.pathsep.join(['/one', '', '/two'])}
    assert child_environment(there)['PYTHONPATH'] == os.pathsep.join([ROOT, '/one', '/two'])
