"""Calls of dbt that share one process, which parses the project once."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Of one call, several times what the longest takes on two busy cores. It is less than a test may
# take (pyproject.toml), whose own limit would end the whole run of tests and not name the call.
SECONDS = 540.0

# Reads one JSON call per line from standard input and answers each with one line. Every call has a
# folder, options and an environment of its own.
WORKER = """
import json, os, sys, time
from dbt.adapters.factory import FACTORY
from dbt.cli.main import dbtRunner

exec(sys.argv[2])
started_with = dict(os.environ)
parsed = dbtRunner().invoke(["--quiet", "parse", *json.loads(sys.argv[1])])
if not parsed.success:
    raise SystemExit(f"dbt parse failed: {parsed.exception}")
print("ANSWER {}", flush=True)
for line in sys.stdin:
    call = json.loads(line)
    os.environ.clear()
    os.environ.update(started_with | call["environment"])
    time.tzset()
    os.chdir(call["folder"])
    lines = []
    def keep(event):
        if event.info.level != "debug":
            lines.append(event.info.msg)
    result = dbtRunner(manifest=parsed.result, callbacks=[keep]).invoke(call["arguments"])
    for adapter in FACTORY.adapters.values():
        # As dbt does when its process ends.
        getattr(adapter.connections, "close_all_connections", adapter.cleanup_connections)()
    nodes = getattr(result.result, "results", None) or []
    answer = {
        "exit_code": 0 if result.success else 1 if result.exception is None else 2,
        "output": "\\n".join(lines),
        "statuses": {n.node.name: str(n.status) for n in nodes if getattr(n, "node", None)},
        "messages": {n.node.name: str(n.message) for n in nodes if getattr(n, "node", None)},
    }
    print("ANSWER " + json.dumps(answer), flush=True)
"""


@dataclass(frozen=True)
class Answer:
    """What a call of dbt gave back.

    Attributes:
        exit_code: 0 where it succeeded.
        output: What it said, dbt's debug lines left out.
        statuses: The status of each node that ran, by name.
        messages: What the database or dbt said of each of these nodes.

    """

    exit_code: int
    output: str
    statuses: Mapping[str, str]
    messages: Mapping[str, str]


class DbtWorker:
    """Runs dbt again and again in one process.

    Attributes:
        seconds: after which a call is taken to hang: the process is killed, and the test fails.

    Args:
        folder: where dbt writes while it parses.
        options: options of dbt that say where the project and its folders are.
        environment: the process's environment.
        preamble: Python that the process runs first.
        seconds: the attribute, for the parse as well.

    """

    def __init__(
        self,
        folder: Path,
        options: Sequence[str],
        environment: Mapping[str, str],
        preamble: str = "",
        seconds: float = SECONDS,
    ) -> None:
        self.seconds = seconds
        self._errors = (folder / "errors.txt").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, json.dumps(list(options)), preamble],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._answer("parse")

    def call(
        self, folder: Path, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> Answer:
        """Run `dbt <arguments>` in a folder.

        Raises:
            AssertionError: it took too long, or an earlier call did, or the process died.

        """
        command = " ".join(arguments)
        if self._process.poll() is not None:
            raise AssertionError(f"`dbt {command}` has no process: an earlier call ended it.")
        call = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(folder),
        }
        assert self._process.stdin
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        return Answer(**self._answer(command))

    def _answer(self, command: str) -> dict[str, Any]:
        """What the process says next, once it has parsed or when a call is done."""
        assert self._process.stdout
        shown = []
        late = threading.Event()

        def kill() -> None:
            late.set()
            self._process.kill()

        limit = threading.Timer(self.seconds, kill)
        limit.start()
        try:
            for line in self._process.stdout:
                if line.startswith("ANSWER "):
                    answer: dict[str, Any] = json.loads(line.removeprefix("ANSWER "))
                    return answer
                shown.append(line)
        finally:
            limit.cancel()
        self._process.wait()
        if late.is_set():
            raise AssertionError(
                f"`dbt {command}` was killed: it had not ended after {self.seconds:g} seconds."
            )
        self._errors.seek(0)
        raise AssertionError("".join(shown) + self._errors.read())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()
        self._errors.close()
