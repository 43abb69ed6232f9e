"""One run of the node as its own process: through its lifecycle, with a player and a recorder."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from mdepth_ros.cli.demo_material import Material
from mdepth_ros.cli.demo_recording import read_times
from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.preprocess import network_size
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.bag_player import BagPlayer, PlayedFrame
from mdepth_ros.ros.child_process import ChildProcess
from mdepth_ros.ros.lifecycle_client import LifecycleClient, TransitionResult
from mdepth_ros.ros.recorder_process import RecorderProcess
from mdepth_ros.ros.transport import large_message_environment

# A namespace of our own, so that a robot on the same network does not hear the demo.
NAMESPACE = '/mdepth_demo'
NODE = f'{NAMESPACE}/mdepth'
DEPTH = f'{NAMESPACE}/depth/image'
POINTS = f'{NAMESPACE}/depth/points'
CLOUD = f'{NAMESPACE}/depth/points_filtered'
OUTPUTS = (DEPTH, POINTS, f'{NAMESPACE}/depth/camera_info', CLOUD, f'{NAMESPACE}/depth/confidence',
           f'{NAMESPACE}/depth/color', f'{NAMESPACE}/odometry')
# The node may be on its last two frames when the player ends, 0.7 s each on a slow computer.
DRAIN_S = 3.0


@dataclass(frozen=True)
class NodeChoice:
    """
    How to start the node.

    ``parameters`` are ``name:=value``, after those that follow from the material;
    ``configure_timeout_s`` covers loading and warming up the model [s].
    """

    weights: Path | None = None
    parameters: Sequence[str] = ()
    configure_timeout_s: float = 120.0

    def arguments(self, material: Material) -> list[str]:
        """Return the command line that the node gets for a material."""
        values = [f'image_transport:={"compressed" if material.topics.compressed else "raw"}',
                  f'image_is_rectified:={str(material.is_rectified).lower()}']
        if self.weights is not None:
            values.append(f'weights:={self.weights.resolve()}')
        if not any(it.startswith('network.') for it in self.parameters):
            # So that it compiles the networks before the images come.
            width, height = network_size(*material.image_size, EngineConfig().pixel_budget)
            values += [f'network.width:={width}', f'network.height:={height}']
        flags = [word for value in (*values, *self.parameters) for word in ('-p', value)]
        return ['--ros-args', '-r', f'__ns:={NAMESPACE}', *flags]


@dataclass(frozen=True)
class Session:
    """
    What happened: images played, transitions made, and where the recording is.

    ``exit_status`` is that of the node's process; ``recorded`` counts messages by topic.
    """

    played: list[PlayedFrame]
    transitions: list[TransitionResult]
    recording: Path
    recorded: dict[str, int]
    exit_status: int

    def times(self) -> dict[str, dict[int, int]]:
        """Return by topic the time of reception [ns] by stamp [ns]."""
        return read_times(self.recording, OUTPUTS)


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
    os.environ.update(_environment(folder))
    transitions: list[TransitionResult] = []
    with ExitStack() as stack:
        recorder = RecorderProcess(folder / 'recording', folder / 'recorder.log',
                                   topics=(*record, '/diagnostics'))
        stack.callback(recorder.stop)
        process = ChildProcess('the node', 'mdepth_ros.ros.depth_node', node.arguments(material),
                               folder / 'node.log')
        stack.callback(process.stop)
        client = stack.enter_context(LifecycleClient(NODE, check=process.check))

        def go(transition: str, timeout_s: float = 30.0) -> None:
            try:
                transitions.append(client.change(transition, timeout_s))
            except MdepthError as error:
                raise type(error)(f'{error}; its last lines:\n{process.log_tail()}') from error
            done = transitions[-1]
            say(f'{transition}: ok, now {done.state} ({done.seconds:.1f} s)')

        client.wait_for_node(60.0)
        go('configure', node.configure_timeout_s)
        go('activate')
        recorder.wait_subscribed((*record, '/diagnostics'), 20.0)
        played = _play(material, process, rate, limit)
        time.sleep(DRAIN_S)
        process.check()
        go('deactivate')
        go('cleanup')
        go('shutdown')
        recorded = recorder.finish()
        if process.wait(2.0) is None:
            process.stop()
        status = process.process.wait(1.0)
    return Session(played, transitions, folder / 'recording', recorded, status)


def _play(
    material: Material, process: ChildProcess, rate: float, limit: int | None
) -> list[PlayedFrame]:
    """Play the material once the node listens."""
    with BagPlayer(material.bag, material.topics, camera=material.camera, namespace=NAMESPACE,
                   check=process.check) as player:
        player.wait_for_subscribers(20.0)
        # A recorder's subscription and the node's publisher may still be finding each other.
        time.sleep(0.5)
        return player.play(rate, limit=limit, progress=True)


def _environment(folder: Path) -> dict[str, str]:
    """Environment of this process and its children: large messages, this machine only."""
    environment = large_message_environment()
    environment['ROS_LOG_DIR'] = str(folder / 'log')
    if not {'ROS_LOCALHOST_ONLY', 'ROS_AUTOMATIC_DISCOVERY_RANGE'} & environment.keys():
        environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    return environment
