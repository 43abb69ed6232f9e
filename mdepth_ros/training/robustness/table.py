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

"""The numbers as Markdown."""

from typing import Any

Values = dict[str, Any]


def tables(summary: Values) -> str:
    """
    Print a summary.

    :param summary: of :func:`summarise`.
    :return: Markdown; a table of which there is nothing is left out.
    """
    parts = []
    if summary['classes']:
        parts.append(_classes(summary))
    if summary['rates']:
        parts.append(_rates(summary['rates']))
    if summary['events']:
        parts.append(_events(summary['events']))
    return '\n\n'.join(parts)


def _classes(summary: Values) -> str:
    """Write a line per class, and one for the confidence of all."""
    lines = [
        _line('scene class', 'S', 'published', 'ours', 'ours / S', 'ours wins', 'AUSE / chance',
              'off by 25 %', 'at 60 %', 'jump S', 'jump published', 'jump ours', 'at switches'),
        _line(*['---'] * 13)]
    for values in summary['classes'].values():
        ours = values['ours']
        lines.append(_line(
            values['title'], _number(values['single']['abs_rel']),
            _number(values['published']['abs_rel']), _number(ours['abs_rel']),
            _number(ours['ratio'], 2), _percent(ours['wins'], 0), *_confidence(ours['confidence']),
            *(_percent(jump['p95']) + ' / ' + _percent(jump['max']) for jump in (
                values['single']['jump'], values['published']['jump'], ours['jump'],
                ours['jump_at_switches']))))
    everything = summary['confidence']['ours']
    if everything is not None:
        lines += [_line('all', *[''] * 5, *_confidence(everything), *[''] * 4),
                  _line('all, pooled', *[''] * 5, *_confidence(everything['pooled']), *[''] * 4)]
    worst = summary['worst']
    lines += ['', 'S, published, ours: AbsRel, median-scaled. Jumps: depth change that the motion '
              'does not explain, 95 % / largest.']
    if worst is not None:
        lines.append(f'Worst class: {worst["class"]}, ours / S {_number(worst["ratio"], 3)}.')
    return '\n'.join(lines)


def _confidence(values: Values | None) -> tuple[str, str, str]:
    """Three cells."""
    if values is None:
        return '', '', ''
    return (_number(values['ratio'], 2), _percent(values['off_all']),
            f'{_percent(values["off_kept"])} (x {_number(values["off_ratio"], 2)})')


def _rates(rates: Values) -> str:
    """Write a line per class and method."""
    first = next(iter(rates.values()))
    hertz = [key for key in first['ours'] if key != 'spread']
    lines = [_line('same path', 'method', 'S', *(f'{rate} Hz' for rate in hertz), 'spread'),
             _line(*['---'] * (4 + len(hertz)))]
    for name, values in rates.items():
        lines += [_line(name, method, _number(values['single']),
                        *(_number(values[method][rate]) for rate in hertz),
                        _percent(values[method]['spread']))
                  for method in ('published', 'ours')]
    return '\n'.join(lines)


def _events(events: Values) -> str:
    """Write a line per event and method."""
    lines = [_line('event', 'method', 'recovers in', 'largest jump', 'without the event'),
             _line(*['---'] * 5)]
    for name, methods in events.items():
        lines += [_line(name.replace('_', ' '), method,
                        ('' if values['recovered'] else 'not in ')
                        + f'{values["frames_to_recover"]} frames, '
                        f'{values["seconds_to_recover"]:.1f} s',
                        _percent(values['jump']), _percent(values['usual_jump']))
                  for method, values in methods.items()]
    return '\n'.join(lines)


def _line(*cells: str) -> str:
    """One line of a table."""
    return f'| {" | ".join(cells)} |'


def _number(value: float | None, digits: int = 3) -> str:
    """Print a number, - for none."""
    return '-' if value is None else f'{value:.{digits}f}'


def _percent(value: float | None, digits: int = 1) -> str:
    """Print a share."""
    return '-' if value is None else f'{100 * value:.{digits}f} %'
