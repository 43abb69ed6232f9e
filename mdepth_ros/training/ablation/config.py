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

"""The size of an ablation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mdepth_ros.training.loop.recipe import size_problems
from mdepth_ros.training.loop.settings_file import read_settings
from mdepth_ros.training.scenes import held_out
from mdepth_ros.training.scenes.config import Kind

# Each seed learns from worlds of its own.
WORLDS_PER_SEED = 1000


@dataclass(frozen=True)
class AblationConfig:
    """
    Small enough for two cores, the same for every variant.

    ``width`` and ``height`` [px] of the networks' input; ``kind`` of scene, mixed if empty;
    ``worlds`` to learn from and ``test_worlds`` of ``test_frames`` frames to score on. The steps
    of the teacher, of each M-DepthNet and of each student, at ``batch`` samples and
    ``rate``. ``anchor_depth`` [m] as in a recipe.
    """

    seeds: list[int] = field(default_factory=lambda: [0, 1, 2])
    width: int = 128
    height: int = 64
    kind: Kind | None = None
    worlds: int = 60
    test_worlds: int = 10
    test_frames: int = 10
    batch: int = 4
    teacher_steps: int = 400
    matching_steps: int = 150
    student_steps: int = 200
    rate: float = 1e-3
    anchor_depth: float = 5.0

    def __post_init__(self) -> None:
        problems = size_problems(self.width, self.height)
        problems += [f'{name} must be at least 1, got {getattr(self, name)}'
                     for name in ('worlds', 'test_worlds', 'batch', 'teacher_steps',
                                  'matching_steps', 'student_steps')
                     if getattr(self, name) < 1]
        if not self.rate > 0:
            problems.append(f'rate must be > 0, got {self.rate}')
        if not self.anchor_depth >= 0:
            problems.append(f'anchor_depth must be >= 0, got {self.anchor_depth}')
        problems += [f'{name} must be at most {most}, got {getattr(self, name)}'
                     for name, most in (('worlds', WORLDS_PER_SEED),
                                        ('test_worlds', len(held_out.ABLATION)))
                     if getattr(self, name) > most]
        if not self.seeds:
            problems.append('seeds must name at least one seed')
        # One folder for each, and worlds below those that nothing learns from.
        most = held_out.ROBUSTNESS[0] // WORLDS_PER_SEED - 1
        if len(set(self.seeds)) < len(self.seeds) or not all(0 <= s <= most for s in self.seeds):
            problems.append(f'seeds must differ and be in [0, {most}], got {self.seeds}')
        if self.test_frames < 2:
            problems.append(f'test_frames must be at least 2, got {self.test_frames}')
        if problems:
            raise ValueError('AblationConfig: ' + '; '.join(problems))


def load_ablation(path: Path, overrides: Sequence[str] = ()) -> AblationConfig:
    """
    Read an ablation's file.

    :param path: YAML.
    :param overrides: ``key=value`` words that win over the file.
    :return: the configuration.
    :raises MdepthError: if the file is missing or something in it is wrong.
    """
    return read_settings(AblationConfig, 'ablation', path, overrides)
