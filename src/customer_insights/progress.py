"""What a person sees of a dbt run: a line per finished node, without timestamps or tracebacks."""

from __future__ import annotations

import re
import sys
from typing import Any

FINISHED = {"LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult"}
# What macros say: log(..., info=true) and print(...).
MESSAGES = {"JinjaLogInfo", "PrintEvent"}
# Why a macro that was run by itself, or a check at the start of a run, failed: results do not say.
STOPPED = {
    "MainEncounteredError",
    "RunningOperationCaughtError",
    "RunningOperationUncaughtError",
}


class Progress:
    """Prints dbt's events as they come."""

    def __init__(self) -> None:
        self._tests = 0
        self.stop_reason = ""

    def on_event(self, event: Any) -> None:
        """Handle one event of dbt's event stream."""
        name = event.info.name
        if name in MESSAGES:
            show(event.data.msg)
        elif name in STOPPED:
            self.stop_reason = event.data.exc
        elif name == "LogTestResult" and event.data.status in ("pass", "warn"):
            self._tests += 1
            if event.data.status == "warn":
                show(f"  warning: {event.data.name}")
        elif name in FINISHED:
            self._finished(event.data)

    def finish(self) -> None:
        """Say what is counted, not listed."""
        if self._tests:
            show(f"  {self._tests} tests done")

    def _finished(self, data: Any) -> None:
        info = data.node_info
        status = str(data.status).lower()
        mark = "FAILED" if "error" in status or "fail" in status else "ok"
        # A test's result names the number of nodes otherwise than a model's.
        total = data.num_models if info.resource_type == "test" else data.total
        kind = f"{info.materialized} " if info.resource_type == "model" else ""
        show(
            f"  {data.index:>3}/{total}  {mark:<6}  {data.execution_time:6.1f} s  "
            f"{kind}{info.resource_type} {info.node_name}"
        )


def show(line: str) -> None:
    """Write a line at once and in one piece: events come from several threads."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


# What an engine says of a database that it cannot open, and what to tell the user instead.
KNOWN_MESSAGES = (
    (
        r'Could not set lock on file "(?P<file>[^"]+)"',
        "The database {file} is in use by another program; close it, or wait for the other run to "
        "end, and try again.",
    ),
    (
        r'(?:The|Could not read from) file "(?P<file>[^"]+)" .*(?:not a valid DuckDB|DuckDB)',
        "The file {file} is not a DuckDB database, or is damaged; move it away, or name another "
        "with DUCKDB_PATH, and try again.",
    ),
    (
        r'(?:Cannot open|Could not read from) file "(?P<file>[^"]+)": (?P<why>.+)',
        "The database {file} cannot be opened ({why}); see to its permissions and folder, or name "
        "another with DUCKDB_PATH, and try again.",
    ),
)


def sentence_of(message: str) -> str:
    """The sentence in an error message of dbt: without headings, code paths and tracebacks."""
    for pattern, sentence in KNOWN_MESSAGES:
        found = re.search(pattern, message)
        if found:
            return sentence.format(**found.groupdict())
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    if "Traceback (most recent call last):" in lines:
        return re.sub(r"^[\w.]+(Error|Exception|Interrupt): ", "", lines[-1])
    kept = [
        line
        for line in lines
        if not re.match(r"[A-Za-z ]+ Error( in .*)?$", line)
        and not line.startswith(("> in macro", "> called by", "compiled code at"))
    ]
    return "\n".join(kept or lines)
