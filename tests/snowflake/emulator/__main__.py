"""Serve an account until standard input closes or SIGTERM arrives."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from emulator.account import Account, Options
from emulator.server import Server


def main() -> None:
    # A statement is a tree of many small objects; searches for garbage pass over all of them.
    gc.set_threshold(100_000, 50, 1000)
    parser = argparse.ArgumentParser(prog="emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, help="a JSON line for each statement")
    parser.add_argument("--databases", default="ANALYTICS", help="made at the start: A,B")
    parser.add_argument("--warehouses", help="known warehouses A,B; others are refused")
    parser.add_argument("--roles", help="known roles A,B; others are refused")
    parser.add_argument("--password", help="the only password that is accepted")
    parser.add_argument("--refuse", action="append", default=[], help="e.g. 'create dynamic table'")
    parser.add_argument("--packages", type=Path, help="instead of packages.json")
    parser.add_argument("--procedure-seconds", type=float, default=600.0)
    parser.add_argument("--limits", type=Path, help="what runs out, see limits.py")
    parser.add_argument("--no-cortex", action="store_true", help="AI functions are unknown")
    chosen = parser.parse_args()

    options = Options(
        databases=_names(chosen.databases) or (),
        warehouses=frozenset(names) if (names := _names(chosen.warehouses)) else None,
        roles=frozenset(names) if (names := _names(chosen.roles)) else None,
        password=chosen.password,
        refused=tuple(chosen.refuse),
        packages=chosen.packages,
        procedure_seconds=chosen.procedure_seconds,
        has_cortex=not chosen.no_cortex,
        limits=chosen.limits,
    )
    account = Account(options, chosen.log)
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it, each answer
    # would wait 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", chosen.port))
    account.extras["port"] = listener.getsockname()[1]
    config = uvicorn.Config(
        Server(account).app, log_level="warning", access_log=False, timeout_keep_alive=600
    )
    server = uvicorn.Server(config)

    def stop(*_: object) -> None:
        account.close()
        # DuckDB's threads may be busy; what is in memory is gone in any case.
        os._exit(0)

    def wait_for_end_of_input() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        stop()

    signal.signal(signal.SIGTERM, stop)
    listener.listen(128)
    print(f"PORT {listener.getsockname()[1]}", flush=True)
    threading.Thread(target=wait_for_end_of_input, daemon=True).start()
    server.run(sockets=[listener])


def _names(text: str | None) -> tuple[str, ...] | None:
    return tuple(name.strip().upper() for name in text.split(",") if name.strip()) if text else None


if __name__ == "__main__":
    main()
