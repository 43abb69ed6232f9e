"""How much memory a process has in use."""

from pathlib import Path


def resident_mb(process: int | None = None) -> float:
    """
    Ask the kernel.

    :param process: number of the process, by default our own.
    :return: resident memory, shared pages included [MB].
    :raises ProcessLookupError: if the process has ended.
    """
    status = Path('/proc') / ('self' if process is None else str(process)) / 'status'
    try:
        lines = status.read_text().splitlines()
    except FileNotFoundError:
        lines = []
    # A process that nobody has waited for yet has a status without memory.
    for line in lines:
        if line.startswith('VmRSS:'):
            return int(line.split()[1]) * 1024e-6
    raise ProcessLookupError(f'no process {process}')
