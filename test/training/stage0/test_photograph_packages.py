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

"""Collecting photographs out of packages, made-up ones here."""

import base64
import io
import json
from pathlib import Path
import sys
import tarfile
import zipfile

import cv2
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.scenes.photographs import load_photographs, PhotoKind
from mdepth_ros.training.stage0 import photographs
from mdepth_ros.training.stage0.photo_packages import Package, PACKAGES
from mdepth_ros.training.stage0.photographs import collect, LARGEST, main, write_bank
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
WOODEN = Package('1.2', 'MIT', 'wooden/pictures/', {
    PhotoKind.WOOD: ('oak.png',), PhotoKind.BRICK: ('red.png',)})
AROUND = Package('3.0.0', 'CC0-1.0', 'package/hdri/', {PhotoKind.PLACE: ('yard.exr.js',)})


@pytest.fixture(autouse=True)
def packages(monkeypatch):
    monkeypatch.setattr(photographs, 'PACKAGES', {'wooden': WOODEN, '@some/around': AROUND})


def png(height, width, blue=0):
    picture = np.full((height, width, 3), (blue, 0, 200), dtype=np.uint8)
    return cv2.imencode('.png', picture)[1].tobytes()


def wheel(path, name='wooden', version='1.2', **contents):
    members = {'oak.png': png(600, 1200), 'red.png': png(100, 80, blue=90)} | contents
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr(f'{name}-{version}.dist-info/METADATA', 'Name: whatever')
        for member, content in members.items():
            archive.writestr(f'wooden/pictures/{member}', content)
    return path


def test_pictures_of_a_wheel_are_small_and_rgb(tmp_path):
    name, pictures = collect(wheel(tmp_path / 'wooden-1.2-py3-none-any.whl'))
    assert name == 'wooden'
    assert set(pictures) == {'wood/wooden/oak.png', 'brick/wooden/red.png'}
    assert pictures['wood/wooden/oak.png'].shape == (LARGEST // 2, LARGEST, 3)
    assert pictures['brick/wooden/red.png'][0, 0].tolist() == [200, 0, 90]


def test_panoramas_are_looked_at_in_four_directions(tmp_path, monkeypatch):
    light = np.ones((64, 128, 3), dtype=np.float32)
    light[:, 32:64] = (0.5, 1, 2)  # the second view is red: OpenCV's order is BGR
    light[32, 100] = (-3, 1e6, np.nan)
    monkeypatch.setattr(photographs, '_decode', lambda content, how, member: light.copy())
    with tarfile.open(tmp_path / 'around.tgz', 'w:gz') as tar:
        code = f"export default 'data:x;base64,{base64.b64encode(b'1234').decode()}'"
        for name, content in {
                'package/package.json': json.dumps({'name': '@some/around', 'version': '3.0.0'}),
                'package/hdri/yard.exr.js': code}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content.encode()))
    name, pictures = collect(tmp_path / 'around.tgz')
    assert name == '@some/around'
    assert list(pictures) == [f'place/@some/around/yard.exr.js/{n}' for n in range(4)]
    views = list(pictures.values())
    assert all(view.shape == (32, 32, 3) for view in views)
    r, g, b = views[1][0, 0].tolist()
    assert r > g > b
    assert views[3][16, 4].min() > 240  # a lamp, white, with what is next to it
    assert views[3][16, 3].min() > 240
    assert len(np.unique(views[0])) == 1


def test_the_command_writes_what_training_reads(tmp_path, monkeypatch, capsys):
    path = wheel(tmp_path / 'wooden-1.2-py3-none-any.whl')
    out = tmp_path / 'new' / 'bank.npz'
    monkeypatch.setattr(sys, 'argv', ['photographs', str(path), '--out', str(out)])
    main()
    assert capsys.readouterr().out == 'wooden 1.2: 2 pictures, MIT\n'
    crop = load_photographs(out).crop((PhotoKind.BRICK,), np.random.default_rng(0))
    assert crop[..., 2].mean() > 0.1


@pytest.mark.parametrize(('contents', 'message'), [
    ({'name': 'metal'}, 'must be one of wooden, @some/around, got metal'),
    ({'version': '1.3'}, 'must be wooden 1.2, got 1.3'),
    ({'oak.png': b'no picture'}, 'oak.png is no picture'),
    ({'oak.png': b''}, 'must be a whole wheel'),
], ids=['unknown', 'version', 'damaged', 'empty'])
def test_other_wheels_are_one_line(tmp_path, monkeypatch, contents, message):
    path = wheel(tmp_path / 'some.whl', **contents)
    monkeypatch.setattr(sys, 'argv', ['photographs', str(path), '--out', str(tmp_path / 'b.npz')])
    with pytest.raises(SystemExit, match=message) as caught:
        main()
    assert '\n' not in str(caught.value)
    assert not (tmp_path / 'b.npz').exists()


@pytest.mark.parametrize('name', ['some.whl', 'some.tgz'])
def test_files_that_are_no_packages_are_one_line(tmp_path, name):
    with pytest.raises(MdepthError, match='No such file'):
        collect(tmp_path / name)
    (tmp_path / name).write_bytes(b'no archive')
    with pytest.raises(MdepthError, match='must be a whole wheel or npm package'):
        collect(tmp_path / name)


def test_a_wheel_without_its_pictures_is_one_line(tmp_path):
    with zipfile.ZipFile(tmp_path / 'some.whl', 'w') as archive:
        archive.writestr('wooden-1.2.dist-info/METADATA', '')
    with pytest.raises(MdepthError, match=r'oak\.png'):
        collect(tmp_path / 'some.whl')


def test_the_file_must_be_npz(tmp_path):
    with pytest.raises(MdepthError, match=r'must end in \.npz, got .*bank\.zip'):
        write_bank([], tmp_path / 'bank.zip')


def test_every_file_of_the_table_is_named_once_for_a_kind():
    for name, package in PACKAGES.items():
        for members in package.members.values():
            assert len(set(members)) == len(members), name


def test_the_recipe_downloads_the_versions_of_the_table():
    recipe = (ROOT / 'training/default/photographs.sh').read_text()
    for name, package in PACKAGES.items():
        pinned = name.replace('_', '-')
        assert any(f'{pinned}{at}{package.version}' in recipe for at in ('==', '@')), name
