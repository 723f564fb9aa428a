"""Start the emulator and speak to it from a test, with a time limit on everything."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import snowflake.connector

START_SECONDS = 60.0
STATEMENT_SECONDS = 300
SHOWN_CHARACTERS = 4000
DATABASE = "ANALYTICS"
WAREHOUSE = "TRANSFORMING"
ROLE = "TRANSFORMER"
USER = "TESTER"


@dataclass
class Emulator:
    """A running emulator."""

    port: int
    log: Path
    limits: Path
    password: str = "any"
    host: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = None
    _connection: Any = field(default=None, repr=False)

    def environment(self, **changes: str) -> dict[str, str]:
        """Variables for a dbt profile: SNOWFLAKE_HOST, SNOWFLAKE_PORT, ..."""
        found = {
            "SNOWFLAKE_ACCOUNT": "test",
            "SNOWFLAKE_HOST": self.host,
            "SNOWFLAKE_PORT": str(self.port),
            "SNOWFLAKE_PROTOCOL": "http",
            "SNOWFLAKE_USER": USER,
            "SNOWFLAKE_PASSWORD": self.password,
            "SNOWFLAKE_AUTHENTICATOR": "snowflake",
            "SNOWFLAKE_ROLE": ROLE,
            "SNOWFLAKE_DATABASE": DATABASE,
            "ML_WAREHOUSE": WAREHOUSE,
            "SF_CLIENT_TELEMETRY_ENABLED": "false",
        }
        return found | changes

    def connect(self, **changes: Any) -> snowflake.connector.SnowflakeConnection:
        """A new session."""
        settings: dict[str, Any] = {
            "account": "test",
            "user": USER,
            "password": self.password,
            "host": self.host,
            "port": self.port,
            "protocol": "http",
            "role": ROLE,
            "warehouse": WAREHOUSE,
            "database": DATABASE,
            "login_timeout": 20,
            "network_timeout": STATEMENT_SECONDS,
            "session_parameters": {"CLIENT_TELEMETRY_ENABLED": False},
            **changes,
        }
        return snowflake.connector.connect(**settings)

    @property
    def connection(self) -> snowflake.connector.SnowflakeConnection:
        """The session that `query` and `execute` share."""
        if self._connection is None:
            self._connection = self.connect()
        return self._connection

    def query(self, sql: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        with self.connection.cursor() as cursor:
            return list(cursor.execute(sql, parameters, timeout=STATEMENT_SECONDS).fetchall())

    def execute(self, *statements: str) -> None:
        """Run statements, one after the other."""
        for sql in statements:
            with self.connection.cursor() as cursor:
                cursor.execute(sql, timeout=STATEMENT_SECONDS)

    @contextlib.contextmanager
    def limited(self, **limits: Any) -> Iterator[None]:
        """Let the account lack what `emulator.limits` knows, for as long as the block lasts."""
        self.limits.write_text(json.dumps(limits), encoding="utf-8")
        try:
            yield
        finally:
            self.limits.unlink()

    def statements(self, since: int = 0) -> list[dict[str, Any]]:
        """What was received, in the order in which it ended; leave out the first `since`."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines[since:]]


@contextlib.contextmanager
def start_emulator(
    folder: Path, *options: str, password: str | None = None, cortex: bool = True
) -> Iterator[Emulator]:
    """Serve an account of its own for as long as the block lasts.

    `options` go to the command line, e.g. `"--warehouses", "TRANSFORMING"`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "statements.jsonl"
    limits = folder / "limits.json"
    command = [sys.executable, "-m", "emulator", "--port", "0", "--log", str(log), *options]
    command += ["--limits", str(limits)]
    if password is not None:
        command += ["--password", password]
    if not cortex:
        command += ["--no-cortex"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    with (folder / "emulator.txt").open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            env=environment,
        )
        emulator = Emulator(0, log, limits, password or "any", process=process)
        try:
            emulator.port = _port_of(process, folder / "emulator.txt")
            yield emulator
        except BaseException as failure:
            failure.add_note(_state_of(process, folder / "emulator.txt"))
            raise
        finally:
            if emulator._connection is not None:
                with contextlib.suppress(Exception):
                    emulator._connection.close(retry=False)
            process.stdin.close()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=10)
            process.stdout.close()


def _state_of(process: subprocess.Popen[bytes], output: Path) -> str:
    """What a failing test cannot see: whether the emulator still runs, and what it printed last."""
    state = "runs" if process.poll() is None else f"has ended ({process.returncode})"
    return f"The emulator {state}; it printed:\n{output.read_text()[-SHOWN_CHARACTERS:]}"


def _port_of(process: subprocess.Popen[bytes], output: Path) -> int:
    """The port that the server prints when it is ready."""
    deadline = time.monotonic() + START_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline and process.poll() is None:
            if selector.select(timeout=0.5):
                line = process.stdout.readline().decode()
                if line.startswith("PORT "):
                    return int(line.split()[1])
                if not line:
                    break
    process.kill()
    raise RuntimeError("the emulator did not start")
