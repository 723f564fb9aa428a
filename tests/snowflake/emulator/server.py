"""Snowflake's HTTP protocol, as far as its Python connector speaks it.

A statement that takes longer than `PATIENCE` seconds is answered with "in progress" and an address
to ask again, as Snowflake does; the connector would send a statement again that is not answered.
"""

from __future__ import annotations

import concurrent.futures
import gzip
import json
import logging
import secrets
import time
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator import answers, errors, handlers
from emulator.account import Account
from emulator.answers import Answer
from emulator.bindings import values_of
from emulator.session import Session, new_query_id
from emulator.statements import Statement, split_name

logger = logging.getLogger("emulator")

PATIENCE = 40.0
IN_PROGRESS, IN_PROGRESS_ASYNC = "333333", "333334"


class Server:
    """One account, served."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.pool = concurrent.futures.ThreadPoolExecutor(64, thread_name_prefix="statement")
        self.running: dict[str, concurrent.futures.Future[dict[str, Any]]] = {}
        self.requests: dict[str, str] = {}
        self.app = Starlette(
            routes=[
                Route("/session/v1/login-request", self.login, methods=["POST"]),
                Route("/session/heartbeat", self.heartbeat, methods=["POST"]),
                Route("/session", self.end_session, methods=["POST"]),
                Route("/queries/v1/query-request", self.query, methods=["POST"]),
                Route("/queries/v1/abort-request", self.accept, methods=["POST"]),
                Route("/queries/{query_id}/result", self.result, methods=["GET"]),
                Route("/monitoring/queries/{query_id}", self.monitoring, methods=["GET"]),
                Route("/telemetry/send", self.accept, methods=["POST"]),
                Route("/telemetry/send/sessionless", self.accept, methods=["POST"]),
            ]
        )

    # -- sessions ------------------------------------------------------------------------------

    async def login(self, request: Request) -> JSONResponse:
        body = (await _json(request))["data"]
        return await run_in_threadpool(self._login, body, dict(request.query_params))

    def _login(self, body: dict[str, Any], query: dict[str, str]) -> JSONResponse:
        parameters = dict(body.get("SESSION_PARAMETERS") or {})
        token = secrets.token_urlsafe(24)
        if parent := parameters.pop("EMULATOR_PARENT_SESSION", None):
            # The body of a procedure runs in the session of its caller.
            session = self.account.sessions[parent]
            self.account.sessions[token] = session
        else:
            password = self.account.options.password
            if password is not None and body.get("PASSWORD") != password:
                return _refusal("390100", "Incorrect username or password was specified.", "08001")
            role = _first(query.get("roleName"))
            if role and self.account.roles is not None and role not in self.account.roles:
                return _refusal(
                    "390189",
                    f"Role '{role}' specified in the connect string does not exist or not "
                    "authorized. Contact your local system administrator, or attempt to login "
                    "with another role.",
                    "08001",
                )
            with self.account.lock:
                session = Session(
                    self.account,
                    user=str(body.get("LOGIN_NAME") or "TESTER").upper(),
                    role=role,
                    warehouse=_first(query.get("warehouse")),
                    database=_first(query.get("databaseName")),
                    schema=_first(query.get("schemaName")),
                    parameters=parameters,
                )
                self.account.sessions[token] = session
        return JSONResponse(
            {
                "success": True,
                "code": None,
                "message": None,
                "data": {
                    "token": token,
                    "masterToken": token,
                    "validityInSeconds": 36000,
                    "masterValidityInSeconds": 36000,
                    "sessionId": session.id,
                    "serverVersion": "10.0.0",
                    "parameters": [
                        {"name": "AUTOCOMMIT", "value": True},
                        {"name": "TIMEZONE", "value": "Etc/UTC"},
                        {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600},
                        {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
                        {"name": "CLIENT_TELEMETRY_ENABLED", "value": False},
                    ],
                    "sessionInfo": {
                        "databaseName": session.database,
                        "schemaName": session.schema,
                        "warehouseName": session.warehouse,
                        "roleName": session.role,
                    },
                },
            }
        )

    async def end_session(self, request: Request) -> JSONResponse:
        if request.query_params.get("delete"):
            await run_in_threadpool(self._end_session, _token(request))
        return await self.accept(request)

    def _end_session(self, token: str) -> None:
        with self.account.lock:
            session = self.account.sessions.pop(token, None)
            if session is not None and session not in self.account.sessions.values():
                session.close()

    async def heartbeat(self, request: Request) -> JSONResponse:
        return await self.accept(request)

    async def accept(self, request: Request) -> JSONResponse:
        return JSONResponse({"success": True, "code": None, "message": None, "data": {}})

    # -- statements ----------------------------------------------------------------------------

    async def query(self, request: Request) -> JSONResponse:
        session = self.account.sessions.get(_token(request))
        if session is None:
            return _refusal("390104", "ID Token is invalid.", "08001")
        body = await _json(request)
        nested = session.procedure_depth > 0
        request_id = request.query_params.get("requestId", "")
        # The same request may arrive again; it must not run again.
        query_id = self.requests.get(request_id)
        if query_id is None:
            query_id = new_query_id()
            self.requests[request_id] = query_id
            self.running[query_id] = self.pool.submit(self._run, session, body, query_id, nested)
        if body.get("asyncExec"):
            return _in_progress(query_id, IN_PROGRESS_ASYNC)
        return await run_in_threadpool(self._wait, query_id)

    async def result(self, request: Request) -> JSONResponse:
        return await run_in_threadpool(self._wait, request.path_params["query_id"])

    async def monitoring(self, request: Request) -> JSONResponse:
        running = self.running.get(request.path_params["query_id"])
        status = "RUNNING" if running is not None and not running.done() else "SUCCESS"
        if running is not None and running.done() and not running.result()["success"]:
            status = "FAILED_WITH_ERROR"
        return JSONResponse({"success": True, "data": {"queries": [{"status": status}]}})

    def _wait(self, query_id: str) -> JSONResponse:
        running = self.running.get(query_id)
        if running is None:
            return _refusal("000709", f"Statement {query_id} not found", "02000")
        try:
            return JSONResponse(running.result(timeout=PATIENCE))
        except concurrent.futures.TimeoutError:
            return _in_progress(query_id, IN_PROGRESS)

    def _run(
        self, session: Session, body: dict[str, Any], query_id: str, nested: bool
    ) -> dict[str, Any]:
        """Answer one statement and log it. Nothing may escape: the client would retry."""
        text = body.get("sqlText") or ""
        tag = (body.get("parameters") or {}).get("QUERY_TAG") or session.parameters.get("QUERY_TAG")
        error: str | None = None
        rows, columns = 0, []
        with self.account.lock:
            # The time that the statement itself takes, not its wait for others.
            started = time.perf_counter()
            self.account.cortex_calls, sent = 0, len(self.account.notifications)
            self.account.called.clear()
            try:
                found = _answers(session, text, body)
                session.keep(query_id, found)
                rows = found.table.num_rows
                columns = [column.name for column in found.columns]
                reply = _reply(found, session, query_id)
            except errors.SnowflakeError as refused:
                error = str(refused)
                reply = _error(refused, query_id)
            except Exception as unexpected:
                logger.exception("statement failed: %s", text[:1000])
                error = f"{type(unexpected).__name__}: {unexpected}"
                reply = _error(
                    errors.SnowflakeError(f"The emulator failed: {error}", 300000, "XX000"),
                    query_id,
                )
            calls = self.account.cortex_calls
            notifications = self.account.notifications[sent:]
        entry: dict[str, Any] = {
            "session": session.id,
            "sql": text,
            "query_tag": tag,
            "warehouse": session.warehouse,
            "ok": error is None,
            "error": error,
            "seconds": round(time.perf_counter() - started, 6),
            "inside_procedure": nested,
            # Of what goes to the client: no rows where only the columns were asked for.
            "rows": rows,
            "columns": columns if rows else [],
        }
        if calls:
            entry["cortex_calls"] = calls
        if notifications:
            entry["notifications"] = notifications
        self.account.write_log(entry)
        return reply


def _answers(session: Session, text: str, body: dict[str, Any]) -> Answer:
    batches = values_of(body.get("bindings"))
    found: Answer | None = None
    for values in batches:
        statement = Statement(text, values)
        statement.describe_only = bool(body.get("describeOnly"))
        one = handlers.answer(statement, session)
        if found is not None and one.stats is not None:
            # An array binding is one statement: its counts add up.
            total = found.stats["numRowsInserted"] + one.stats["numRowsInserted"]
            one = answers.counts(one.statement_type, inserted=total)
        found = one
    assert found is not None
    return found


def _reply(found: Answer, session: Session, query_id: str) -> dict[str, Any]:
    data = found.data()
    data.setdefault("queryId", query_id)
    data["finalDatabaseName"] = session.database
    data["finalSchemaName"] = session.schema
    data["finalWarehouseName"] = session.warehouse
    data["finalRoleName"] = session.role
    return {"success": True, "code": None, "message": None, "data": data}


def _error(error: errors.SnowflakeError, query_id: str) -> dict[str, Any]:
    code = f"{error.errno:06d}"
    return {
        "success": False,
        "code": code,
        "message": error.message,
        "data": {
            "errorCode": code,
            "sqlState": error.sqlstate,
            "queryId": query_id,
            "internalError": False,
            "line": -1,
            "pos": -1,
            "type": "COMPILATION",
        },
    }


def _refusal(code: str, message: str, sqlstate: str) -> JSONResponse:
    return JSONResponse(
        {
            "success": False,
            "code": code,
            "message": message,
            "data": {"errorCode": code, "sqlState": sqlstate},
        }
    )


def _in_progress(query_id: str, code: str) -> JSONResponse:
    return JSONResponse(
        {
            "success": True,
            "code": code,
            "message": "Query execution in progress.",
            "data": {
                "queryId": query_id,
                "getResultUrl": f"/queries/{query_id}/result",
                "queryAbortsAfterSecs": 300,
            },
        }
    )


def _token(request: Request) -> str:
    found = request.headers.get("Authorization", "")
    return found.partition('Token="')[2].rstrip('"')


def _first(name: str | None) -> str | None:
    return split_name(name)[0] if name else None


async def _json(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    found: dict[str, Any] = json.loads(body)
    return found
