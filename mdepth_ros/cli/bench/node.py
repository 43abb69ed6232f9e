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

"""What the node adds to the engine: the same images over DDS, with a subscriber elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from mdepth_ros.cli.bench.job import Job, PERIOD_NS, there_and_back
from mdepth_ros.cli.driven_node import NodeChoice, STATUS
from mdepth_ros.cli.played.material import Material
from mdepth_ros.cli.played.recording import diagnostic_values
from mdepth_ros.cli.played.session import CLOUD, DEPTH, POINTS, run_session
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.measure import WARM_UP_FRAMES
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.camera_bag import CameraBag
import numpy as np

# Of the diagnostics, from the image to its depth.
STAGES = 'preprocess', 'single', 'pose', 'multi'


@dataclass(frozen=True)
class NodeTimes:
    """
    One session, with medians.

    ``node_ms`` from an image's arrival in the node to the last of its messages' departure,
    ``depth_ms`` the engine's share of it, from the image to its depth;
    ``received_ms`` from its publication to the organised cloud's reception in another process;
    ``missed``, how many images gave no cloud; ``first_s``, from the start of the node's process to
    its activation, and from the first image to its depth; ``rss_mb``, the process's memory.
    """

    node_ms: float
    depth_ms: float
    received_ms: float
    missed: int
    first_s: float
    rss_mb: float


def measure_node(job: Job, folder: Path) -> NodeTimes:
    """
    Play the scene to the node; depth image, organised and filtered cloud are subscribed.

    :param job: scene, sizes, weights and backend.
    :param folder: for the bags and logs.
    :return: the times.
    :raises MdepthError: if the node does not run, ends badly, or publishes no depth or cloud.
    """
    material = _material(job, folder)
    config = job.config
    session = run_session(material, NodeChoice(job.weights, (
        f'network.width:={config.width}', f'network.height:={config.height}',
        f'backend:={config.backend}', f'device:={config.device}', f'threads:={config.threads}',
        f'sources:={config.sources}', 'filtered.rate:=0.0', 'diagnostics.rate:=10.0')),
        folder, record=(DEPTH, POINTS, CLOUD), say=lambda _: None)
    session.check()
    received = session.times().get(POINTS, {})
    waits = [received[frame.stamp_ns] - frame.published_ns
             for frame in session.played[WARM_UP_FRAMES:] if frame.stamp_ns in received]
    node = [values for values in diagnostic_values(session.recording, STATUS)
            if 'latency_ms' in values]
    if not waits or not node:
        raise MdepthError(f'{len(received)} clouds and {len(node)} latencies of '
                          f'{len(session.played)} images were received: too few to measure')
    depths = session.times()[DEPTH]
    first = next(frame for frame in session.played if frame.stamp_ns in depths)
    first_s = session.active_s + 1e-9 * (depths[first.stamp_ns] - first.published_ns)
    return NodeTimes(_median_of(node, 'latency'), _median_of(node, *STAGES), 1e-6 * median(waits),
                     len(session.played) - len(received), first_s, session.resident_mb)


def _median_of(said: Sequence[Mapping[str, str]], *stages: str) -> float:
    """Of the sum of stages, in the newest diagnostics [ms]."""
    return median(sum(float(values[f'{stage}_ms']) for stage in stages) for values in said[-20:])


def _material(job: Job, folder: Path) -> Material:
    """Write the scene to a bag, there and back again."""
    with np.load(job.scene) as scene:
        images, K = scene['images'], scene['K']
    height, width = images.shape[1:3]
    with CameraBag(folder / 'input', Camera(width, height, K)) as bag:
        order = there_and_back(len(images), job.frames + WARM_UP_FRAMES)
        for i, index in enumerate(order):
            bag.write((i + 1) * PERIOD_NS, images[index])
    return Material('scene', folder / 'input', bag.topics, None, True, None, (width, height))
