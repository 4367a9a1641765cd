"""Measures shapes: every contender in turn within each round, A B A B."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from benchmarks import environments
from benchmarks.catalogue import Case, Row, Sample, Shape
from benchmarks.contender import ROOT, Contender
from benchmarks.machine import Busyness
from benchmarks.session import TIMED_OUT, Session, WorkerError, WorkerLostError, fresh_process
from benchmarks.work import EXPECTED

#: Size at which a memory case is warmed up.
WARM_SIZE = 1_000
#: Seconds that a worker may take to import its contender, or to free what it holds.
HELLO_SECONDS = FORGET_SECONDS = 60
#: Measures of something that the worker has prepared.
PREPARED = {"run", "stall"}


@dataclass(frozen=True)
class Settings:
    """How thoroughly to measure."""

    rounds: int
    """Rounds of each shape."""
    seconds: float
    """Roughly how long one measurement of a short run repeats it."""
    timeout: float
    """Seconds that our engine or the floor may take for one request."""
    peer_timeout: float
    """Seconds that a peer may take for one request."""
    heavy: bool
    """Whether to measure heavy cases of ours and the floor."""


@dataclass
class ShapeResult:
    """All samples of one shape."""

    shape: Shape
    """Which shape."""
    rounds: list[dict[str, dict[Case, Sample]]] = field(default_factory=list)
    """For each round, by contender, by case."""
    problems: dict[str, dict[Case, str]] = field(default_factory=dict)
    """By contender, why a case has no samples."""
    busy_cores: float = 0.0
    """Cores' worth of work on the whole machine meanwhile."""
    load: float = 0.0
    """The load average over one minute before it began."""

    def values(self, contender: str, row: Row) -> list[float]:
        """Return a row's value in each round; empty where a case is missing."""
        return [
            row.compute(samples[contender])
            for samples in self.rounds
            if all(case in samples.get(contender, {}) for case in row.needs)
        ]


