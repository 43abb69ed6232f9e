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
``mdepth doctor``: what is here, what works, and what to do about the rest.

The JSON has ``problems`` (how many) and ``findings``, a list with ``level`` (ok, warning or
problem), ``what`` and ``advice``.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict

from mdepth_ros.cli.json_file import add_json_argument, write_json
from mdepth_ros.engine.doctor.finding import Finding, Level, problem
from mdepth_ros.engine.doctor.packages import check_packages
from mdepth_ros.errors import one_line
from mdepth_ros.ros.doctor.installation import check_installation

MARKS = {Level.OK: 'ok      ', Level.WARNING: 'warning ', Level.PROBLEM: 'PROBLEM '}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.

    :param parser: the parser to fill in.
    """
    parser.add_argument('--seconds', type=seconds, default=5.0, metavar='S',
                        help='how long to listen to cameras and nodes')
    add_json_argument(parser, 'write the findings there')


def run(arguments: argparse.Namespace) -> int:
    """
    Check, printing as it goes.

    :param arguments: the parsed command line.
    :return: 0, or 1 if there is any problem.
    :raises MdepthError: if the JSON cannot be written.
    """
    findings = []
    for finding in _findings(arguments.seconds):
        findings.append(finding)
        print(MARKS[finding.level] + finding.what, flush=True)
        if finding.advice:
            print(' ' * len(MARKS[finding.level]) + '-> ' + finding.advice, flush=True)
    problems, warnings = (sum(finding.level is level for finding in findings)
                          for level in (Level.PROBLEM, Level.WARNING))
    print(f'{problems} problem{"s" * (problems != 1)}, {warnings} warning{"s" * (warnings != 1)}')
    if arguments.json is not None:
        write_json(arguments.json, {'problems': problems, 'findings': [
            asdict(finding) | {'level': finding.level.value} for finding in findings]})
    return min(problems, 1)


def _findings(listen_s: float) -> Iterator[Finding]:
    """Run all checks, the slow ones last."""
    yield from check_packages()
    installation = check_installation()
    yield from installation.findings
    try:
        from mdepth_ros.engine.doctor.backends import check_backends
        if installation.works:
            from mdepth_ros.ros.doctor.checks import check_graph
            from mdepth_ros.ros.doctor.listener import listen
    except (ImportError, OSError) as error:  # the latter is PyTorch's, of a library
        yield problem(f'nothing more can be checked: {one_line(error)}',
                      'mend the packages that are named above')
        return
    if installation.works:
        yield from check_graph(listen(listen_s))
    yield from check_backends()


def seconds(text: str) -> float:
    """
    Read how long to listen.

    :param text: a number.
    :return: it [s], above 0 and less than an hour.
    :raises argparse.ArgumentTypeError: if it is another.
    """
    value = float(text)
    if not 0.0 < value < 3600.0:
        raise argparse.ArgumentTypeError(f'must be in (0, 3600), got {text}')
    return value
