"""The process that Python bodies run in; started by `sandbox`, never imported by the server.

It imports Snowpark once, then forks for each request. A fork sees the standard library, the
declared packages and the imported files, nothing else:

- `import`, `importlib.import_module` and `importlib.util.find_spec` in the body or in an imported
  file refuse other packages; inside of packages they work as ever;
- IMPORTS are copied to a folder of their own, `sys._xoptions["snowflake_import_directory"]`
  (https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-examples);
  zip files and that folder are on sys.path, so modules come from there
  (https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-creating).
"""

# Imports stand where a fork needs them: after sys.path is cleared, and not in every fork.
# ruff: noqa: PLC0415

from __future__ import annotations

import builtins
import contextlib
import importlib
import importlib.util
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import traceback
import types
import zipfile
from pathlib import Path
from typing import Any

from emulator.sandbox import receive, send

BODY = "_udf_code"
# Modules that are worth importing once for all forks, after a fork has needed them.
_SHARED = ("numpy", "pandas", "pyarrow", "scipy", "sklearn", "xgboost", "joblib", "threadpoolctl")


def serve(path: str) -> None:
    _forget_this_machine()
    import pandas  # noqa: F401
    import pyarrow  # noqa: F401
    import snowflake.connector
    import snowflake.snowpark  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(64)
    print("READY", flush=True)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            os._exit(0)
        connection, _ = listener.accept()
        request = receive(connection)
        if "warm" in request:
            for name in request["warm"]:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
            connection.close()
            continue
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                _run(connection, request)
            finally:
                os._exit(0)
        connection.close()


def _forget_this_machine() -> None:
    """Only the standard library and installed packages stay on sys.path; no project does."""
    roots = [Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()]
    sys.path[:] = [
        entry
        for entry in sys.path
        if entry and any(Path(entry).resolve().is_relative_to(root) for root in roots)
    ]
    sys.meta_path[:] = [
        finder
        for finder in sys.meta_path
        if not getattr(finder, "__module__", type(finder).__module__).startswith("__editable__")
    ]


