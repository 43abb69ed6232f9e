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

"""The environment of a child process that runs this package."""

from collections.abc import Mapping
import os
from pathlib import Path

import mdepth_ros


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """
    Let a child find this very package, also from a checkout that is not installed.

    :param environment: variables by name.
    :return: the same, with the package's folder first on PYTHONPATH.
    """
    root = str(Path(mdepth_ros.__file__).resolve().parents[1])
    paths = [root, *filter(None, environment.get('PYTHONPATH', '').split(os.pathsep))]
    return {**environment, 'PYTHONPATH': os.pathsep.join(paths)}
