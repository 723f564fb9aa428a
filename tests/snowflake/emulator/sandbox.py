"""Where Python bodies run: a process for each, forked from one that has imported Snowpark.

Importing Snowpark takes more than a second; a fork takes milliseconds. The parent process of the
forks is started when the first routine is made and ends with the emulator.
"""

from __future__ import annotations

import os
import pickle
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from emulator import errors
from emulator.account import Account


def send(connection: socket.socket, message: Any) -> None:
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    connection.sendall(struct.pack("!Q", len(data)) + data)


def receive(connection: socket.socket) -> Any:
    size = struct.unpack("!Q", _exactly(connection, 8))[0]
    return pickle.loads(_exactly(connection, size))


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(1 << 20, size - len(parts)))
        if not part:
            raise EOFError("the process that ran the Python body has ended")
        parts += part
    return bytes(parts)


class Sandbox:
    """Starts processes for Python bodies."""

    def __init__(self, account: Account) -> None:
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="emulator_sandbox_")
        self._path = str(Path(self._folder.name) / "s")
        self._process: subprocess.Popen[bytes] | None = None
        account.closers.append(self.close)

    def start(self) -> None:
        """Start the process that the others are forked from, if it does not run."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            environment = os.environ | {
                "PYTHONPATH": str(Path(__file__).parent.parent),
                "PYTHONDONTWRITEBYTECODE": "1",
            }
            self._process = subprocess.Popen(
                [sys.executable, "-m", "emulator.sandbox_child", self._path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
            )
            assert self._process.stdout is not None
            if self._process.stdout.readline() != b"READY\n":
                raise RuntimeError("the sandbox did not start")

    def start_soon(self) -> None:
        """Start it beside other work: a stage is used shortly before a routine is."""
        if self._process is None:
            threading.Thread(target=self.start, daemon=True).start()

    def open(self, request: dict[str, Any], seconds: float) -> socket.socket:
        """A connection to a new process that has been given `request`."""
        self.start()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(seconds)
        connection.connect(self._path)
        send(connection, request)
        return connection

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
        self._folder.cleanup()


def of(account: Account) -> Sandbox:
    """The one sandbox of an account."""
    found = account.extras.get("sandbox")
    if found is None:
        found = account.extras["sandbox"] = Sandbox(account)
    return found


def failure(text: str, name: str, handler: str) -> errors.SnowflakeError:
    """How Snowflake words an exception of a body, traceback included."""
    return errors.SnowflakeError(
        f"Python Interpreter Error:\n{text.rstrip()}\n in function {name} with handler {handler}",
        100357,
        "P0000",
    )
