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
All runs as plain values with stable keys.

``classes`` holds, per scene class and for ``recording``, ``title``, ``worlds``, ``frames``, and
the depths ``single``, ``published`` and ``ours``. Each of these has

- ``abs_rel``, median-scaled, and
- ``jump``: ``median``, ``p95`` and ``max`` of the unexplained changes over ``pairs`` of frames;

both methods have also

- ``ratio`` to the single-frame AbsRel, and ``wins``, the share of frames with a smaller one;
- ``matched``, the share of frames in multi mode;
- ``moving``: AbsRel of ``single`` and ``multi`` over moving objects, of ``frames``;
- ``jump_at_switches``, where mode or source change;
- ``confidence``: means over images of ``ause``, ``ause_by_chance`` and of the shares of pixels
  more than a quarter off, ``off_all`` and, among the most confident ``coverage`` of them,
  ``off_kept``; ``ratio`` and ``off_ratio`` of these means; the same of all images' pixels
  together is ``pooled``.

``confidence`` is that of each method over all scene classes; ``worst`` is the ``class`` of them
with the highest ``ratio`` of ours. ``rates`` holds, per class, AbsRel of ``single`` and, per
method, at each rate [Hz], and ``spread``, the highest over the lowest less 1. ``events`` holds,
per event and method, after how many ``frames_to_recover``, which take ``seconds_to_recover``, the
mean error of all worlds stays within a tenth of that without the event (``recovered`` is False
where that takes longer than the test), and the largest ``jump`` of any world beside the
``usual_jump``. What there is nothing of is None.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from mdepth_ros.engine.frames import Mode
from mdepth_ros.training.evaluation.scores import Comparison
from mdepth_ros.training.robustness.events import EventRun
from mdepth_ros.training.robustness.methods import METHODS
from mdepth_ros.training.robustness.rates import RateRun
from mdepth_ros.training.robustness.runs import Run
from mdepth_ros.training.robustness.scene_classes import CLASSES
from mdepth_ros.training.robustness.sparsification import Sparsification, sparsify
from mdepth_ros.training.robustness.view_scores import Accuracy
import numpy as np

Values = dict[str, Any]
# Recovered: not farther off than without the event, but for this share.
TOLERANCE = 0.1


def summarise(
    runs: Sequence[Run], rates: Sequence[RateRun], events: Sequence[EventRun]
) -> Values:
    """
    Average over worlds and frames, each frame with the same weight.

    :param runs: any classes, in the order in which they are to be listed.
    :param rates: worlds that were played at several rates.
    :param events: worlds in which something happened.
    :return: plain values, see the module.
    """
    names = list(dict.fromkeys(run.name for run in runs))
    classes = {name: _class(name, [run for run in runs if run.name == name]) for name in names}
    ratios = {name: values['ours']['ratio'] for name, values in classes.items()
              if name in CLASSES and values['ours']['ratio'] is not None}
    worst = max(ratios, key=lambda name: ratios[name], default=None)
    return {
        'classes': classes,
        'worst': None if worst is None else {'class': worst, 'ratio': ratios[worst]},
        'confidence': {method: _confidence(
            [accuracy for run in runs if run.name in CLASSES
             for accuracy in _accuracies(run, method)])
            for method in METHODS},
        'rates': {name: _rates([run for run in rates if run.name == name])
                  for name in dict.fromkeys(run.name for run in rates)},
        'events': {event: {method: _event(
            [run for run in events if run.event == event and run.method == method])
            for method in METHODS} for event in dict.fromkeys(run.event for run in events)},
    }


def _class(name: str, runs: list[Run]) -> Values:
    """One class."""
    any_method = next(iter(METHODS))
    single = _mean(accuracy.errors.single.abs_rel for run in runs
                   for accuracy in _accuracies(run, any_method))
    scores = [score for run in runs for score in run.scores[any_method]]
    return {
        'title': CLASSES[name].title if name in CLASSES else name,
        'worlds': len(runs),
        'frames': sum(len(_accuracies(run, any_method)) for run in runs),
        'single': {'abs_rel': single, 'jump': _spread(score.single_jump for score in scores)},
        **{method: _method(runs, method, single) for method in METHODS},
    }


