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

"""One broken file through the loader or the command that takes such files."""

import image_cases
import recording_cases
import resume_cases
from sandbox import Sandbox
import settings_cases
import weights_cases

# Drawn from with equal chances.
CASES = (
    weights_cases.checkpoint, weights_cases.checkpoint, weights_cases.published,
    recording_cases.bag_bytes, recording_cases.bag_bytes, recording_cases.bag_messages,
    recording_cases.bag_messages, recording_cases.bag_metadata, recording_cases.bag_name,
    recording_cases.frames, recording_cases.frames, recording_cases.camera_file,
    image_cases.image_folder, image_cases.image_folder, resume_cases.journal, resume_cases.report,
    settings_cases.recipe, settings_cases.recipe, settings_cases.node_parameters,
)


class FileTarget:
    """Each case lives in a sandbox of its own, and writes into its ``out`` alone."""

    limit_s = 20.0
    limit_bytes = 2**29

    def __init__(self, work, weights):
        self._weights, self._base = weights, work / 'base'
        self._sandbox = Sandbox(work / 'home')
        self._base.mkdir(exist_ok=True)
        weights_cases.prepare(self._base)
        recording_cases.prepare(self._base)
        resume_cases.prepare(self._base)

    def run(self, rng, folder):
        self._sandbox.enter(folder)
        make = rng.choice(CASES)
        action = make(rng, self._base, self._weights, folder)
        (folder / 'kind.txt').write_text(make.__name__)
        return f'{make.__name__} {self._sandbox.watch(folder, action)}'
