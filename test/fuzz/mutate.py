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

"""Random changes of bytes and trees; whoever draws the same numbers gets the same changes."""

import copy
import json
import math
import struct

import yaml

NUMBERS = (0, -1, 1, 2, 3, 255, 256, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1,
           2**64, 10**400, -0.0, 0.5, 5e-324, 1e-30, 1e30, 1.7e308, math.inf, -math.inf, math.nan)
TEXTS = ('', ' ', 'a', '\n', 'a\0b', 'x' * 5000, 'ünï\u202ecode \U0001f600', '%s%n', '~', '*',
         '{0.__class__}', '../../escaped', '/../../escaped', '../' * 8 + 'escaped', '/', '..',
         '$HOME', 'nan', 'true', '1e999', "'", '"')
WORDS = tuple(struct.pack(form, value) for form, value in (
    ('<I', 0), ('<I', 1), ('<I', 2**31 - 1), ('<I', 2**31), ('<I', 2**32 - 1), ('<Q', 2**63),
    ('<Q', 2**64 - 1), ('<d', math.nan), ('<d', math.inf), ('>I', 65535), ('>H', 65535)))
# What no dumper writes, put into the text where the key stands: depth, long numbers, aliases.
DEEP = '[' * 20_000 + ']' * 20_000
YAML_TEXTS = {
    '@deep@': DEEP, '@half@': DEEP[:20_000], '@digits@': '9' * 5000, '@date@': '2001-99-99',
    '@hex@': '0x' + 'f' * 5000, '@self@': '&r [*r, *r]', '@unknown@': '*nobody',
    '@bomb@': '[&a0 [1, 1, 1, 1, 1, 1, 1, 1, 1], '
              + ', '.join(f'&a{n} [{", ".join([f"*a{n - 1}"] * 9)}]' for n in range(1, 12)) + ']',
    '@merge@': '{<<: [{a: 1}, 7]}', '@key@': '{[1, 2]: 3}', '@binary@': '!!binary "=x"',
    '@call@': '!!python/object/apply:os.system ["touch ../canary/called"]',
    '@float@': '!!float "abc"', '@int@': '!!int "abc"', '@empty@': '!!int ""',
    '@stamp@': '!!timestamp "abc"', '@bool@': '!!bool "abc"', '@set@': '!!set {a, b}',
    '@sexagesimal@': '9' * 900 + ':59.5',
}
JSON_TEXTS = {'@deep@': DEEP, '@digits@': '9' * 5000, '@nan@': 'NaN', '@huge@': '1e999',
              '@twice@': '{"a": 1, "a": 2}', '@surrogate@': r'"\ud800"'}


def changed_bytes(rng, data):
    """Change bytes in one to eight places."""
    for _ in range(rng.choice((1, 1, 2, 8))):
        data = rng.choice(_BYTE_CHANGES)(rng, data)
    return data


def changed_tree(rng, tree, texts):
    """Copy a tree of dicts and lists with one to three values changed; texts are placeholders."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = list(_places(tree))
        if not places:
            break
        holder, key = rng.choice(places)
        change = rng.randrange(8)
        if change == 0:
            del holder[key]
        elif change == 1:
            holder[key] = copy.deepcopy(rng.choice([at[where] for at, where in places]))
        elif change == 2:
            holder[key] = [holder[key]] * rng.choice((0, 1, 2, 1000))
        elif change == 3 and isinstance(holder, dict):
            holder[rng.choice((*TEXTS[:8], *texts, 'unknown'))] = holder.pop(key)
        elif change == 4:
            holder[key] = rng.choice(tuple(texts))
        elif change == 5:
            holder[key] = rng.choice((None, True, False, [], {}, *TEXTS))
        else:
            holder[key] = rng.choice(NUMBERS)
    return tree


def changed_yaml(rng, tree):
    """Return a YAML file with a changed tree, and now and then changed bytes."""
    return _file(rng, yaml.safe_dump(changed_tree(rng, tree, YAML_TEXTS), sort_keys=False),
                 {f"'{name}'": text for name, text in YAML_TEXTS.items()})


def changed_json(rng, tree):
    """Return a JSON file with a changed tree, and now and then changed bytes."""
    return _file(rng, json.dumps(changed_tree(rng, tree, JSON_TEXTS)),
                 {f'"{name}"': text for name, text in JSON_TEXTS.items()})


def _file(rng, text, texts):
    """Put the texts in place of their names."""
    for name, meant in texts.items():
        text = text.replace(name, meant)
    data = text.encode('utf-8', 'surrogatepass')
    return changed_bytes(rng, data) if rng.random() < 0.2 else data


def _places(tree):
    """Every (holder, key) of a tree."""
    if isinstance(tree, dict | list):
        for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
            yield tree, key
            yield from _places(tree[key])


def _flip(rng, data):
    at = _place(rng, data)
    return data[:at] + bytes(b ^ (1 << rng.randrange(8)) for b in data[at:at + 1]) + data[at + 1:]


def _overwrite(rng, data):
    at, word = _place(rng, data), rng.choice(WORDS)
    return data[:at] + word + data[at + len(word):]


def _truncate(rng, data):
    return data[:_place(rng, data)]


def _insert(rng, data):
    at = _place(rng, data)
    return data[:at] + rng.randbytes(rng.choice((1, 4, 100))) + data[at:]


def _remove(rng, data):
    at = _place(rng, data)
    return data[:at] + data[at + rng.choice((1, 4, 100)):]


def _repeat(rng, data):
    at = _place(rng, data)
    return data[:at] + data[at:at + rng.choice((1, 4, 100))] * rng.choice((2, 50)) + data[at:]


def _place(rng, data):
    """Headers are small and decide most: every second change is among the first bytes."""
    return rng.randrange(min(len(data), rng.choice((64, 400, len(data) + 1))) + 1)


_BYTE_CHANGES = (_flip, _flip, _overwrite, _overwrite, _truncate, _insert, _remove, _repeat)
