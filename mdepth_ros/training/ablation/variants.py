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

"""The variants of M-DepthNet's search, and what each changes."""

from dataclasses import dataclass

from mdepth_ros.training.stages.search_width import Search

# delta at the start, and the fixed relative width: from half to twice the single-frame depth.
START = 1.0


@dataclass(frozen=True)
class Matching:
    """
    An M-DepthNet trained from scratch with the S-DepthNet of another job frozen, its ``prior``.

    ``search`` sets delta; ``hypotheses`` in one range for all pixels where ``global_range`` is
    set; ``batch`` None is the ablation's.
    """

    name: str
    title: str
    search: Search
    global_range: bool = False
    hypotheses: int = 16
    batch: int | None = None
    prior: str = 'teacher'


FIXED = Search('fixed', START)
VARIANTS = (
    Matching('global-16', 'one global range, 16 samples', Search('fixed', 0.0), True),
    Matching('global-96', 'one global range, 96 samples', Search('fixed', 0.0), True, 96),
    Matching('fixed', 'fixed relative width', FIXED),
    Matching('paper', "PADS, paper's rule", Search('paper', START)),
    Matching('ours', 'PADS, our rule', Search('quantile', START)),
    Matching('student-prior', 'PADS, our rule', Search('quantile', START), prior='student'),
    Matching('paper-narrow', "PADS, paper's rule, delta from 0.3", Search('paper', 0.3)),
    Matching('paper-wide', "PADS, paper's rule, delta from 3", Search('paper', 3.0)),
    Matching('ours-narrow', 'PADS, our rule, delta from 0.3', Search('quantile', 0.3)),
    Matching('ours-wide', 'PADS, our rule, delta from 3', Search('quantile', 3.0)),
    Matching('paper-batch-1', "PADS, paper's rule, batch 1", Search('paper', START), batch=1),
    Matching('paper-batch-12', "PADS, paper's rule, batch 12", Search('paper', START), batch=12),
    Matching('ours-batch-1', 'PADS, our rule, batch 1', Search('quantile', START), batch=1),
    Matching('ours-batch-12', 'PADS, our rule, batch 12', Search('quantile', START), batch=12),
)
