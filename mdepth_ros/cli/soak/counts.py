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

"""What the node itself counts, over a run in which it is activated many times."""

from collections import Counter
from collections.abc import Mapping

# See ros/diagnostics.py.
COUNTERS = ('images_received', 'images_replaced', 'images_rejected', 'frames_published')


class NodeCounts:
    """Adds up the counts of all activations, each of which starts from zero."""

    def __init__(self) -> None:
        self._last = dict.fromkeys(COUNTERS, 0)
        self._before: Counter[str] = Counter()

    def add(self, values: Mapping[str, str]) -> None:
        """
        Take what one of its diagnostics says.

        :param values: by key.
        """
        for name, last in self._last.items():
            new = int(values[name])
            if new < last:
                self._before[name] += last
            self._last[name] = new

    def totals(self) -> dict[str, int]:
        """Return the counts of the whole run; of each activation the last fraction is missing."""
        return {name: self._before[name] + last for name, last in self._last.items()}
