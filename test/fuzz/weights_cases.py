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

"""Broken weights: our safetensors, and the ``.pth`` of others."""

import io
import json
import os
import pickle
import zipfile

from mdepth_ros.networks.checkpoint import load_checkpoint
from mdepth_ros.networks.published import load_published
from mutate import changed_bytes, changed_json, changed_tree, TEXTS, WORDS
import published_files
import torch

NAMES = ('../../canary/file', '../escaped', '/escaped', '..', 'data.pkl', 'pose/../../x')
# Values that a state dict may hold in place of a tensor, or of one tensor of another.
ODD_VALUES = (None, 1, 'text', [1], {'a': 1}, float('nan'))


def prepare(base):
    """Make what all cases start from; it is large, so only once."""
    folder = base / 'monodepth2'
    if not folder.exists():
        published_files.write(folder, 'monodepth2')


def checkpoint(rng, base, weights, folder):
    """One safetensors file."""
    path = folder / 'in/model.safetensors'
    path.write_bytes(_changed_safetensors(rng, weights.read_bytes()))
    return lambda: load_checkpoint(path) and 'loaded'


def published(rng, base, weights, folder):
    """Make a folder of ``.pth`` files, one of them broken."""
    name = rng.choice(('pose', 'pose', 'depth'))
    for path in (base / 'monodepth2').iterdir():
        if path.stem != name:
            os.link(path, folder / 'in' / path.name)
    data = (base / 'monodepth2' / f'{name}.pth').read_bytes()
    change = rng.choice((changed_bytes, _changed_zip, _changed_zip, _changed_state, _old_format))
    (folder / f'in/{name}.pth').write_bytes(change(rng, data))
    return lambda: load_published(folder / 'in') and 'loaded'


def _changed_safetensors(rng, data):
    """Change the length, the header, its configuration, or bytes anywhere."""
    size = int.from_bytes(data[:8], 'little')
    header, tensors = json.loads(data[8:8 + size]), data[8 + size:]
    how = rng.randrange(6)
    if how == 0:
        return changed_bytes(rng, data)
    if how == 1:
        return rng.choice(WORDS)[:8].ljust(8, b'\0') + data[8:]
    if how in (2, 3):
        config = json.loads(header['__metadata__']['config'])
        text = changed_json(rng, config).decode('utf-8', 'replace')
        header['__metadata__']['config'] = text
    elif how == 4:
        header['__metadata__'] = changed_tree(rng, header['__metadata__'], ('@deep@',))
    else:
        name = rng.choice(sorted(header))
        header[name] = changed_tree(rng, {'x': header[name]}, ('@deep@',)).get('x')
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, 'little') + text + tensors


def _changed_zip(rng, data):
    """Change members of torch's archive: their names, their bytes, how they are packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, 'w') as changed:
        members = archive.namelist()
        which = rng.choice((*[name for name in members if not name.split('/')[-1].isdigit()],
                            *members[:3]))
        how = rng.randrange(6)
        for name in members:
            content = archive.read(name)
            if name != which:
                changed.writestr(name, content)
            elif how in (0, 1):
                changed.writestr(name, changed_bytes(rng, content))
            elif how == 2:
                changed.writestr(rng.choice((*NAMES, *TEXTS[5:])), content)
            elif how == 3:
                changed.writestr(name, content, zipfile.ZIP_DEFLATED)
                changed.writestr(rng.choice(NAMES), content)
            elif how == 4:
                changed.writestr(name, bytes(rng.choice((0, 1, 10**7))), zipfile.ZIP_DEFLATED)
    return out.getvalue()


class _Call:
    """Asks whoever unpickles it to run a command."""

    def __reduce__(self):
        return os.system, ('touch ../canary/called',)


def _changed_state(rng, data):
    """Write other values under the keys, or something else altogether."""
    state = torch.load(io.BytesIO(data), weights_only=True)
    key = rng.choice(sorted(state))
    how = rng.randrange(9)
    if how == 0:
        state[key] = _Call()
    elif how == 1:
        state = rng.choice((_Call(), [state], state[key], None, {}, 7))
    elif how == 2:
        state[key] = rng.choice(ODD_VALUES)
    elif how == 3:
        state[key] = torch.zeros(1).expand(rng.choice(((2**40,), (2**20, 2**20), (1,))))
    elif how == 4:
        state[key] = state[key].to(rng.choice((torch.float64, torch.complex64, torch.int8,
                                               torch.bool, torch.bfloat16, torch.float8_e5m2)))
    elif how == 5:
        state[key] = rng.choice((state[key].to_sparse(), torch.zeros(3, device='meta'),
                                 torch.nn.Parameter(state[key].float())))
    elif how == 6:
        state = {rng.choice((None, 7, (1, 2), b'x', *TEXTS)): value for value in state.values()}
    elif how == 7:
        state[key] = torch.full_like(state[key].float(), rng.choice((0.0, 1e30)))
    else:
        del state[key]
    out = io.BytesIO()
    torch.save(state, out)
    return out.getvalue()


def _old_format(rng, data):
    """Write the formats before torch's archive, and change their bytes."""
    state = torch.load(io.BytesIO(data), weights_only=True)
    out = io.BytesIO()
    if rng.random() < 0.5:
        torch.save(state, out, _use_new_zipfile_serialization=False)
    else:
        pickle.dump(rng.choice((_Call(), {'a': 1}, [1])), out)
    return changed_bytes(rng, out.getvalue())
