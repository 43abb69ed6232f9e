"""
``mdepth doctor``: what is here, what works, and what to do about the rest.

The JSON has ``problems`` (how many) and ``findings``, a list with ``level`` (ok, warning or
problem), ``what`` and ``advice``.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from mdepth_ros.engine.doctor.backends import check_backends
from mdepth_ros.engine.doctor.finding import Finding, Level
from mdepth_ros.engine.doctor.packages import check_packages
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.doctor.installation import check_installation

MARKS = {Level.OK: 'ok      ', Level.WARNING: 'warning ', Level.PROBLEM: 'PROBLEM '}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.

    :param parser: the parser to fill in.
    """
    parser.add_argument('--seconds', type=_positive, default=5.0, metavar='S',
                        help='how long to listen to cameras and nodes')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the findings there')


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
    problems = sum(finding.level is Level.PROBLEM for finding in findings)
    print(f'{problems} problem{"s" * (problems != 1)}')
    if arguments.json is not None:
        _write(arguments.json, problems, findings)
    return min(problems, 1)


def _findings(seconds: float) -> Iterator[Finding]:
    """Run all checks, the slow ones last."""
    yield from check_packages()
    installation = check_installation()
    yield from installation.findings
    if installation.works:
        from mdepth_ros.ros.doctor.checks import check_graph
        from mdepth_ros.ros.doctor.listener import listen
        yield from check_graph(listen(seconds))
    yield from check_backends()


def _write(path: Path, problems: int, findings: list[Finding]) -> None:
    """Write the JSON."""
    report = {'problems': problems, 'findings': [
        asdict(finding) | {'level': finding.level.value} for finding in findings]}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')
    except OSError as error:
        raise MdepthError(f'cannot write {path}: {error.strerror}') from error


def _positive(text: str) -> float:
    """Read a number of seconds."""
    seconds = float(text)
    if not 0.0 < seconds < 3600.0:
        raise argparse.ArgumentTypeError(f'must be in (0, 3600), got {text}')
    return seconds
