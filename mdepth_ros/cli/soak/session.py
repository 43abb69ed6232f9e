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

"""A long run of the node: a bag in a loop, subscribers that come and go, restarts under load."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
import os
from pathlib import Path
import time

from mdepth_ros.cli.driven_node import DrivenNode, NAMESPACE, NodeChoice, session_environment
from mdepth_ros.cli.played.material import Material
from mdepth_ros.cli.soak.ear import Ear
from mdepth_ros.cli.soak.lifecycle import SoakLifecycle
from mdepth_ros.cli.soak.memory import MemoryWatch
from mdepth_ros.cli.soak.observed import Observed, Restart, Visit
from mdepth_ros.cli.soak.visitor import Visitor
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.bag_loop import BagLoop
from mdepth_ros.ros.bag_player import BagPlayer
from tqdm import tqdm

TICK_S = 0.05
# A visitor that has not heard every topic stays so much longer; a restart may come in between.
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Plan:
    """
    How long, how fast, and how often what happens.

    ``jump_back`` as in :class:`BagLoop`; restarts and visits are spread evenly over the run.
    """

    seconds: float
    rate_hz: float
    restarts: int
    visits: int
    jump_back: bool = False


def run_soak(
    material: Material, node: NodeChoice, plan: Plan, log: Path, ros_logs: Path,
    stopped: Callable[[], bool],
) -> Observed:
    """
    Run the node.

    :param material: what to play.
    :param node: how to start the node.
    :param plan: what happens.
    :param log: takes what the node writes.
    :param ros_logs: folder for the logs that ROS keeps.
    :param stopped: asked between events: end early when it says so.
    :return: what was seen; also of a run that the node did not survive.
    :raises MdepthError: if the node cannot be started.
    """
    # Before any context of this process exists: the middleware reads it once.
    os.environ.update(session_environment(ros_logs))
    trouble = ''
    with DrivenNode(node, material, log) as driven:
        with ExitStack() as stack:
            driven.wait_for()
            player = stack.enter_context(BagPlayer(
                material.bag, material.topics, camera=material.camera, namespace=NAMESPACE,
                check=driven.process.check))
            camera = stack.enter_context(BagLoop(player, plan.rate_hz, plan.jump_back))
            ear = stack.enter_context(Ear())
            memory = stack.enter_context(MemoryWatch(driven.process.process.pid))
            lifecycle = SoakLifecycle(driven, ear, camera.check)
            lifecycle.go('configure')
            first_depth_s = lifecycle.activate()
            run = _Run(plan, lifecycle, ear, memory)
            try:
                run.run(camera.check, stopped)
                ended_ns = time.time_ns()
                lifecycle.go('shutdown')
            except MdepthError as error:
                trouble, ended_ns = str(error), time.time_ns()
            finally:
                run.close()
        exit_status = driven.end()
    return Observed(
        run.began_ns, ended_ns, camera.played, ear.received, memory.samples,
        lifecycle.transitions, lifecycle.missed, first_depth_s, run.restarts, run.visits,
        ear.counts.totals(), camera.turns, trouble, exit_status)


class _Run:
    """The events between the first depth and shutdown."""

    def __init__(self, plan: Plan, lifecycle: SoakLifecycle, ear: Ear, memory: MemoryWatch
                 ) -> None:
        self.began_ns = time.time_ns()
        self.restarts: list[Restart] = []
        self.visits: list[Visit] = []
        self._plan = plan
        self._lifecycle = lifecycle
        self._ear = ear
        self._memory = memory
        self._started_s = time.monotonic()
        self._visitor: Visitor | None = None
        self._leave_s = 0.0

    def run(self, check: Callable[[], None], stopped: Callable[[], bool]) -> None:
        """Let everything happen in its time."""
        with tqdm(bar_format='{desc}', mininterval=1.0) as bar:
            while (now := time.monotonic() - self._started_s) < self._plan.seconds:
                if stopped():
                    break
                check()
                if self._is_due(now, len(self.restarts), self._plan.restarts):
                    self.restarts.append(self._lifecycle.restart())
                self._visit(now)
                bar.set_description_str(self._progress(self._plan.seconds - now), refresh=False)
                bar.update()
                time.sleep(TICK_S)

    def close(self) -> None:
        """Send the last visitor home; one that came too late to hear all does not count."""
        if self._visitor is not None:
            visit = self._visitor.leave()
            if visit.all_heard_s is not None:
                self.visits.append(visit)

    def _is_due(self, now: float, made: int, wanted: int) -> bool:
        """Spread so many events evenly, none at the start or the end."""
        return made < wanted and now >= (made + 1) / (wanted + 1) * self._plan.seconds

    def _visit(self, now: float) -> None:
        """Let a visitor come or go; each stays for half of the time until the next."""
        visitor = self._visitor
        if visitor is None:
            if self._is_due(now, len(self.visits), self._plan.visits):
                self._visitor = Visitor()
                self._leave_s = now + 0.5 * self._plan.seconds / (self._plan.visits + 1)
        elif now >= self._leave_s and (visitor.has_heard_all()
                                       or now >= self._leave_s + PATIENCE_S):
            self.visits.append(visitor.leave())
            self._visitor = None

    def _progress(self, left_s: float) -> str:
        """Return what to tell meanwhile."""
        return (f'{tqdm.format_interval(left_s)} left, '
                f'{self._memory.samples[-1].resident_mb:.0f} MB, {len(self._ear.received)} '
                f'depths, {len(self.restarts)} restarts, {len(self.visits)} visits')
