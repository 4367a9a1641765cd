"""One contender's worker process, and the fresh processes measured from outside."""

import os
import select
import subprocess
import tempfile
import time
from typing import Any, BinaryIO, cast

from benchmarks import protocol
from benchmarks.contender import ROOT, Contender

#: How much of what a worker printed is kept to explain its failure.
KEPT_OUTPUT_BYTES = 3000
#: How the message of a time-out begins.
TIMED_OUT = "timed out"


class WorkerError(Exception):
    """A request failed; the message is one line."""


class WorkerLostError(WorkerError):
    """The worker took too long and was ended, or died; what it had prepared is gone."""


def environment(contender: Contender, *, with_benchmarks: bool) -> dict[str, str]:
    """Return the environment variables of a contender's processes."""
    paths = [*contender.paths, *([str(ROOT)] if with_benchmarks else [])]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return {**inherited, **contender.environment, "PYTHONPATH": os.pathsep.join(paths)}


class Session:
    """A worker of one contender, started when first asked and again after it was lost."""

    def __init__(self, contender: Contender) -> None:
        """Start nothing yet."""
        self.contender = contender
        self._process: subprocess.Popen[bytes] | None = None

    def request(self, timeout: float, **message: Any) -> dict[str, Any]:  # JSON
        """Send a request and wait for its answer.

        Raises:
            WorkerLostError: No answer within `timeout` seconds, or the worker died.
            WorkerError: The worker answered with an error.
        """
        process = self._process or self._start()
        requests, answers = cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
        try:
            protocol.write_message(requests, message)
        except BrokenPipeError:
            raise WorkerLostError(self._last_words()) from None
        readable, _, _ = select.select([answers], [], [], timeout)
        if not readable:
            self.close()
            msg = f"{TIMED_OUT} after {timeout:g} s"
            raise WorkerLostError(msg)
        line = answers.readline()
        if not line:
            raise WorkerLostError(self._last_words())
        answer = protocol.parse_message(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    @property
    def pid(self) -> int | None:
        """The worker's process id while it runs."""
        return self._process.pid if self._process else None

    def close(self) -> None:
        """End the worker."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()
        self._output.close()

    def _start(self) -> subprocess.Popen[bytes]:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the worker
        self._process = subprocess.Popen(  # our own interpreter and module
            [self.contender.python, "-m", "benchmarks.worker", self.contender.package],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._output,
            env=environment(self.contender, with_benchmarks=True),
            cwd=tempfile.gettempdir(),
        )
        return self._process

    def _last_words(self) -> str:
        self._output.seek(max(0, os.fstat(self._output.fileno()).st_size - KEPT_OUTPUT_BYTES))
        lines = self._output.read().decode(errors="replace").strip().splitlines()
        self.close()
        return f"the worker died: {lines[-1] if lines else 'without a word'}"


def fresh_process(
    contender: Contender, arguments: list[str], timeout: float, *, with_benchmarks: bool
) -> dict[str, float]:
    """Run an interpreter from start to end; return its `wall` and `cpu` seconds.

    Raises:
        WorkerLostError: It did not end in time.
        WorkerError: It failed.
    """
    started = time.perf_counter()
    before = os.times()
    try:
        done = subprocess.run(  # our own interpreter
            [contender.python, *arguments],
            env=environment(contender, with_benchmarks=with_benchmarks),
            cwd=tempfile.gettempdir(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        msg = f"{TIMED_OUT} after {timeout:g} s"
        raise WorkerLostError(msg) from error
    wall = time.perf_counter() - started
    after = os.times()
    if done.returncode:
        words = done.stderr.strip().splitlines()
        raise WorkerError(words[-1] if words else f"exit code {done.returncode}")
    cpu = after.children_user + after.children_system
    return {"wall": wall, "cpu": cpu - before.children_user - before.children_system}
