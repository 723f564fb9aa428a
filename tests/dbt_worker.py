"""Calls of dbt that share one process, which parses the project once."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

    Args:
        folder: where dbt writes while it parses.
        options: options of dbt that say where the project and its folders are.
        environment: the process's environment.
        preamble: Python that the process runs first.

    """

    def __init__(
        self,
        folder: Path,
        options: Sequence[str],
        environment: Mapping[str, str],
        preamble: str = "",
    ) -> None:
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
        self._answer()

    def call(
        self, folder: Path, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> Answer:
        """Run `dbt <arguments>` in a folder."""
        call = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(folder),
        }
        assert self._process.stdin
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        return Answer(**self._answer())

    def _answer(self) -> dict[str, Any]:
        """What the process says next, once it has parsed or when a call is done."""
        assert self._process.stdout
        shown = []
        for line in self._process.stdout:
            if line.startswith("ANSWER "):
                answer: dict[str, Any] = json.loads(line.removeprefix("ANSWER "))
                return answer
            shown.append(line)
        self._errors.seek(0)
        raise AssertionError("".join(shown) + self._errors.read())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=60)
        assert self._process.stdout
        self._process.stdout.close()
        self._errors.close()
