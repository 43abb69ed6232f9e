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

"""The ablation's numbers as a Markdown table."""

from collections.abc import Sequence
import json
from pathlib import Path

from mdepth_ros.training.ablation.graph import GRAPH
import numpy as np


def ablation_table(folder: Path, seeds: Sequence[int]) -> str:
    """
    Average over the seeds.

    :param folder: of :func:`run_ablation`.
    :param seeds: which.
    :return: Markdown; jobs that are not done for all seeds are left out.
    """
    lines = ['| what | AbsRel single | AbsRel multi | multi wins | mean delta |',
             '|---|---|---|---|---|']
    for job in GRAPH:
        files = [folder / f'seed-{seed}' / f'{job.name}.json' for seed in seeds]
        if job.title is not None and all(file.is_file() for file in files):
            results = [json.loads(file.read_text()) for file in files]
            cells = [_cell([result[key] for result in results])
                     for key in ('single', 'multi', 'wins', 'delta')]
            lines.append(f'| {job.title} | {" | ".join(cells)} |')
    return '\n'.join(lines)


def _cell(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return f'{np.mean(values):.3f} ± {deviation:.3f}'
