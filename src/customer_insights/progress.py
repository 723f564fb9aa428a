"""What a person sees of a dbt run: a line per finished node, without timestamps or tracebacks."""

from __future__ import annotations

import re
import sys
from typing import Any

from customer_insights.known_messages import known_sentence

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
        total = data.num_models if "test" in info.resource_type else data.total
        kind = f"{info.materialized} " if info.resource_type == "model" else ""
        show(
            f"  {data.index:>3}/{total}  {mark:<6}  {data.execution_time:6.1f} s  "
            f"{kind}{info.resource_type} {info.node_name}"
        )


def show(line: str) -> None:
    """Write a line at once and in one piece: events come from several threads."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


# What follows the sentence: where a procedure of Snowflake stopped (as dbt-labs/dbt-core issue 6418
# shows it), and what dbt adds of macros and files.
AFTERWORDS = re.compile(
    r"in function \S+ with handler \S+$|> in macro |> called by |compiled code at ", re.IGNORECASE
)
# What stands above it: what dbt was at, and the kind of Snowflake's error.
HEADING = re.compile(
    r"[A-Za-z ]+ Error( in .*)?$"
    r"|\d{6} \(\w{5}\): SQL (compilation|execution|access control) error:$"
)


def sentence_of(message: str) -> str:
    """The sentence in an error message of dbt: without headings, code paths and tracebacks."""
    if known := known_sentence(message):
        return known
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    said = [line for line in lines if not AFTERWORDS.match(line)]
    if "Traceback (most recent call last):" in said:
        return re.sub(r"^[\w.]+(Error|Exception|Interrupt): ", "", said[-1])
    kept = [line for line in said if not HEADING.match(line)]
    return "\n".join(kept or lines)
