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

"""Models that others published as a folder of ``.pth`` files, told apart by their keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mdepth_ros.config import ModelConfig, paper_config, Profile
from mdepth_ros.errors import CheckpointError, one_line
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.features import MATCHING_STRIDE
from mdepth_ros.networks.public_weights import clean_state_dict, read_public_values
from mdepth_ros.networks.state_dict import differences
import torch
from torch import Tensor

# The name of PADS' delta in the file of the regulariser.
DELTA = 'depth_bin_facs'
# A file may say that one number is a tensor of any shape.
MOST_CELLS = 2**20
SINGLE_AND_POSE = ('single.encoder', 'single.decoder', 'pose.encoder', 'pose.decoder')
MULTI = ('multi.feature_net', 'multi.regulariser', 'multi.upsampler')
# A file with fewer keys in common with a network, of those that either has, is another's.
LEAST_SHARED = 0.5


@dataclass(frozen=True)
class Origin:
    """Who published a model: ``profile`` in its config, ``name`` and ``licence`` for people."""

    profile: Profile
    name: str
    licence: str


MISM = Origin('paper', 'Xiang et al., RA-L 2023, this method',
              'unclear, so take it as non-commercial')
MONODEPTH2 = Origin('monodepth2', 'monodepth2', 'non-commercial use only')
MOVEDEPTH = Origin('movedepth', 'MOVEDepth', MISM.licence)


@dataclass(frozen=True)
class PublishedModel:
    """
    What a folder holds.

    ``files`` maps the parts of ``model`` to their files, ``unused`` are other files and
    ``missing`` what the model would have, too; both are texts for people.
    """

    model: DepthModel
    origin: Origin
    files: dict[str, str]
    unused: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class _PartFile:
    """A file that is a part; ``variant`` names the encoder of the S-DepthNet it may belong to."""

    path: Path
    variant: str
    values: Mapping[str, Any]
    tensors: dict[str, Tensor]


def load_published(folder: Path) -> PublishedModel:
    """
    Assemble the model of a folder.

    :param folder: with the files of this method (HRNet-W18 or ResNet-18), of MOVEDepth or of
        monodepth2's ResNet-18; the names of the files do not matter.
    :return: the model, without M-DepthNet where the folder has no file of it; its trust is not
        trained.
    :raises CheckpointError: one line, if a file cannot be read, does not fit, occurs twice, or a
        part is missing.
    """
    paths = sorted(folder.glob('*.pth'))
    if not paths:
        raise CheckpointError(f'there is no .pth file in {folder}')
    variants = _variants()
    parts: dict[str, _PartFile] = {}
    unused = []
    for path in paths:
        values = _read(path)
        tensors = clean_state_dict(values)
        match = _recognise(tensors, variants)
        if match is None:
            first = f'first {one_line(min(tensors))}' if tensors else 'no weights'
            unused.append(f'{path.name} ({len(tensors)} tensors, {first})')
            continue
        part, variant = match
        if part in parts:
            raise CheckpointError(f'{folder} has two files of {part}: {parts[part].path.name} and '
                                  f'{path.name}')
        parts[part] = _PartFile(path, variant, values, tensors)
    return _assemble(folder, parts, tuple(unused), variants)


def _assemble(
    folder: Path, parts: dict[str, _PartFile], unused: tuple[str, ...],
    variants: Mapping[str, DepthModel],
) -> PublishedModel:
    """Put the parts into a model whose config they decide."""
    multi_frame = any(part in parts for part in MULTI)
    needed = SINGLE_AND_POSE + (MULTI if multi_frame else ())
    _check_complete(folder, parts, needed, unused)
    encoder, delta = parts['single.encoder'], None
    if multi_frame and DELTA in parts['multi.regulariser'].tensors:
        delta = _delta(parts['multi.regulariser'])
    origin = (MONODEPTH2 if encoder.variant == 'resnet18' and not multi_frame else
              MOVEDEPTH if encoder.variant == 'resnet18' and delta is None else MISM)
    width, height = _size(encoder, delta)
    model = DepthModel(_config(variants[encoder.variant].config, profile=origin.profile,
                               width=width, height=height, multi_frame=multi_frame))
    state = {f'trust.{key}': value for key, value in model.trust.state_dict().items()}
    if multi_frame:
        state['multi.delta'] = model.multi.delta if delta is None else delta
    for name, part in parts.items():
        problems = differences(part.tensors, model.get_submodule(name).state_dict())
        if problems:
            raise CheckpointError(f'{part.path} does not fit {name} of {encoder.variant}: '
                                  + '; '.join(problems))
        state |= {f'{name}.{key}': value for key, value in part.tensors.items()}
    model.load_state_dict(state)
    absent = [] if multi_frame else ['M-DepthNet: every depth is single-frame']
    if multi_frame and delta is None:
        absent.append(f'delta ({DELTA}): 1 everywhere, the start of its training')
    if delta is None and 'width' not in encoder.values:
        absent.append(f'the size it was trained at, taken as {width}x{height}')
    return PublishedModel(model.eval(), origin,
                          {name: parts[name].path.name for name in needed}, unused, tuple(absent))


def _check_complete(
    folder: Path, parts: Mapping[str, _PartFile], needed: Sequence[str], unused: Sequence[str]
) -> None:
    """Refuse a folder without all parts, or with those of two S-DepthNets."""
    missing = [part for part in needed if part not in parts]
    if missing:
        text = f'{folder} has no file of {", ".join(missing)}'
        raise CheckpointError(text + (f'; not recognised: {", ".join(unused)}' if unused else ''))
    encoder, decoder = parts['single.encoder'], parts['single.decoder']
    if encoder.variant != decoder.variant:
        raise CheckpointError(f'{encoder.path} is an encoder of {encoder.variant}, but '
                              f'{decoder.path} is a decoder of {decoder.variant}')


def _read(path: Path) -> dict[str, Any]:
    """Read a file, or say in one line why not."""
    try:
        return read_public_values(path)
    except (ValueError, FileNotFoundError) as error:
        raise CheckpointError(one_line(error)) from error


def _variants() -> dict[str, DepthModel]:
    """Return models without memory of the two S-DepthNets, by encoder."""
    paper = paper_config()
    resnet = replace(paper, single_encoder='resnet18', single_decoder='unet')
    with torch.device('meta'):
        return {config.single_encoder: DepthModel(config) for config in (paper, resnet)}


def _recognise(
    tensors: Mapping[str, Tensor], variants: Mapping[str, DepthModel]
) -> tuple[str, str] | None:
    """Find the part, and the variant of it, that most keys and then most shapes agree with."""
    found: list[tuple[float, int, str, str]] = []
    keys = tensors.keys() - {DELTA}
    for variant, model in variants.items():
        for part in SINGLE_AND_POSE + MULTI:
            expected = model.get_submodule(part).state_dict()
            shared = keys & expected.keys()
            alike = sum(tensors[key].shape == expected[key].shape for key in shared)
            found.append((len(shared) / len(keys | expected.keys()), alike, part, variant))
    share, _, part, variant = max(found)
    return (part, variant) if share >= LEAST_SHARED else None


def _delta(regulariser: _PartFile) -> Tensor:
    """Take delta out of the regulariser's tensors, as (1, 1, h, w)."""
    delta = regulariser.tensors.pop(DELTA)
    height, width = delta.shape[-2:] if delta.ndim >= 2 else (0, 0)
    unit = 32 // MATCHING_STRIDE
    if (delta.numel() != height * width or not 0 < delta.numel() <= MOST_CELLS
            or height % unit or width % unit):
        raise CheckpointError(f'{regulariser.path}: {DELTA} must be (h, w) with h and w multiples '
                              f'of {unit} and h x w at most {MOST_CELLS}, '
                              f'got {tuple(delta.shape)}')
    if not bool((delta.isfinite() & (delta >= 0)).all()):
        raise CheckpointError(f'{regulariser.path}: {DELTA} must be finite and not negative')
    return delta.float().reshape(1, 1, height, width)


def _size(encoder: _PartFile, delta: Tensor | None) -> tuple[int, int]:
    """Return the training size [px]: delta's, the one in the encoder's file, or the paper's."""
    if delta is not None:
        return MATCHING_STRIDE * delta.shape[3], MATCHING_STRIDE * delta.shape[2]
    size = encoder.values.get('width', 640), encoder.values.get('height', 192)
    if any(type(value) is not int for value in size):
        raise CheckpointError(f'{encoder.path}: width and height must be whole numbers, '
                              f'got {size}')
    return size


def _config(base: ModelConfig, **changes: Any) -> ModelConfig:
    """Change a config, or say in one line why not."""
    try:
        return replace(base, **changes)
    except ValueError as error:
        raise CheckpointError(str(error)) from error
