"""How large this process is, as the kernel sees it."""

import resource
import sys
from contextlib import suppress
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
#: What to write to `clear_refs` to set the peak back to the present (proc(5)).
_RESET_PEAK = "5"


def _from_status(key: str, status: Path = _STATUS) -> int:
    for line in status.read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    msg = f"no {key} in {status}"
    raise LookupError(msg)


def resident_bytes_of(pid: int) -> int:
    """Return the resident set of another process now (needs /proc).

    Raises:
        OSError: There is no such process.
        LookupError: It has ended.
    """
    return _from_status("VmRSS", Path(f"/proc/{pid}/status"))


def resident_bytes() -> int:
    """Return the resident set now (without /proc: its peak so far)."""
    return _from_status("VmRSS") if _STATUS.exists() else peak_bytes()


def peak_bytes() -> int:
    """Return the highest resident set since `reset_peak`, or since the process started."""
    if _STATUS.exists():
        return _from_status("VmHWM")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def reset_peak() -> None:
    """Set the peak back to the present size, where the system allows it."""
    with suppress(OSError):
        _CLEAR_REFS.write_text(_RESET_PEAK)