def _method(runs: list[Run], method: str, single: float | None) -> Values:
    """One method in one class."""
    accuracies = [accuracy for run in runs for accuracy in _accuracies(run, method)]
    scores = [score for run in runs for score in run.scores[method]]
    abs_rel = _mean(accuracy.errors.multi.abs_rel for accuracy in accuracies)
    moving = [accuracy.moving for accuracy in accuracies if accuracy.moving is not None]
    return {
        'abs_rel': abs_rel,
        'ratio': None if abs_rel is None or single is None else abs_rel / single,
        'wins': _mean(accuracy.errors.multi_wins for accuracy in accuracies),
        'matched': _mean(score.mode is Mode.MULTI for score in scores),
        'moving': _moving(moving),
        'jump': _spread(score.jump for score in scores),
        'jump_at_switches': _spread(score.jump for score in scores if score.source_changed),
        'confidence': _confidence(accuracies),
    }


def _accuracies(run: Run, method: str) -> list[Accuracy]:
    """Errors of all frames that count."""
    return [score.accuracy for score in run.scores[method][run.lead:]
            if score.accuracy is not None]


def _moving(errors: list[Comparison]) -> Values | None:
    """Return AbsRel over moving objects."""
    if not errors:
        return None
    return {'frames': len(errors), 'single': _mean(both.single.abs_rel for both in errors),
            'multi': _mean(both.multi.abs_rel for both in errors)}


def _confidence(accuracies: list[Accuracy]) -> Values | None:
    """Means over images, and all their pixels together."""
    if not accuracies:
        return None
    images = [accuracy.sparsification for accuracy in accuracies]
    mean = Sparsification(*np.mean([list(asdict(image).values()) for image in images],
                                   axis=0).tolist())
    errors, confidence = np.concatenate([accuracy.pool for accuracy in accuracies], axis=1)
    return {**_ratios(mean), 'pooled': _ratios(sparsify(errors, confidence))}


def _ratios(values: Sparsification) -> Values:
    """Add what is asked of a confidence."""
    return {**asdict(values),
            'ratio': values.ause / values.ause_by_chance if values.ause_by_chance else None,
            'off_ratio': values.off_kept / values.off_all if values.off_all else None}


def _spread(changes: Iterable[float | None]) -> Values:
    """Summarise unexplained changes."""
    known = [change for change in changes if change is not None]
    median, p95 = np.percentile(known, [50, 95]).tolist() if known else (None, None)
    return {'median': median, 'p95': p95, 'max': _largest(known), 'pairs': len(known)}


def _rates(runs: list[RateRun]) -> Values:
    """Mean over worlds at each rate."""
    values: Values = {'worlds': len(runs), 'single': _mean(run.single for run in runs)}
    for method in METHODS:
        means = {str(rate): float(np.mean([run.methods[method][rate] for run in runs]))
                 for rate in runs[0].methods[method]}
        values[method] = {**means, 'spread': max(means.values()) / min(means.values()) - 1}
    return values


def _event(runs: list[EventRun]) -> Values:
    """Recovery of the mean over worlds, and the largest jumps of all."""
    errors, usual = (np.array(part) for part in ([run.errors for run in runs],
                                                 [run.usual_errors for run in runs]))
    known = np.isfinite(errors) & np.isfinite(usual)
    late = np.flatnonzero(np.where(known, errors, 0).sum(axis=0)
                          > (1 + TOLERANCE) * np.where(known, usual, 0).sum(axis=0))
    frames = int(late[-1]) + 1 if len(late) else 0
    return {'worlds': len(runs),
            'frames_to_recover': frames,
            'seconds_to_recover': frames * max(run.period_s for run in runs),
            'recovered': frames < errors.shape[1],
            'jump': _largest(run.jump for run in runs),
            'usual_jump': _largest(run.usual_jump for run in runs)}


def _largest(changes: Iterable[float | None]) -> float | None:
    """Return the largest known change."""
    return max((change for change in changes if change is not None), default=None)


def _mean(values: Iterable[float]) -> float | None:
    """Mean; None of nothing."""
    known = list(values)
    return float(np.mean(known)) if known else None
