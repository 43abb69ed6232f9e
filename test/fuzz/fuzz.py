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
Feed broken messages and files to the package.

    python test/fuzz/fuzz.py --messages 9000 --node 600 --compressed_node 400 --files 1000
    python test/fuzz/fuzz.py --files 1 --seed 1 --first 471       exactly that one, again

Each kind runs in a process of its own, which may die; the next one goes on after that case. Every
failure is printed with what repeats it, and its input is kept in the folder --out. The status is
1 if there is any.
"""

import argparse
from collections import Counter
import json
import os
from pathlib import Path
import subprocess
import sys
import time

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGETS = ('messages', 'node', 'compressed_node', 'files')
SHOWN = 30


def main(words=None):
    """Run all kinds; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    for name in TARGETS:
        parser.add_argument(f'--{name}', type=int, default=0, metavar='N')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--first', type=int, default=0, metavar='INDEX')
    parser.add_argument('--out', type=Path, default=Path('out/fuzz'))
    parser.add_argument('--child', choices=TARGETS, help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.child:
        return child(arguments)
    failures = sum(run(name, arguments) for name in TARGETS if getattr(arguments, name))
    print(f'{failures} failures' if failures else 'no failure')
    return 1 if failures else 0


def run(name, arguments):
    """Run the cases of one kind, whatever they do to their process; returns how many failed."""
    work = arguments.out.resolve() / name
    work.mkdir(parents=True, exist_ok=True)
    report = work / 'report.jsonl'
    report.unlink(missing_ok=True)
    first, last = arguments.first, arguments.first + getattr(arguments, name)
    start_s = time.monotonic()
    while first < last:
        (work / 'current').write_text(str(first - 1))
        with (work / 'log.txt').open('w') as log:
            done = subprocess.run(
                [sys.executable, str(HERE / 'fuzz.py'), '--child', name, '--seed',
                 str(arguments.seed), '--first', str(first), f'--{name}', str(last - first),
                 '--out', str(work)],
                env=environment(work), cwd=work, stdout=log, stderr=log)
        if done.returncode == 0:
            break
        died = int((work / 'current').read_text())
        text = (work / 'log.txt').read_text(errors='replace')[-3000:]
        with report.open('a') as file:
            file.write(json.dumps({'index': died, 'kind': f'process ended with {done.returncode}',
                                   'text': text}) + '\n')
        if died < first:  # not of a case
            break
        first = died + 1
    return summarise(name, arguments.seed, report, time.monotonic() - start_s)


def environment(work):
    """Return an environment with a home of its own, and only this checkout's package."""
    home = work / 'home'
    home.mkdir(exist_ok=True)
    (work / 'log').mkdir(exist_ok=True)
    return os.environ | {
        'HOME': str(home), 'XDG_CACHE_HOME': str(work / 'cache'), 'ROS_LOG_DIR': str(work / 'log'),
        'PYTHONPATH': os.pathsep.join([str(ROOT), str(ROOT / 'test'), str(HERE)]),
        'PYTHONDONTWRITEBYTECODE': '1', 'PYTHONFAULTHANDLER': '1', 'OMP_NUM_THREADS': '1'}


def summarise(name, seed, report, seconds):
    """Print failures, those of one kind together, and what became of all cases."""
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    failures = [line for line in lines if 'kind' in line]
    counts = Counter()
    for line in lines:
        for key, value in line.get('counts', {}).items():
            counts[key] = max(counts[key], value) if key == 'slowest_ms' else counts[key] + value
    kinds = {}
    for failure in failures:
        kinds.setdefault(failure['kind'], []).append(failure)
    for kind, alike in list(kinds.items())[:SHOWN]:
        print(f'--- {name}: {kind}, {len(alike)} times; again: python test/fuzz/fuzz.py '
              f'--{name} 1 --seed {seed} --first {alike[0]["index"]}')
        print(alike[0]['text'][-2500:])
    print(f'{name}: ' + ', '.join(f'{value} {key}' for key, value in sorted(counts.items()))
          + f', in {seconds:.0f} s')
    for line in lines:
        if 'end' in line:
            print(f'{name}: {line["end"]}')
    return len(failures)


def child(arguments):
    """Run cases in this process, which has been started for that."""
    from loop import limit_memory, run_cases

    name, work = arguments.child, arguments.out
    weights = work / 'tiny.safetensors'
    if not weights.exists():
        write_tiny_weights(weights)
    if name == 'messages':
        from message_target import MessageTarget as Target
    elif name == 'node':
        from node_target import NodeTarget as Target
    elif name == 'compressed_node':
        from node_target import CompressedNodeTarget as Target
    else:
        from file_target import FileTarget as Target
    target = Target(work, weights)
    limit_memory()
    indices = range(arguments.first, arguments.first + getattr(arguments, name))
    run_cases(target, name, arguments.seed, indices, work, work / 'report.jsonl')
    return 0


def write_tiny_weights(path):
    """Write the lite profile with random weights."""
    from mdepth_ros.config import lite_config
    from mdepth_ros.networks.checkpoint import save_checkpoint
    from mdepth_ros.networks.depth_model import DepthModel
    import torch

    torch.manual_seed(0)
    save_checkpoint(DepthModel(lite_config()), path, torch.float16)


if __name__ == '__main__':
    sys.exit(main())
