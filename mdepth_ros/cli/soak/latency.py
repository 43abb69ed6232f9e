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

"""From what was played and what was received to latencies and pauses."""

from bisect import bisect_right
from collections.abc import Sequence

from mdepth_ros.cli.soak.observed import Observed, ReceivedDepth
from mdepth_ros.ros.bag_player import PlayedFrame
import numpy as np
from numpy.typing import NDArray

# After a restart, topics are matched anew, and the networks' first frames are slower.
SETTLE_NS = 5_000_000_000


def latencies_ms(
    played: Sequence[PlayedFrame], received: Sequence[ReceivedDepth]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """
    Pair every depth with its image; a bag in a loop may have played its stamp many times.

    :param played: in the order of time.
    :param received: in any order; a depth of no image that was played is left out.
    :return: when each image was published [ns] and how long its depth took [ms], both (N,).
    """
    published: dict[int, list[int]] = {}
    for frame in played:
        published.setdefault(frame.stamp_ns, []).append(frame.published_ns)
    times = []
    for depth in received:
        candidates = published.get(depth.stamp_ns, [])
        last = bisect_right(candidates, depth.received_ns) - 1
        if last >= 0:
            times.append((candidates[last], depth.received_ns - candidates[last]))
    pairs = np.array(times, np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1] * 1e-6


def settled(observed: Observed, times_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """
    Find the times that no restart disturbed.

    :param observed: the run.
    :param times_ns: (N,) times [ns].
    :return: (N,) which of them are in the run, and neither in a restart nor within 5 s of its end
        or of the first activation.
    """
    calm = (times_ns > observed.began_ns + SETTLE_NS) & (times_ns <= observed.ended_ns)
    for restart in observed.restarts:
        calm &= (times_ns < restart.began_ns) | (times_ns > restart.ended_ns + SETTLE_NS)
    return calm


def longest_pause_s(observed: Observed) -> float:
    """
    Find how long nothing came while the node was active.

    :param observed: the run.
    :return: the longest time without a depth, outside restarts [s].
    """
    received = np.sort(np.array([depth.received_ns for depth in observed.received], np.int64))
    starts = [observed.began_ns, *(restart.ended_ns for restart in observed.restarts)]
    ends = [*(restart.began_ns for restart in observed.restarts), observed.ended_ns]
    pauses = [np.diff([start, *received[(received > start) & (received < end)], end]).max()
              for start, end in zip(starts, ends, strict=True)]
    return 1e-9 * float(max(pauses))
