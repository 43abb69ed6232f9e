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

"""A tiny ablation from end to end, and the global range as a case of PADS."""

from dataclasses import replace
import json
from pathlib import Path

from mdepth_ros.config import lite_config
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.ablation.config import AblationConfig, load_ablation
from mdepth_ros.training.ablation.global_range import with_global_range
from mdepth_ros.training.ablation.graph import GRAPH, longest_first
from mdepth_ros.training.ablation.jobs import Jobs
from mdepth_ros.training.ablation.run import run_ablation
from mdepth_ros.training.ablation.table import ablation_table
from mdepth_ros.training.ablation.variants import VARIANTS
import pytest
import torch

SHIPPED = Path(__file__).resolve().parents[3] / 'training/synthetic/ablation.yaml'


def variant(name):
    return next(variant for variant in VARIANTS if variant.name == name)


SCORED = [job.name for job in GRAPH if job.title is not None]
CONFIG = AblationConfig(seeds=[0], width=64, height=64, kind='driving', worlds=3, test_worlds=1,
                        test_frames=3, batch=2, teacher_steps=1, matching_steps=1,
                        student_steps=1)


@pytest.fixture(scope='module')
def done(tmp_path_factory):
    """All jobs of one seed, a step each; its folder."""
    folder = tmp_path_factory.mktemp('ablation')
    run_ablation(CONFIG, folder)
    return folder / 'seed-0'


def test_every_job_leaves_a_score(done):
    scores = {name: json.loads((done / f'{name}.json').read_text()) for name in SCORED}
    for score in scores.values():
        assert 0 < score['single'] < 10
        assert 0 < score['multi'] < 10
        assert 0 <= score['wins'] <= 1
    # The teacher's S-DepthNet is frozen beside each M-DepthNet: its score is the same.
    assert len({scores[name]['single'] for name in ('teacher', 'global-16', 'ours')}) == 1
    assert scores['student-prior']['single'] == scores['student']['single']


def test_what_is_done_is_not_done_again(done):
    jobs = Jobs(CONFIG, 0, done)
    before = {path: path.stat().st_mtime_ns for path in done.glob('*.*')}
    jobs.teacher()
    jobs.matching(variant('ours'))
    assert {path: path.stat().st_mtime_ns for path in done.glob('*.*')} == before


def test_the_table_holds_what_all_seeds_have(done):
    table = ablation_table(done.parent, [0]).splitlines()
    assert len(table) == 2 + len(SCORED)
    assert any(line.startswith('| M from scratch on the teacher: PADS, our rule |')
               for line in table)
    assert len(ablation_table(done.parent, [0, 1]).splitlines()) == 2


def test_results_of_another_configuration_are_not_reused(done):
    with pytest.raises(MdepthError, match=r'results of another ablation \(rate 0.001, now 0.01\)'):
        run_ablation(replace(CONFIG, rate=0.01), done.parent)
    # Further seeds have folders of their own.
    with pytest.raises(MdepthError, match='kind driving, now indoor, batch 2, now 3'):
        run_ablation(replace(CONFIG, seeds=[1, 2], kind='indoor', batch=3), done.parent)
    assert load_ablation(done.parent / 'ablation.yaml') == CONFIG


def test_every_job_can_start():
    needs = {job.name: job.needs for job in GRAPH}
    assert len(needs) == len(GRAPH)
    ready = {None}
    for _ in GRAPH:
        ready |= {name for name, needed in needs.items() if needed in ready}
    assert ready == {None, *needs}


def test_long_jobs_start_first():
    jobs = longest_first(AblationConfig(batch=4))
    assert sorted(job.name for job in jobs) == sorted(job.name for job in GRAPH)
    names = [job.name for job in jobs if job.variant is not None]
    assert [job.name for job in jobs[-len(names):]] == names
    # 4 x 96, 12 x 16, 4 x 16, 1 x 16 hypotheses a step.
    assert names[:3] == ['global-96', 'paper-batch-12', 'ours-batch-12']
    assert names[-2:] == ['paper-batch-1', 'ours-batch-1']
    # From 12 on the batch is the ablation's own.
    names = [job.name for job in longest_first(AblationConfig(batch=24))]
    assert names.index('paper-batch-12') > names.index('paper')


def test_a_global_range_does_not_look_at_the_prior():
    torch.manual_seed(0)
    model = with_global_range(DepthModel(lite_config()).eval(), 16, 2.0, 50.0)
    features = model.multi.features(torch.rand(1, 3, 64, 64))
    source = model.multi.features(torch.rand(1, 3, 64, 64)).matching[:, None]
    K = torch.tensor([[[15.0, 0, 8], [0, 15, 8], [0, 0, 1]]])
    T = torch.eye(4)[None, None].clone()
    T[..., 0, 3] = 0.5
    one, other = (model.multi(features, source, torch.full((1, 1, 64, 64), depth), K, T)
                  for depth in (1.0, 30.0))
    assert torch.equal(one.depth, other.depth)
    assert one.hypotheses[0, -1].unique().item() == pytest.approx(2.0, rel=1e-5)
    assert one.hypotheses[0, 0].unique().item() == pytest.approx(50.0, rel=1e-5)


def test_the_shipped_file_is_read_and_wrong_ones_are_refused(tmp_path):
    assert len(load_ablation(SHIPPED).seeds) == 3
    assert load_ablation(SHIPPED, ['batch=8']).batch == 8
    for word, told in (('bacth=3', 'bacth'), ('batch=0', 'batch must be at least 1'),
                       ('width=100', 'width must be a multiple of 32 from 64 on, got 100'),
                       ('rate=0', 'rate must be > 0, got 0.0'),
                       ('worlds=1001', 'worlds must be at most 1000, got 1001'),
                       ('test_worlds=1001', 'test_worlds must be at most 1000, got 1001'),
                       ('seeds=[0,1,0]', r'seeds must differ and be in .*, got \[0, 1, 0\]'),
                       ('seeds=[-1]', r'seeds must differ and be in \[0, 776999\], got \[-1\]'),
                       ('anchor_depth=-1', 'anchor_depth must be >= 0, got -1.0'),
                       ('batch', 'expected key=value after the ablation')):
        with pytest.raises(MdepthError, match=told):
            load_ablation(SHIPPED, [word])
    with pytest.raises(MdepthError, match='no ablation at'):
        load_ablation(tmp_path / 'none.yaml')
