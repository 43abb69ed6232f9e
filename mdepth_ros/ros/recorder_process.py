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

"""The recorder as a process: start it, wait for what it has done, read what it counted."""

from collections.abc import Sequence
import json
from pathlib import Path
import re

from mdepth_ros.ros.child_process import ChildProcess, ProcessError


class RecorderProcess(ChildProcess):
    """
    The recorder as a process of its own, so that it slows nobody down.

    :param bag: folder to create.
    :param log: file for its messages.
    :param topics: what to record, fully qualified.
    """

    def __init__(self, bag: Path, log: Path, topics: Sequence[str]) -> None:
        self.bag = bag
        super().__init__('the recorder', 'mdepth_ros.ros.recorder', [str(bag), *topics], log)
        try:
            self.wait_for_line('^ready$', 30.0)
        except BaseException:
            self.stop()
            raise

    def wait_subscribed(self, topics: Sequence[str], timeout_s: float = 20.0) -> None:
        """
        Wait until it has subscribed to these topics.

        :param topics: fully qualified names.
        :param timeout_s: give up after this time [s], for each.
        :raises ProcessError: if one does not appear in time.
        """
        for topic in topics:
            self.wait_for_line(f'^subscribed {topic}$', timeout_s)

    def finish(self) -> dict[str, int]:
        """
        End the recording.

        :return: how many messages of each topic it holds.
        :raises ProcessError: if the recorder died before.
        """
        self.check()
        self.stop()
        counts = re.search('^recorded (.*)$', self.log_text(), re.MULTILINE)
        if counts is None:
            raise ProcessError(f'the recorder did not finish {self.bag}:\n{self.log_tail()}')
        return dict(json.loads(counts[1]))
