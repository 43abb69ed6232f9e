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

"""The trainings and measurements of an ablation, each a file that is made once."""

from collections.abc import Callable
import dataclasses
import json
from pathlib import Path

from lightning_fabric import Fabric
from mdepth_ros.config import EngineConfig, lite_config
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.networks.canonical import to_depth
from mdepth_ros.networks.checkpoint import load_checkpoint, save_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.multi_frame import MultiFrameNet
from mdepth_ros.networks.public_weights import load_imagenet_efficientnet_lite0
from mdepth_ros.training.ablation.config import AblationConfig, WORLDS_PER_SEED
from mdepth_ros.training.ablation.global_range import with_global_range
from mdepth_ros.training.ablation.variants import Matching
from mdepth_ros.training.datasets.frames_folder import open_frames
from mdepth_ros.training.datasets.frames_index import FILE_NAME
from mdepth_ros.training.datasets.rendered import write_sequence
from mdepth_ros.training.evaluation.evaluate import evaluate
from mdepth_ros.training.evaluation.protocol import ALL
from mdepth_ros.training.evaluation.stretches import whole_sequences
from mdepth_ros.training.loop.loop import Loop, LoopOptions
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.samples.loader import FolderSamples
from mdepth_ros.training.samples.neighbours import find_triplets
from mdepth_ros.training.samples.triplet import ParallaxRule
from mdepth_ros.training.scenes import held_out
from mdepth_ros.training.stages.refine import refine
from mdepth_ros.training.stages.search_width import Search
from mdepth_ros.training.stages.student import train_student
from mdepth_ros.training.stages.teacher import train_teacher
from mdepth_ros.training.stages.triplet import load
from mdepth_ros.training.synthetic import random_config, render_sequence
from mdepth_ros.whole_file import write_whole
import torch

LEARN_FRAMES = 12
TRACKS = 64
# In small images a usual parallax would be less than a pixel of M-DepthNet's features.
PARALLAX = ParallaxRule(target=0.03, least=0.01)
OURS = Search('quantile', 1.0)
# Shares of the single-frame depths that one range for all leaves out at its ends.
RANGE = (0.01, 0.99)


class Jobs:
    """
    Trainings of one seed.

    :param config: how large.
    :param seed: which.
    :param folder: takes weights and scores, ``<name>.safetensors`` and ``<name>.json``.
    """

    def __init__(self, config: AblationConfig, seed: int, folder: Path) -> None:
        self.config, self.seed, self.folder = config, seed, folder

    def data(self) -> None:
        """Render the worlds to learn from and those to score on."""
        config = self.config
        for part, first, count, frames in (
                ('learn', WORLDS_PER_SEED * self.seed, config.worlds, LEARN_FRAMES),
                ('test', held_out.ABLATION[0], config.test_worlds, config.test_frames)):
            for seed in range(first, first + count):
                folder = self.folder / part / str(seed)
                if not (folder / FILE_NAME).is_file():
                    # A camera that stands or only turns teaches nothing without labels.
                    scene = dataclasses.replace(
                        random_config(seed, config.width, config.height, frames, config.kind),
                        static_camera=False, pure_rotation=False)
                    write_sequence(render_sequence(scene, seed), folder)

    def teacher(self) -> None:
        """Train the teacher."""
        def work(loop: Loop) -> DepthModel:
            model = self._imagenet(self.seed)
            train_teacher(loop, model, Schedule(self.config.teacher_steps, self.config.rate), OURS,
                          self.config.anchor_depth)
            return model
        self._train('teacher', work)

    def matching(self, variant: Matching) -> None:
        """Train a new M-DepthNet beside a frozen S-DepthNet."""
        def work(loop: Loop) -> DepthModel:
            model = self._load(variant.prior)
            torch.manual_seed(self.seed)
            if variant.global_range:
                with_global_range(model, variant.hypotheses, *self._range(model))
            else:
                model.multi = MultiFrameNet(model.config)
            refine(loop, model, self._matching(), variant.search)
            return model
        self._train(variant.name, work, variant.batch, keep=False)

    def student(self, name: str, teacher: str, masked: bool) -> None:
        """Train the student; the result has the teacher's M-DepthNet."""
        def work(loop: Loop) -> DepthModel:
            student = self._imagenet(self.seed + 1000)
            train_student(loop, student, self._load(teacher),
                          Schedule(self.config.student_steps, self.config.rate), masked,
                          self.config.anchor_depth)
            return student
        self._train(name, work)

    def refined(self, name: str, student: str) -> None:
        """Refine M-DepthNet."""
        def work(loop: Loop) -> DepthModel:
            model = self._load(student)
            refine(loop, model, self._matching(),
                   dataclasses.replace(OURS, delta=0.0, hold=0.0))
            return model
        self._train(name, work)

    def _train(
        self, name: str, work: Callable[[Loop], DepthModel], batch: int | None = None,
        keep: bool = True,
    ) -> None:
        """Do a training unless its score is there; ``keep`` the weights for other jobs."""
        if (self.folder / f'{name}.json').is_file():
            return
        config = self.config
        fabric = Fabric(accelerator='cpu', devices=1)
        fabric.launch()
        samples = self._samples(batch or config.batch)
        run = self.folder / name
        run.mkdir(parents=True, exist_ok=True)
        options = LoopOptions(seed=self.seed, log_every=50, pictures_every=1000)
        model = work(Loop(fabric, samples, run, options)).eval()
        if keep:
            save_checkpoint(model, self.folder / f'{name}.safetensors')
        self._score(name, model)

    def _score(self, name: str, model: DepthModel) -> None:
        """Play the test worlds through the estimator."""
        config = self.config
        estimator = DepthEstimator(model, EngineConfig(width=config.width, height=config.height,
                                                       backend='torch'))
        rows = evaluate(estimator, whole_sequences(open_frames(self.folder / 'test')),
                        ALL).rows
        row = rows.get('matched', rows['all'])
        result = {'single': row.single.abs_rel, 'multi': row.multi.abs_rel,
                  'wins': row.wins / max(row.matched, 1), 'delta': float(model.multi.delta.mean())}
        write_whole(self.folder / f'{name}.json', json.dumps(result).encode())

    def _imagenet(self, seed: int) -> DepthModel:
        """Make a lite model with ImageNet's encoders."""
        torch.manual_seed(seed)
        model = DepthModel(dataclasses.replace(lite_config(), width=self.config.width,
                                               height=self.config.height))
        load_imagenet_efficientnet_lite0(model.single.encoder)
        load_imagenet_efficientnet_lite0(model.pose.encoder)
        return model

    def _load(self, name: str) -> DepthModel:
        """Read what another job made."""
        return load_checkpoint(self.folder / f'{name}.safetensors')

    def _range(self, model: DepthModel) -> tuple[float, float]:
        """Where the single-frame depths lie [m]."""
        batch = next(self._samples(16).batches())
        _, seen = load(batch)
        with torch.no_grad():
            depth = to_depth(model.single(seen.target).disparity, model.config, batch.K)
        near, far = depth.flatten().quantile(torch.tensor(RANGE)).tolist()
        return near, far

    def _samples(self, batch: int) -> FolderSamples:
        """Batches from the worlds to learn from."""
        config = self.config
        sequences = open_frames(self.folder / 'learn')
        triplets = [found.triplets for found in find_triplets(
            sequences, progress=False, rule=PARALLAX)]
        return FolderSamples(sequences, triplets, config.width, config.height, batch, self.seed,
                             tracks=TRACKS)

    def _matching(self) -> Schedule:
        """Return the steps of an M-DepthNet alone."""
        return Schedule(self.config.matching_steps, self.config.rate)
