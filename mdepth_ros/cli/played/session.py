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

"""One run of the node as its own process: through its lifecycle, with a player and a recorder."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
import os
from pathlib import Path
import time

from mdepth_ros.cli.driven_node import DrivenNode, NAMESPACE, NodeChoice, session_environment
from mdepth_ros.cli.played.material import Material
from mdepth_ros.cli.played.recording import read_times
from mdepth_ros.engine.process_memory import resident_mb
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.bag_player import BagPlayer, PlayedFrame
from mdepth_ros.ros.lifecycle_client import TransitionResult
from mdepth_ros.ros.recorder_process import RecorderProcess

DEPTH = f'{NAMESPACE}/depth/image'
POINTS = f'{NAMESPACE}/depth/points'
CLOUD = f'{NAMESPACE}/depth/points_filtered'
OUTPUTS = (DEPTH, POINTS, f'{NAMESPACE}/depth/camera_info', CLOUD, f'{NAMESPACE}/depth/confidence',
           f'{NAMESPACE}/depth/color', f'{NAMESPACE}/odometry')
# The node may be on its last two frames when the player ends, 0.7 s each on a slow computer.
DRAIN_S = 3.0
LAST_LINES = 12  # of a log


@dataclass(frozen=True)
class Session:
    """
    What happened: images played, transitions made, and where the recording is.

    ``exit_status`` is that of the node's process; ``recorded`` counts messages by topic;
    ``active_s``, from the start of the process to the end of its activation [s]; ``resident_mb``,
    its memory when the player had ended.
    """

    played: list[PlayedFrame]
    transitions: list[TransitionResult]
    recording: Path
    recorded: dict[str, int]
    exit_status: int
    active_s: float
    resident_mb: float

    def times(self) -> dict[str, dict[int, int]]:
        """Return by topic the time of reception [ns] by stamp [ns]."""
        return read_times(self.recording, OUTPUTS)

    def check(self) -> None:
        """
        Refuse what says nothing about the node.

        :raises MdepthError: if the node ended badly or published no depth.
        """
        if self.exit_status:
            problem = f'the node ended with status {self.exit_status}'
        elif not self.recorded.get(DEPTH):
            problem = 'the node published no depth'
        else:
            return
        log = self.recording.parent / 'node.log'
        last = log.read_text(errors='replace').splitlines()[-LAST_LINES:]
        raise MdepthError('\n'.join([f'{problem}; the end of {log}:', *last]))


def run_session(
    material: Material, node: NodeChoice, folder: Path, *, rate: float = 1.0,
    limit: int | None = None, record: Sequence[str] = OUTPUTS,
    say: Callable[[str], None] = print,
) -> Session:
    """
    Play the material into the node and record what it publishes.

    :param material: what to play.
    :param node: how to start the node.
    :param folder: takes the recording and the logs.
    :param rate: factor on the pace of the bag.
    :param limit: play at most so many images.
    :param record: topics to subscribe to and record, beside the diagnostics.
    :param say: told what happens, a line at a time.
    :return: what happened.
    :raises MdepthError: if a transition fails, a process dies or something takes too long; all
        processes are ended and the recording is closed, then too.
    """
    # Before any context of this process exists: the middleware reads it once.
    os.environ.update(session_environment(folder / 'log'))
    transitions: list[TransitionResult] = []
    with ExitStack() as stack:
        recorder = RecorderProcess(folder / 'recording', folder / 'recorder.log',
                                   topics=(*record, '/diagnostics'))
        stack.callback(recorder.stop)
        started_s = time.monotonic()
        driven = stack.enter_context(DrivenNode(node, material, folder / 'node.log'))

        def go(transition: str) -> None:
            done = driven.change(transition)
            transitions.append(done)
            say(f'{transition}: ok, now {done.state} ({done.seconds:.1f} s)')

        driven.wait_for()
        go('configure')
        go('activate')
        active_s = time.monotonic() - started_s
        recorder.wait_subscribed((*record, '/diagnostics'), 20.0)

        def check() -> None:
            driven.process.check()
            recorder.check()

        played = _play(material, check, rate, limit)
        driven.process.check()
        memory_mb = resident_mb(driven.process.process.pid)
        go('deactivate')
        go('cleanup')
        go('shutdown')
        recorded = recorder.finish()
        status = driven.end()
    return Session(played, transitions, folder / 'recording', recorded, status, active_s,
                   memory_mb)


def _play(
    material: Material, check: Callable[[], None], rate: float, limit: int | None
) -> list[PlayedFrame]:
    """Play the material once the node listens, and wait until it is done with it."""
    with BagPlayer(material.bag, material.topics, camera=material.camera, namespace=NAMESPACE,
                   check=check) as player:
        player.wait_for_subscribers(20.0)
        # A recorder's subscription and the node's publisher may still be finding each other.
        time.sleep(0.5)
        played = player.play(rate, limit=limit, progress=True)
        # Not after the player: what has not been received yet ends with its publisher.
        time.sleep(DRAIN_S)
        return played
