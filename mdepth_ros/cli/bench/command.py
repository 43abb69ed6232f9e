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
``mdepth bench``: how fast the networks run here, beside the plain pipeline of the paper.

The JSON has ``latency_ms`` (median), ``p95_ms``, ``fps``, ``ratio_to_eager`` (how many times
faster than the paper's networks in eager PyTorch, in this run), ``rss_mb``, ``stages`` (median ms
of each), ``first_ms`` (loading and first frame), ``matched`` (share of frames matched with an
earlier one), ``eager_ms``, ``profile``, ``backend``, ``size``, ``image``, ``method``,
``hypotheses``, ``busy``, ``machine``, ``date``; with ``--growth`` the lists ``sizes`` and
``numbers_of_hypotheses``; with ``--node`` the object ``node``.
"""

import argparse
from dataclasses import asdict, replace
import datetime
import importlib
import os
from pathlib import Path
import platform
import tempfile
from types import ModuleType
from typing import Any

from mdepth_ros.cli.argument_types import image_size, network_size, positive
from mdepth_ros.cli.bench.job import busy_cores, Job, run_job
from mdepth_ros.cli.engine_arguments import add_device_arguments
from mdepth_ros.cli.json_file import add_json_argument, make_place, write_json
from mdepth_ros.cli.needed_modules import modules_for
from mdepth_ros.config import EngineConfig, lite_config, paper_config
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint
from mdepth_ros.training.synthetic import render_sequence, SceneConfig, to_bytes
import numpy as np

PROFILES = {'lite': lite_config(), 'paper': paper_config()}
SIZES = ((320, 96), (480, 160), (640, 192), (960, 288), (1280, 384))
HYPOTHESES = (8, 16, 32, 64)
RENDERED = 10
EAGER_FRAMES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.

    :param parser: the parser to fill in.
    """
    parser.add_argument('--profile', choices=PROFILES, default='lite',
                        help='which networks, where no weights say it')
    parser.add_argument('--weights', type=Path,
                        help="weights file; by default the package's own for lite, none for paper")
    parser.add_argument('--size', type=network_size, default='640x192', metavar='WxH',
                        help="the networks' input, multiples of 32")
    parser.add_argument('--image', type=image_size, default='1242x375', metavar='WxH',
                        help="the camera's images")
    add_device_arguments(parser)
    parser.add_argument('--threads', type=int, default=0,
                        help='CPU cores of openvino and onnxruntime; 0 is all')
    parser.add_argument('--sources', type=int, choices=(1, 2, 3), default=EngineConfig().sources,
                        help='past frames to match with')
    parser.add_argument('--frames', type=positive, default=60, help='frames that are timed')
    parser.add_argument('--busy', type=int, default=0, metavar='N',
                        help='processes that keep N cores busy meanwhile')
    parser.add_argument('--growth', action='store_true',
                        help='also other sizes and numbers of hypotheses, untrained')
    parser.add_argument('--node', action='store_true',
                        help='also the ROS node, with its clouds received by another process')
    add_json_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """
    Measure.

    :param arguments: the parsed command line.
    :return: 0.
    :raises MdepthError: if weights, device, backend or a place to write to are of no use.
    """
    # Before the long part, so that its result has a place to go.
    make_place(arguments.json)
    trained = arguments.profile == 'lite' or arguments.weights is not None
    node = _node_module(trained) if arguments.node else None
    width, height = arguments.size
    try:
        config = EngineConfig(arguments.device, backend=arguments.backend, width=width,
                              height=height, threads=arguments.threads,
                              sources=arguments.sources)
    except ValueError as error:
        raise MdepthError(str(error)) from error
    model = (load_checkpoint(arguments.weights or DEFAULT_WEIGHTS).config if trained
             else PROFILES[arguments.profile])
    with tempfile.TemporaryDirectory() as folder:
        scene = Path(folder) / 'scene.npz'
        _render(scene, *arguments.image)
        job = Job(scene, model, config, arguments.weights, trained, arguments.frames,
                  arguments.busy)
        own = run_job(job)
        eager_ms = float(np.median(run_job(_eager(job)).latencies_ms))
        median = float(np.median(own.latencies_ms))
        report: dict[str, Any] = {
            'latency_ms': median, 'p95_ms': float(np.percentile(own.latencies_ms, 95)),
            'fps': 1e3 / median, 'ratio_to_eager': eager_ms / median, 'rss_mb': own.rss_mb,
            'stages': {name: float(np.median(times)) for name, times in own.stages_ms.items()},
            'first_ms': own.first_ms, 'matched': own.matched, 'eager_ms': eager_ms,
            'profile': model.profile, 'backend': own.backend, 'size': own.size,
            'image': '{}x{}'.format(*arguments.image), 'method': job.method,
            'hypotheses': model.hypotheses, 'busy': arguments.busy, 'machine': _machine(),
            'date': datetime.date.today().isoformat()}
        print(_table(report), flush=True)
        if arguments.growth:
            report |= _growth(job)
        if node is not None:
            report['node'] = _node(node, job, Path(folder))
    if arguments.json is not None:
        write_json(arguments.json, report)
    return 0


