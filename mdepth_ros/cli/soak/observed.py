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

"""What a soak run saw, before anybody judges it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mdepth_ros.ros.bag_player import PlayedFrame
from mdepth_ros.ros.lifecycle_client import TransitionResult


@dataclass(frozen=True)
class MemorySample:
    """The node's resident memory [MB], and when [ns]."""

    time_ns: int
    resident_mb: float


@dataclass(frozen=True)
class ReceivedDepth:
    """A depth image: its header's stamp, and the wall clock when it was received [ns]."""

    stamp_ns: int
    received_ns: int


@dataclass(frozen=True)
class Restart:
    """
    The node out of work and back, between two times of the wall clock [ns].

    ``first_depth_s``, after each activation how long until a depth came [s]; None if none did.
    """

    began_ns: int
    ended_ns: int
    first_depth_s: Sequence[float | None]


@dataclass(frozen=True)
class Visit:
    """A subscriber that came and left: when it had heard every topic [s]; None if it had not."""

    joined_ns: int
    all_heard_s: float | None


@dataclass(frozen=True)
class Observed:
    """
    All of a run.

    ``began_ns``, when the first depth had come, and ``ended_ns``, before shutdown [ns];
    ``missed`` names transitions that failed; ``first_depth_s`` as in :class:`Restart`, of the
    first activation; ``turns``, how often the bag was played; ``trouble`` is what ended the run
    early, empty where nothing did.
    """

    began_ns: int
    ended_ns: int
    played: Sequence[PlayedFrame]
    received: Sequence[ReceivedDepth]
    memory: Sequence[MemorySample]
    transitions: Sequence[TransitionResult]
    missed: Sequence[str]
    first_depth_s: float | None
    restarts: Sequence[Restart]
    visits: Sequence[Visit]
    counts: Mapping[str, int]
    turns: int
    trouble: str
    exit_status: int
