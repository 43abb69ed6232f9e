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

"""How well a model explains frames that it did not learn from, where nobody knows their depth."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.datasets import sequence as data
from mdepth_ros.training.losses import automask, masked_mean, minimum_error
from mdepth_ros.training.samples.loader import FolderSamples
from mdepth_ros.training.samples.neighbours import find_triplets, Gap
from mdepth_ros.training.samples.sample import SampleBatch
from mdepth_ros.training.stages.multi_frame import match
from mdepth_ros.training.stages.single_frame import run_single_frame
from mdepth_ros.training.stages.triplet import explain, identity_errors, load
import torch


@dataclass(frozen=True)
class PhotometricScore:
    """
    Photometric error of the sources warped by each depth, and of the sources as they are.

    Means in [0, 1] over the ``frames`` targets, but for those where no pixel counts; None if none
    is left. ``capped`` is over all targets and pixels, and over both depths, of the error or that
    of the sources as they are, whichever is smaller: models are compared by it, as the others are
    at pixels of their own.
    """

    single: float | None
    multi: float | None
    identity: float | None
    capped: float
    frames: int


@torch.no_grad()
def photometric_score(
    model: DepthModel, sequences: Sequence[data.Sequence], width: int, height: int,
    gap: Gap = 'auto', most_frames: int = 100, tracks: int = 64,
) -> PhotometricScore:
    """
    Compare frames with their warped neighbours, without augmentation.

    The motions are those of training, by followed points. A pixel counts where warping by either
    depth beats no warping, so the two depths are compared at the same pixels.

    :param model: in eval mode, on the CPU.
    :param sequences: frames that were held back.
    :param width: width of the networks' input [px].
    :param height: height of the networks' input [px].
    :param gap: between neighbours.
    :param most_frames: a random choice of so many is enough.
    :param tracks: points that a motion is found by.
    :return: the errors.
    :raises DataError: if no frame has neighbours with parallax.
    """
    found = [neighbours.triplets for neighbours in find_triplets(sequences, gap, progress=False)]
    samples = FolderSamples(sequences, found, width, height, batch=1, seed=0, augment=False,
                            tracks=tracks)
    count = min(most_frames, samples.samples_per_epoch)
    errors = [_errors(model, batch) for batch in islice(samples.batches(), count)]
    capped = float(torch.stack([least for _, least in errors]).mean())
    explained = [row for row, _ in errors if row is not None]
    if not explained:
        return PhotometricScore(None, None, None, capped, count)
    single, multi, identity = torch.stack(explained).mean(dim=0).tolist()
    return PhotometricScore(single, multi, identity, capped, count)


def _errors(model: DepthModel, batch: SampleBatch) -> tuple[torch.Tensor | None, torch.Tensor]:
    """Return one sample's three errors, None where no pixel counts, and its capped one."""
    clean, seen = load(batch)
    single = run_single_frame(model, clean, seen, batch.K, batch.tracks)
    depth = match(model, seen, single.depth, batch.K, single.motions).depth
    identity = identity_errors(clean)
    errors = [single.errors[0], explain(clean, depth, batch.K, single.motions).errors]
    counted = automask(torch.cat(errors, dim=1), identity)
    least = [minimum_error(e) for e in (*errors, identity)]
    capped = torch.stack([torch.minimum(e, least[2]).mean() for e in least[:2]]).mean()
    if not counted.any():
        return None, capped
    return torch.stack([masked_mean(e, counted) for e in least]), capped
