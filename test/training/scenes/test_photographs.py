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

"""Photographs as textures: crops that tile, in worlds that stay what they are without them."""

from mdepth_ros.errors import MdepthError
from mdepth_ros.training.scenes import variation
from mdepth_ros.training.scenes.config import SceneConfig
from mdepth_ros.training.scenes.noise import SIZE
from mdepth_ros.training.scenes.photo_materials import MORE, with_photographs
from mdepth_ros.training.scenes.photographs import (
    load_photographs,
    Photographs,
    PhotoKind,
    save_photographs,
)
from mdepth_ros.training.scenes.sequence import build_world
from mdepth_ros.training.scenes.textures import paint, Texture
from mdepth_ros.training.synthetic import render_sequence
import numpy as np
import pytest
import torch

KEPT = (Texture.PLAIN, Texture.CLOUDS)


def photograph(seed, height=300, width=400):
    """Clouds, brighter towards one corner: what does not tile by itself."""
    rng = np.random.default_rng(seed)
    noise = np.cumsum(np.cumsum(rng.normal(0, 1, (height, width, 3)), axis=0), axis=1)
    noise = 0.2 * noise / np.abs(noise).max() + 0.1 * rng.random((height, width, 3))
    ramp = np.linspace(0.2, 0.6, width)[None, :, None] + np.linspace(0, 0.1, height)[:, None, None]
    return (255 * np.clip(ramp + noise, 0, 1)).astype(np.uint8)


@pytest.fixture(scope='module')
def bank():
    return Photographs({kind: [photograph(n), photograph(n + 100, 120, 110)]
                        for n, kind in enumerate(PhotoKind)})


def test_crops_tile(bank):
    for seed in range(12):
        crop = bank.crop((PhotoKind.WOOD,), np.random.default_rng(seed))
        assert crop.shape == (SIZE, SIZE, 3)
        assert 0 <= crop.min() <= crop.max() <= 1
        for axis in (0, 1):
            inside = np.abs(np.diff(crop, axis=axis)).mean()
            seam = np.abs(crop.take(0, axis) - crop.take(-1, axis)).mean()
            assert seam <= 1.5 * inside, (seed, axis)


def test_crops_vary_and_repeat(bank):
    first, again, other = (bank.crop(tuple(PhotoKind), np.random.default_rng(seed))
                           for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_kind_is_chosen_where_there_is_one():
    dark, bright = np.full((2, 200, 200, 3), [[[[20]]], [[[150]]]], dtype=np.uint8)
    bank = Photographs({PhotoKind.WOOD: [dark], PhotoKind.METAL: [bright], PhotoKind.DOOR: []})
    for seed in range(5):
        rng = np.random.default_rng(seed)
        assert bank.crop((PhotoKind.WOOD, PhotoKind.DOOR), rng).mean() < 0.3
        assert bank.picture((PhotoKind.METAL,), rng).mean() > 0.3
    seen = {bool(bank.crop((PhotoKind.GRASS,), np.random.default_rng(seed)).mean() > 0.3)
            for seed in range(20)}
    assert seen == {False, True}


def test_white_walls_are_not_blown_out():
    white = np.random.default_rng(0).integers(225, 256, (300, 300, 3)).astype(np.uint8)
    for seed in range(10):
        crop = Photographs({PhotoKind.PLASTER: [white]}).crop((), np.random.default_rng(seed))
        assert (crop == 1).mean() < 0.05


def test_many_rows_change_and_those_of_the_renderer_do_not(bank):
    stack = paint(np.random.default_rng(0))
    mixed = with_photographs(stack, bank, np.random.default_rng(1))
    assert mixed.shape == (len(Texture) + MORE, SIZE, SIZE, 3)
    assert 0 <= mixed.min() <= mixed.max() <= 1
    assert all(np.array_equal(mixed[kept], stack[kept]) for kept in KEPT)
    grains = [it[Texture.GRAIN] for it in (mixed, stack)]
    assert grains[0].mean() == pytest.approx(grains[1].mean())
    assert 0 < grains[0].std() < 0.5 * grains[1].std()
    changed = sum(not np.array_equal(mixed[row], stack[row]) for row in Texture)
    assert 0.3 * len(Texture) < changed < 0.8 * len(Texture)


@pytest.fixture
def everywhere(monkeypatch):
    monkeypatch.setattr(variation, 'WORLDS', 1.0)


@pytest.mark.parametrize('kind', ['driving', 'indoor', 'handheld'])
def test_a_world_looks_different_and_has_the_same_shape(bank, everywhere, kind):
    config = SceneConfig(kind=kind, width=64, height=48, frames=2, varied=True)
    without = render_sequence(config, 3)
    first, again = (render_sequence(config, 3, photographs=bank) for _ in range(2))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.depth, without.depth)
    assert not torch.equal(first.images, without.images)


def test_things_show_the_further_rows(bank, everywhere):
    config = SceneConfig(kind='indoor', frames=2, varied=True)
    rows = set()
    for seed in range(3):
        world = build_world(config, seed, bank)
        assert len(world.textures) == len(Texture) + MORE
        rows |= {row for solid in world.solids for row in solid.textures}
    assert rows & set(range(len(Texture), len(Texture) + MORE))
    assert max(rows) < len(Texture) + MORE


def test_worlds_that_are_not_varied_show_none(bank, everywhere):
    config = SceneConfig(kind='indoor', frames=2)
    assert np.array_equal(build_world(config, 0, bank).textures, build_world(config, 0).textures)


def test_some_varied_worlds_stay_painted(bank):
    config = SceneConfig(kind='indoor', frames=2, varied=True)
    rows = [len(build_world(config, seed, bank).textures) for seed in range(12)]
    assert set(rows) == {len(Texture), len(Texture) + MORE}
    assert len(build_world(config, 0).textures) == len(Texture)


def test_files_are_read_as_they_were_written(tmp_path):
    picture = photograph(0)
    save_photographs(tmp_path / 'bank.npz', {'wood/some/oak.png': picture})
    bank = load_photographs(tmp_path / 'bank.npz')
    same = Photographs({PhotoKind.WOOD: [picture]})
    assert np.array_equal(*(some.crop((), np.random.default_rng(0)) for some in (bank, same)))


@pytest.mark.parametrize(('write', 'message'), [
    (lambda path: None, 'No such file'),
    (lambda path: path.write_bytes(b'no archive'), 'bank.npz must hold photographs'),
    (lambda path: np.save(path.open('wb'), np.zeros(3)), 'bank.npz must hold photographs'),
    (lambda path: np.savez(path), 'must hold photographs, got none'),
    (lambda path: np.savez(path, **{'moss/a': photograph(0)}), "'moss' is not a valid PhotoKind"),
    (lambda path: np.savez(path, **{'wood/a': np.zeros((4, 4, 3))}), 'uint8 .* got .* float64'),
    (lambda path: np.savez(path, **{'wood/a': photograph(0)[:0]}), r'not empty, got \(0, '),
], ids=['missing', 'foreign', 'array', 'empty', 'kind', 'type', 'no pixel'])
def test_other_files_are_one_line(tmp_path, write, message):
    write(tmp_path / 'bank.npz')
    with pytest.raises(MdepthError, match=message) as caught:
        load_photographs(tmp_path / 'bank.npz')
    assert '\n' not in str(caught.value)