class Runner:
    """Keeps a worker for each contender while shapes are measured."""

    def __init__(
        self,
        contenders: Sequence[Contender],
        settings: Settings,
        announce: Callable[[str], None],
    ) -> None:
        """Start no worker yet."""
        self._sessions = {contender.key: Session(contender) for contender in contenders}
        #: What each worker has prepared, emptied when the worker is lost.
        self._ready: dict[str, set[Case]] = {contender.key: set() for contender in contenders}
        self._settings = settings
        self._announce = announce

    def __enter__(self) -> Self:
        """Enter; leaving ends the workers."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers."""
        for session in self._sessions.values():
            session.close()

    def versions(self) -> dict[str, dict[str, object]]:
        """Return each contender's Python and the versions of its libraries.

        Raises:
            WorkerError: A worker cannot import its contender.
        """
        return {key: s.request(HELLO_SECONDS, do="hello") for key, s in self._sessions.items()}

    def measure(self, shape: Shape) -> ShapeResult:
        """Verify and warm every case of a shape, then measure it in rounds."""
        result = ShapeResult(shape, problems={key: {} for key in self._sessions})
        with Busyness() as busyness:
            cases = {key: self._prepared(shape, key, result) for key in self._sessions}
            for number in range(min(self._settings.rounds, shape.max_rounds or 10**6)):
                result.rounds.append(self._round(shape, cases, result, number))
            self._forget()
        result.busy_cores, result.load = busyness.busy_cores, busyness.load
        return result

    def _prepared(self, shape: Shape, key: str, result: ShapeResult) -> list[Case]:
        """Prepare a contender for all cases it has; return those that worked."""
        contender = self._sessions[key].contender
        too_slow: dict[str, str] = {}
        cases = []
        for case in shape.cases(heavy=self._settings.heavy and not contender.is_peer):
            reason = contender.missing(case.workload, case.measure) or too_slow.get(case.workload)
            if reason is None:
                self._announce(f"{shape.key}: preparing {case} of {key}")
                reason = self._first(key, case)
            if reason is None:
                cases.append(case)
                continue
            result.problems[key][case] = reason
            if reason.startswith(TIMED_OUT):  # larger sizes come after, and would too
                too_slow[case.workload] = reason
        return cases

    def _first(self, key: str, case: Case) -> str | None:
        """Verify and warm one case; return what went wrong, or `None`."""
        try:
            if case.measure in PREPARED:
                self._prepare(key, case)
            elif case.measure in {"import", "cold"}:
                self._measure(key, case)  # warms the file cache and writes bytecode
        except WorkerError as error:
            return str(error)
        return None

    def _prepare(self, key: str, case: Case) -> None:
        """Let a worker verify and warm a case, unless it already has.

        Raises:
            WorkerError: The result was wrong, or the run failed or took too long.
        """
        if case in self._ready[key]:
            return
        self._request(
            key,
            do="prepare",
            workload=case.workload,
            size=case.size,
            seconds=self._settings.seconds,
            expected=EXPECTED[case.workload](case.size),
        )
        self._ready[key].add(case)

    def _round(
        self, shape: Shape, cases: dict[str, list[Case]], result: ShapeResult, number: int
    ) -> dict[str, dict[Case, Sample]]:
        """Measure each case once, the contenders taking turns, a different one first each round."""
        keys = list(self._sessions)
        keys = keys[number % len(keys) :] + keys[: number % len(keys)]
        samples: dict[str, dict[Case, Sample]] = {key: {} for key in keys}
        for case in shape.cases(heavy=self._settings.heavy):
            for key in keys:
                if case not in cases[key]:
                    continue
                self._announce(f"{shape.key}: round {number + 1}, {case} of {key}")
                try:
                    samples[key][case] = self._measure(key, case)
                except WorkerError as error:
                    cases[key].remove(case)
                    result.problems[key][case] = str(error)
        return samples

    def _measure(self, key: str, case: Case) -> Sample:
        """Take one sample.

        Raises:
            WorkerError: It failed, or took too long.
        """
        contender = self._sessions[key].contender
        match case.measure:
            case "import":
                statement = contender.metadata.IMPORT
                arguments = ["-c", statement]
                return fresh_process(contender, arguments, self._limit(key), with_benchmarks=False)
            case "cold":
                arguments = ["-m", "benchmarks.cold", contender.package, case.workload]
                arguments.append(str(case.size))
                return fresh_process(contender, arguments, self._limit(key), with_benchmarks=True)
            case "installed":
                return _installed(contender)
            case "memory":
                return self._memory(contender, case)
            case "build":
                return self._request(key, do="build", workload=case.workload, size=case.size)
            case "run" | "stall":
                self._prepare(key, case)  # again, if the worker was lost meanwhile
                return self._request(key, do=case.measure, workload=case.workload, size=case.size)

    def _memory(self, contender: Contender, case: Case) -> Sample:
        """Measure in a worker of its own: growth is only seen in a process that is small."""
        session = Session(contender)
        try:
            return session.request(
                self._limit(contender.key),
                do="memory",
                workload=case.workload,
                size=case.size,
                warm_size=WARM_SIZE,
            )
        finally:
            session.close()

    def _request(self, key: str, **message: object) -> Sample:
        try:
            return self._sessions[key].request(self._limit(key), **message)
        except WorkerLostError:
            self._ready[key].clear()
            raise

    def _limit(self, key: str) -> float:
        is_peer = self._sessions[key].contender.is_peer
        return self._settings.peer_timeout if is_peer else self._settings.timeout

    def _forget(self) -> None:
        """Let the workers free what they prepared: garbage of one shape is no cost of the next."""
        for key, session in self._sessions.items():
            self._ready[key].clear()
            try:
                session.request(FORGET_SECONDS, do="forget")
            except WorkerError:
                session.close()


def _installed(contender: Contender) -> Sample:
    """Count distributions and bytes in the contender's environment."""
    if not contender.is_peer:
        environments.install(contender.python, "--no-deps", "--force-reinstall",
                             str(environments.CORE))  # fmt: skip
    script = Path(__file__).with_name("installed.py")
    command = [contender.python, "-I", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    counted: Sample = json.loads(done.stdout)
    return counted