def _run(connection: socket.socket, request: dict[str, Any]) -> None:
    """One body. What it prints is dropped: a procedure's output is its result alone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    before = set(sys.modules)
    with tempfile.TemporaryDirectory(prefix="imports_") as folder:
        try:
            guard = Guard(request["modules"], request["imports"], folder)
            guard.install()
            handler = _handler(request)
            run = _procedure if request["kind"] == "procedure" else _function
            run(connection, request, handler)
        except BaseException:
            with contextlib.suppress(OSError):
                send(connection, {"error": _traceback()})
            return
        if request["kind"] == "procedure":
            shared = sorted(
                name for name in set(sys.modules) - before if name.partition(".")[0] in _SHARED
            )
            with contextlib.suppress(OSError):
                send(connection, {"warm": shared})


class Guard:
    """What a body may import."""

    def __init__(self, modules: list[str], imports: list[str], folder: str) -> None:
        self.folder = os.path.realpath(folder) + "/"
        self.allowed = set(modules) | {"_snowflake", BODY}
        for source in map(Path, imports):
            target = Path(self.folder) / source.name
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copyfile(source, target)
            if target.suffix == ".zip":
                sys.path.insert(0, str(target))
                with zipfile.ZipFile(target) as archive:
                    self.allowed |= {
                        name.split("/")[0].split(".")[0] for name in archive.namelist()
                    }
            else:
                self.allowed.add(target.name.split(".")[0])
        sys.path.insert(0, self.folder)

    def install(self) -> None:
        sys._xoptions["snowflake_import_directory"] = self.folder
        sys._xoptions["snowflake_partner_attribution"] = []  # type: ignore[assignment]
        sys.modules["_snowflake"] = _snowflake_module()
        real_import, real_module = builtins.__import__, importlib.import_module
        real_spec = importlib.util.find_spec

        def guarded_import(
            name: str, globals_: Any = None, locals_: Any = None, fromlist: Any = (), level: int = 0
        ) -> Any:
            if level == 0 and self._is_body(globals_ or {}):
                self._check(name, fromlist or ())
            return real_import(name, globals_, locals_, fromlist, level)

        def guarded_module(name: str, package: str | None = None) -> Any:
            if not name.startswith(".") and self._is_body(sys._getframe(1).f_globals):
                self._check(name, ())
            return real_module(name, package)

        def guarded_spec(name: str, package: str | None = None) -> Any:
            if self._is_body(sys._getframe(1).f_globals) and not self._may(name):
                return None
            return real_spec(name, package)

        builtins.__import__ = guarded_import
        importlib.import_module = guarded_module
        importlib.util.find_spec = guarded_spec

    def _is_body(self, globals_: dict[str, Any]) -> bool:
        if globals_.get("__name__") == BODY:
            return True
        return str(globals_.get("__file__") or "").startswith(self.folder)

    def _may(self, name: str) -> bool:
        top = name.partition(".")[0]
        if top in self.allowed or top in sys.stdlib_module_names:
            return True
        return ".".join(name.split(".")[:2]) in self.allowed

    def _check(self, name: str, fromlist: Any) -> None:
        if name == "snowflake" and all(f"snowflake.{one}" in self.allowed for one in fromlist):
            return
        if not self._may(name):
            top = name.partition(".")[0]
            raise ModuleNotFoundError(f"No module named '{top}'", name=top)


def _snowflake_module() -> types.ModuleType:
    """https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-batch"""
    module = types.ModuleType("_snowflake")

    def vectorized(*, input: Any = None, max_batch_size: int | None = None, **_: Any) -> Any:  # noqa: A002
        def decorate(function: Any) -> Any:
            function._sf_vectorized_input = input
            if max_batch_size is not None:
                function._sf_max_batch_size = max_batch_size
            return function

        return decorate

    module.vectorized = vectorized  # type: ignore[attr-defined]
    return module


def _handler(request: dict[str, Any]) -> Any:
    """The handler: a name of the body, or `module.name` of an imported file."""
    path = request["handler"].split(".")
    if request["body"].strip():
        namespace: dict[str, Any] = {"__name__": BODY, "__builtins__": builtins}
        module = types.ModuleType(BODY)
        module.__dict__.update(namespace)
        sys.modules[BODY] = module
        exec(compile(request["body"], f"{BODY}.py", "exec"), module.__dict__)
        found: Any = module.__dict__.get(path[0])
        rest = path[1:]
    else:
        found, rest = importlib.import_module(".".join(path[:-1])), path[-1:]
    for name in rest:
        found = getattr(found, name, None)
    if found is None:
        raise AttributeError(f"Could not find the handler '{request['handler']}'")
    return found


def _traceback() -> str:
    """The traceback without the frames of the emulator."""
    here = os.path.dirname(__file__)
    found = traceback.TracebackException(*sys.exc_info())
    found.stack = traceback.StackSummary.from_list(
        [frame for frame in found.stack if os.path.dirname(frame.filename) != here]
    )
    return "".join(found.format())


def _procedure(connection: socket.socket, request: dict[str, Any], handler: Any) -> None:
    import snowflake.connector
    from snowflake.snowpark import Session

    settings = request["connection"] | {"paramstyle": "qmark"}
    session = Session.builder.configs(
        {"connection": snowflake.connector.connect(**settings)}
    ).create()
    result = handler(session, *request["arguments"])
    send(
        connection,
        {
            "result": result
            if isinstance(result, (int, float, bool, bytes)) or result is None
            else str(result)
        },
    )


def _function(connection: socket.socket, request: dict[str, Any], handler: Any) -> None:
    from emulator.sandbox_values import Caller

    call = Caller(handler, request["types"], request["returns"])
    send(connection, {"max_batch_size": call.max_batch_size})
    while True:
        try:
            batch = receive(connection)
        except EOFError:
            return
        try:
            send(connection, {"result": call(batch)})
        except BaseException:
            send(connection, {"error": _traceback()})


if __name__ == "__main__":
    serve(sys.argv[1])
