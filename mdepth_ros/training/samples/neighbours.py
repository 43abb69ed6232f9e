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

"""Which earlier and which later frame a target is trained with."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
from mdepth_ros.training.datasets import sequence as data
from mdepth_ros.training.datasets.sequence import DataError
from mdepth_ros.training.samples.neighbour_cache import cache_key, read_cache, write_cache
from mdepth_ros.training.samples.parallax import ImageMotion, MotionTracker
from mdepth_ros.training.samples.triplet import Neighbours, ParallaxRule, Triplet
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

Gap = int | Literal['auto']

# Why a target is not trained with.
STATIC, ROTATION = 'static camera', 'rotation only'
LOST, END = 'neighbour shows another place', 'end of sequence or pause'
# Counts as a pause for a fixed gap, against the usual time between frames.
_PAUSE = 3.0


def find_triplets(
    sequences: Sequence[data.Sequence], gap: Gap = 'auto', cache: Path | None = None,
    progress: bool = True, rule: ParallaxRule | None = None,
) -> list[Neighbours]:
    """
    Choose the neighbours of a whole data set.

    :param sequences: all of them.
    :param gap: frames between neighbours, or ``auto``: by parallax, which reads every frame once.
    :param cache: JSON file of this data set that keeps what ``auto`` found. An entry is used as
        long as the sequence's stamps, camera, first and last image and the rule are the same;
        a damaged file is made again, with a warning.
    :param progress: show a progress bar while frames are read.
    :param rule: what ``auto`` looks for.
    :return: one for each sequence.
    :raises DataError: if no target is left, with the reasons; or as the sequences raise it.
    :raises MdepthError: if the disk does not take the cache.
    """
    if gap == 'auto':
        found = _find_by_parallax(sequences, rule or ParallaxRule(), cache, progress)
    else:
        found = [choose_neighbours(sequence, gap) for sequence in sequences]
    if not any(neighbours.triplets for neighbours in found):
        names = ', '.join(sequence.name for sequence in sequences[:3])
        raise DataError(f'nothing to train on in {len(sequences)} sequences ({names}'
                        f'{", ..." if len(sequences) > 3 else ""}): '
                        f'no frame has neighbours on both sides: {_reasons(found) or "no frames"}')
    return found


def _reasons(found: Sequence[Neighbours]) -> str:
    """Say how many targets were skipped, and why."""
    skipped = sum((Counter(neighbours.skipped) for neighbours in found), Counter[str]())
    return ', '.join(f'{count} {reason}' for reason, count in skipped.most_common())


def choose_neighbours(
    sequence: data.Sequence, gap: Gap = 'auto',
    progress: Callable[[int], object] | None = None, rule: ParallaxRule | None = None,
) -> Neighbours:
    """
    Choose the neighbours of each frame of a sequence.

    :param sequence: the frames.
    :param gap: frames between neighbours, or ``auto``: by parallax, which reads every frame.
    :param progress: called with 1 after each frame that was read.
    :param rule: what ``auto`` looks for.
    :return: the targets with a neighbour on both sides, and why the others have none.
    :raises DataError: as the sequence raises it.
    :raises ValueError: if gap is not positive.
    """
    stamps_ns = np.array([sequence.stamp_ns(i) for i in range(len(sequence))], np.int64)
    if gap == 'auto':
        rule = rule or ParallaxRule()
        # What stood in between, so that no frames were kept of it, is no pause.
        pieces = _pieces(stamps_ns, 1e9 * rule.longest_s)
        return _choose_by_parallax(sequence, pieces, rule, progress)
    if gap < 1:
        raise ValueError(f"gap must be at least 1 or 'auto', got {gap}")
    steps_ns = np.diff(stamps_ns)
    pieces = _pieces(stamps_ns, _PAUSE * float(np.median(steps_ns)) if len(steps_ns) else 0.0)
    triplets = tuple(Triplet(t, t - gap, t + gap) for t in range(gap, len(sequence) - gap)
                     if pieces[t - gap] == pieces[t + gap])
    left = len(sequence) - len(triplets)
    return Neighbours(triplets, {END: left} if left else {})


@dataclass
class _Search:
    """Looks for one neighbour on one side; candidates are offered from near to far."""

    frame: int | None = None
    parallax: float = 0.0
    displacement: float = 0.0
    lost: bool = False
    done: bool = False

    def offer(self, frame: int, motion: ImageMotion, rule: ParallaxRule) -> None:
        """Take a candidate if it is the best so far."""
        if self.done:
            return
        if motion.tracked < rule.least_tracked or np.isnan(motion.parallax):
            self.lost = self.done = True
            return
        self.displacement = max(self.displacement, motion.displacement)
        if motion.parallax > self.parallax:
            self.parallax = motion.parallax
            self.frame = frame if motion.parallax >= rule.least else None
        self.done = motion.parallax >= rule.target

    def reason(self, rule: ParallaxRule, share: float) -> str:
        """Say why nothing was found; there was only this share of the time to look at."""
        if self.lost:
            return LOST
        if self.parallax >= rule.least * share:
            return END  # going on like this it would have been found
        return STATIC if self.displacement < rule.least else ROTATION


def _choose_by_parallax(
    sequence: data.Sequence, pieces: list[int], rule: ParallaxRule,
    progress: Callable[[int], object] | None,
) -> Neighbours:
    """Read the frames once and compare each with the ones before it."""
    count = len(sequence)
    stamps_ns = [sequence.stamp_ns(index) for index in range(count)]
    camera = sequence.camera
    tracker = MotionTracker(camera.width, camera.height, camera.rectified_K(),
                            window=rule.most_frames + 1)
    before, after = [_Search() for _ in range(count)], [_Search() for _ in range(count)]

    def near(i: int, t: int) -> bool:
        return (t - i <= rule.most_frames
                and stamps_ns[t] - stamps_ns[i] <= rule.longest_s * 1e9)

    for t in range(count):
        grey = cv2.cvtColor(sequence.rgb(t), cv2.COLOR_RGB2GRAY)
        tracker.push(np.asarray(grey, np.uint8))
        i = t - 1
        while i >= 0 and pieces[i] == pieces[t] and near(i, t):
            if not (before[t].done and after[i].done):
                motion = tracker.motion(i, t)
                before[t].offer(i, motion, rule)
                after[i].offer(t, motion, rule)
            i -= 1
        if progress is not None:
            progress(1)

    triplets, skipped = [], Counter[str]()
    for t in range(count):
        earlier, later = before[t].frame, after[t].frame
        if earlier is not None and later is not None:
            triplets.append(Triplet(t, earlier, later))
            continue
        first, last = pieces.index(pieces[t]), count - 1 - pieces[::-1].index(pieces[t])
        reasons = [search.reason(rule, (stamps_ns[b] - stamps_ns[a]) / 1e9 / rule.longest_s)
                   for search, a, b in ((before[t], first, t), (after[t], t, last))
                   if search.frame is None]
        # The end of a sequence says least about the data.
        skipped[min(reasons, key=lambda reason: reason == END)] += 1
    return Neighbours(tuple(triplets), dict(skipped))


def _pieces(stamps_ns: NDArray[np.int64], pause_ns: float) -> list[int]:
    """Return for each frame the number of its part between pauses."""
    steps_ns = np.diff(stamps_ns, prepend=stamps_ns[:1] - 1)
    return [int(number) for number in np.cumsum((steps_ns <= 0) | (steps_ns > pause_ns))]


def _find_by_parallax(
    sequences: Sequence[data.Sequence], rule: ParallaxRule, cache: Path | None, progress: bool
) -> list[Neighbours]:
    """Use what the cache knows, find and keep the rest."""
    keys = [cache_key(sequence, rule) for sequence in sequences] if cache else []
    known = read_cache(cache, dict(zip(keys, map(len, sequences)))) if cache else {}
    found, read = [], False
    with tqdm(total=sum(map(len, sequences)), unit=' frames', desc='neighbours',
              disable=not progress, leave=False) as bar:
        for number, sequence in enumerate(sequences):
            if cache and keys[number] in known:
                found.append(known[keys[number]])
                bar.update(len(sequence))
                continue
            found.append(choose_neighbours(sequence, 'auto', bar.update, rule))
            read = True
            if cache:
                known[keys[number]] = found[-1]
                write_cache(cache, {key: known[key] for key in keys if key in known})
    if progress and read:
        print(f'{sum(len(it.triplets) for it in found)} of {sum(map(len, sequences))} frames to '
              'learn from have neighbours that show them with parallax'
              f'{"; " * any(it.skipped for it in found)}{_reasons(found)}')
    return found
