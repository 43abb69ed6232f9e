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

"""Stage 3: M-DepthNet and delta again, guided by the student. Ours; the paper stops before it."""

from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.loop.loop import Loop
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.samples.sample import SampleBatch
from mdepth_ros.training.stages.multi_frame import run_multi_frame
from mdepth_ros.training.stages.objective import Objective, StepResult, Views
from mdepth_ros.training.stages.search_width import Search
from mdepth_ros.training.stages.single_frame import predict
from mdepth_ros.training.stages.step_random import StepRandom
from mdepth_ros.training.stages.triplet import load
import torch


class RefineObjective(Objective):
    """
    L = L_M + 4 L_mask, with S-DepthNet and PoseNet frozen.

    :param model: its ``multi`` learns.
    """

    def __init__(self, model: DepthModel) -> None:
        super().__init__()
        self.model = model
        self.freeze(model.single)
        self.freeze(model.pose)

    def forward(self, batch: SampleBatch, random: StepRandom) -> StepResult:
        """
        Compute the loss of a batch.

        :param batch: samples.
        :param random: places patches.
        :return: loss, terms, views.
        """
        clean, seen = load(batch)
        with torch.no_grad():
            prior = predict(self.model, seen, batch.K, batch.tracks)
        multi = run_multi_frame(self.model, clean, seen, prior.depth, batch.K, prior.motions,
                                random)
        views = Views(clean.target, multi.warped, prior.depth, multi.depth,
                      confidence=multi.confidence)
        return StepResult(multi.loss, {'multi': multi.photometric, 'mask': multi.mask}, views)


def refine(loop: Loop, model: DepthModel, schedule: Schedule, search: Search) -> None:
    """
    Train M-DepthNet and delta.

    :param loop: devices, samples, logs, saved states.
    :param model: changed in place.
    :param schedule: steps and learning rate.
    :param search: how delta is followed.
    """
    search.begin(model.multi.delta)
    stage = loop.begin('refine', model, RefineObjective(model), schedule)
    for step, batch in stage.batches():
        result = stage.objective(batch, loop.random(step))
        if stage.descend(result.loss):
            search.follow(model.multi.delta, result.views.multi_depth, result.views.single_depth,
                          step / schedule.steps)
        stage.report(step, result)
