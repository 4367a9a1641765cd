"""What machine this is and how busy it was: figures without it are worth nothing."""

import os
import platform
import time
from pathlib import Path
from typing import Self

_STAT = Path("/proc/stat")
_CPUINFO = Path("/proc/cpuinfo")


def describe() -> dict[str, object]:
    """Return the machine's data for the record."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": list(os.getloadavg()),
    }


def _processor() -> str:
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _busy_seconds() -> float:
    """Return the seconds that all cores together were not idle, since the machine started."""
    if not _STAT.exists():
        return float("nan")
    user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = map(
        int, _STAT.read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


class Busyness:
    """How busy the whole machine is during a block, ourselves included."""

    busy_cores: float
    """Cores' worth of work done on the machine: about 1 when only a benchmark runs."""
    load: float
    """The load average over one minute when the block began."""

    def __enter__(self) -> Self:
        """Look at the clocks."""
        self.load = os.getloadavg()[0]
        self._started, self._busy = time.perf_counter(), _busy_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        """Look again."""
        elapsed = time.perf_counter() - self._started
        self.busy_cores = (_busy_seconds() - self._busy) / elapsed
