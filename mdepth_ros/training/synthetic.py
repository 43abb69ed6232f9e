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

"""
Synthetic sequences with exact depth, poses and intrinsics: streets, rooms, hand-held cameras.

A small ray caster in torch. :func:`render_sequence` gives a whole sequence,
:func:`stream_sequence` one piece after the other, :func:`random_config` variety for training.
"""

from mdepth_ros.training.scenes.config import Kind, random_config, SceneConfig
from mdepth_ros.training.scenes.sequence import (
    render_sequence,
    stream_sequence,
    SyntheticSequence,
    to_bytes,
)

__all__ = ['Kind', 'SceneConfig', 'SyntheticSequence', 'random_config', 'render_sequence',
           'stream_sequence', 'to_bytes']