def _node_module(trained: bool) -> ModuleType:
    """Import what measures the node: everything else runs without ROS."""
    if not trained:
        raise MdepthError('--node needs trained weights: give them by --weights')
    with modules_for('bench --node', 'tools'):
        return importlib.import_module('mdepth_ros.cli.bench.node')


def _node(module: ModuleType, job: Job, folder: Path) -> dict[str, float]:
    """Measure the node, against the engine alone with images of the same rate."""
    alone = run_job(replace(job, period_s=1e-9 * module.PERIOD_NS))
    engine_ms = float(np.median(alone.latencies_ms))
    with busy_cores(job.busy):
        times = module.measure_node(job, folder)
    # Of the same frames: a run of another process may be a tenth slower or faster.
    beyond_ms = times.node_ms - times.depth_ms - float(np.median(alone.stages_ms['cloud']))
    print(f'\n| {1e9 / module.PERIOD_NS:.0f} images a second: engine alone, ms | in the node | '
          f'beyond the engine | published to received | times the engine | missed | start to '
          f'first depth, s | MB |\n|---|---|---|---|---|---|---|---|\n| {engine_ms:.1f} | '
          f'{times.node_ms:.1f} | {beyond_ms:.1f} | {times.received_ms:.1f} | '
          f'{times.received_ms / engine_ms:.2f} | {times.missed} | {times.first_s:.1f} | '
          f'{times.rss_mb:.0f} |', flush=True)
    return asdict(times) | {'engine_ms': engine_ms, 'beyond_ms': beyond_ms}


def _eager(job: Job) -> Job:
    """Return the job of the paper's networks, undisturbed, that everything is compared with."""
    device = 'cpu' if job.config.backend == 'openvino' else job.config.device
    return replace(job, model=paper_config(), weights=None, trained=False, busy=0,
                   frames=min(job.frames, EAGER_FRAMES),
                   config=replace(job.config, backend='torch', device=device))


def _growth(job: Job) -> dict[str, Any]:
    """Measure other sizes, and other numbers of hypotheses, of untrained networks."""
    job = replace(job, weights=None, trained=False)
    print('\n| network | pixels | ms | ns per pixel |\n|---|---|---|---|')
    sizes = []
    for width, height in SIZES:
        ms = _median(replace(job, config=replace(job.config, width=width, height=height)))
        sizes.append({'size': f'{width}x{height}', 'pixels': width * height, 'latency_ms': ms})
        print(f'| {width}x{height} | {width * height} | {ms:.1f} | '
              f'{1e6 * ms / (width * height):.0f} |', flush=True)
    print('\n| hypotheses | ms |\n|---|---|')
    numbers = []
    for count in HYPOTHESES:
        ms = _median(replace(job, model=replace(job.model, hypotheses=count)))
        numbers.append({'hypotheses': count, 'latency_ms': ms})
        print(f'| {count} | {ms:.1f} |', flush=True)
    return {'sizes': sizes, 'numbers_of_hypotheses': numbers}


def _median(job: Job) -> float:
    """Latency [ms]."""
    return float(np.median(run_job(job).latencies_ms))


def _table(report: dict[str, Any]) -> str:
    """One row of the README's table, and what it means."""
    stages = ', '.join(f'{name} {ms:.1f}' for name, ms in report['stages'].items())
    return (f'{report["machine"]}, {report["date"]}\n'
            f'{report["profile"]}, {report["method"]} method, {report["backend"]}, '
            f'{report["image"]} images, {report["busy"]} busy processes beside, '
            f'{report["matched"]:.0%} of the frames matched\n\n'
            '| profile | network | ms, median | 95 % | frames/s | times the eager paper pipeline '
            '| MB | first frame [s] |\n|---|---|---|---|---|---|---|---|\n'
            f'| {report["profile"]} | {report["size"]} | {report["latency_ms"]:.1f} | '
            f'{report["p95_ms"]:.1f} | {report["fps"]:.1f} | {report["ratio_to_eager"]:.1f} '
            f'({report["eager_ms"]:.0f} ms) | {report["rss_mb"]:.0f} | '
            f'{report["first_ms"] / 1e3:.1f} |\n\nstages [ms]: {stages}')


def _render(path: Path, width: int, height: int) -> None:
    """Render a short drive."""
    scene = render_sequence(SceneConfig('driving', width, height, frames=RENDERED, noise=0.005),
                            seed=777_000_001)
    images = to_bytes(scene.images).permute(0, 2, 3, 1).contiguous().numpy()
    np.savez(path, images=images, K=scene.K.double().numpy())


def _machine() -> str:
    """Return the processor's name and how much of it we have."""
    names = [line.partition(':')[2].strip() for line in _cpu_info()
             if line.startswith('model name')]
    return f'{names[0] if names else platform.machine()}, {len(os.sched_getaffinity(0))} cores'


def _cpu_info() -> list[str]:
    """Lines of /proc/cpuinfo, none where there is no such file."""
    path = Path('/proc/cpuinfo')
    return path.read_text(encoding='utf-8').splitlines() if path.exists() else []
