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

"""A camera that never ends: a bag played over and over in a thread."""

from concurrent.futures import ThreadPoolExecutor
import threading
from types import TracebackType

from mdepth_ros.ros.bag_player import BagPlayer, PlayedFrame


class BagLoop:
    """
    Plays from the start to :meth:`close`; a context manager.

    :param player: an open player; nobody else may use it meanwhile.
    :param rate_hz: images per second, whatever the bag's own rate [1/s].
    :param jump_back: whether every turn has the bag's own stamps, which then jump back; otherwise
        they go on from the turn before.
    """

    def __init__(self, player: BagPlayer, rate_hz: float, jump_back: bool = False) -> None:
        self.played: list[PlayedFrame] = []
        self.turns = 0
        self._player = player
        self._rate_hz = rate_hz
        self._jump_back = jump_back
        self._closing = threading.Event()
        self._thread = ThreadPoolExecutor(1)
        self._outcome = self._thread.submit(self._run)

    def check(self) -> None:
        """
        Do nothing while it plays.

        :raises MdepthError: what ended it, as the bag's or the consumer's error.
        """
        if self._outcome.done():
            self._outcome.result()

    def close(self) -> None:
        """End it after the image that it is at."""
        self._closing.set()
        self._thread.shutdown()

    def __enter__(self) -> 'BagLoop':
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _run(self) -> None:
        """Play turn after turn."""
        period_ns = self._player.image_period_ns()
        offset_ns = 0
        while not self._closing.is_set():
            turn = self._player.play(
                1e-9 * period_ns * self._rate_hz, stamp_offset_ns=offset_ns,
                until=self._closing.is_set, on_frame=self.played.append)
            self.turns += 1
            if turn and not self._jump_back:
                offset_ns += turn[-1].stamp_ns - turn[0].stamp_ns + period_ns
            self._closing.wait(1 / self._rate_hz)
