"""Stages: a folder each. PUT and GET are done by the client, which is on the same machine.

https://docs.snowflake.com/en/user-guide/data-load-local-file-system-create-stage
"""

from __future__ import annotations

import datetime
import email.utils
import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from emulator import answers, errors, sandbox
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import NAME, NAME_PART, ObjectName, Statement

STAGE = rf"@(?:~|(?:{NAME_PART}\.){{0,2}}%?{NAME_PART})(?:/[^\s'\",;)]*)?"
_REFERENCE = re.compile(
    rf"^@?(?P<name>~|(?:{NAME_PART}\.){{0,2}}%?{NAME_PART})(?:/(?P<path>.*))?$", re.S
)
_CREATE = re.compile(
    rf"create\s+(?P<replace>or\s+replace\s+)?(?P<temporary>(?:scoped\s+)?temp(?:orary)?\s+)?stage\s+"
    rf"(?P<exists>if\s+not\s+exists\s+)?(?P<name>{NAME})(?P<options>.*)$",
    re.I | re.S,
)
_DROP = re.compile(rf"drop\s+stage\s+(?P<exists>if\s+exists\s+)?(?P<name>{NAME})\s*$", re.I)
_ALTER = re.compile(rf"alter\s+stage\s+(?:if\s+exists\s+)?(?P<name>{NAME})\s+", re.I)
_PLACE = rf"(?:'(?P<quoted>@[^']+)'|(?P<bare>{STAGE}|@\S+))"
_LIST = re.compile(rf"(?:list|ls)\s+{_PLACE}(?:\s+pattern\s*=\s*'(?P<pattern>[^']*)')?\s*$", re.I)
_REMOVE = re.compile(
    rf"(?:remove|rm)\s+{_PLACE}(?:\s+pattern\s*=\s*'(?P<pattern>[^']*)')?\s*$", re.I
)
_PUT = re.compile(
    rf"put\s+(?:'(?P<file>file://[^']*)'|(?P<plain>file://\S+))\s+{_PLACE}(?P<options>.*)$",
    re.I | re.S,
)
_GET = re.compile(
    rf"get\s+{_PLACE}\s+(?:'(?P<file>file://[^']*)'|(?P<plain>file://\S+))(?P<options>.*)$",
    re.I | re.S,
)
_SHOW = ("SHOW", "STAGES")


@dataclass
class Stage:
    """A named stage. `is_readable`: its md5 sums are of the files themselves."""

    name: ObjectName
    folder: Path
    is_readable: bool
    comment: str
    created_at: datetime.datetime
    is_temporary: bool


def handle(statement: Statement, session: Session) -> Answer | None:
    for pattern, run in (
        (_CREATE, _create),
        (_DROP, _drop),
        (_ALTER, _alter),
        (_LIST, _list),
        (_REMOVE, _remove),
        (_PUT, _put),
        (_GET, _get),
    ):
        if found := pattern.match(statement.body):
            sandbox.of(session.account).start_soon()
            return run(found, session)
    return None


def _stages(session: Session) -> dict[ObjectName, Stage]:
    stages: dict[ObjectName, Stage] = session.account.extras.setdefault("stages", {})
    return stages


def _root(session: Session) -> Path:
    root = session.account.extras.get("stage_root")
    if root is None:
        root = Path(tempfile.mkdtemp(prefix="emulator_stages_"))
        session.account.extras["stage_root"] = root
        session.account.closers.append(lambda: shutil.rmtree(root, ignore_errors=True))
    return root


def _create(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/create-stage"""
    session.commit()
    name = session.name_of(found["name"])
    session.account.require_schema(name)
    stages = _stages(session)
    if name in stages:
        if found["exists"]:
            return answers.status(f"{name.name} already exists, statement succeeded.")
        if not found["replace"]:
            raise errors.already_exists(name)
        _forget(name, session)
    folder = Path(tempfile.mkdtemp(prefix=f"{name.name}_", dir=_root(session)))
    comment = re.search(r"\bcomment\s*=\s*'((?:[^']|'')*)'", found["options"], re.I)
    stages[name] = Stage(
        name,
        folder,
        # With the default, SNOWFLAKE_FULL, a file is encrypted before it is sent: its md5 "will
        # always differ" (https://docs.snowflake.com/en/sql-reference/sql/list).
        is_readable="SNOWFLAKE_SSE" in found["options"].upper(),
        comment=comment[1] if comment else "",
        created_at=datetime.datetime.now(datetime.UTC),
        is_temporary=bool(found["temporary"]),
    )
    if found["temporary"]:
        session.closers.append(lambda: _forget(name, session))
    return answers.status(f"Stage area {name.name} successfully created.")


def _forget(name: ObjectName, session: Session) -> None:
    stage = _stages(session).pop(name, None)
    if stage is not None:
        shutil.rmtree(stage.folder, ignore_errors=True)


def _drop(found: re.Match[str], session: Session) -> Answer:
    session.commit()
    name = session.name_of(found["name"])
    if name not in _stages(session) and not found["exists"]:
        raise errors.no_such_object("Stage", name)
    _forget(name, session)
    return answers.status(f"{name.name} successfully dropped.")


def _alter(found: re.Match[str], session: Session) -> Answer:
    stage_of(session, session.name_of(found["name"]))
    return answers.status("Statement executed successfully.")


def stage_of(session: Session, name: ObjectName) -> Stage:
    stage = _stages(session).get(name)
    if stage is None:
        raise errors.SnowflakeError(
            f"SQL compilation error:\nStage '{name}' does not exist or not authorized.",
            2003,
            "02000",
        )
    return stage


def reference(session: Session, text: str) -> tuple[Stage, str]:
    """The stage and the path that `@db.schema.stage/path` names."""
    found = _REFERENCE.match(text.strip().strip("'"))
    if not found:
        raise errors.syntax(f"stage reference {text}")
    if found["name"] == "~":
        # https://docs.snowflake.com/en/user-guide/data-load-local-file-system-create-stage
        name = ObjectName("USER", session.user, "~")
        if name not in _stages(session):
            folder = Path(tempfile.mkdtemp(prefix="user_", dir=_root(session)))
            _stages(session)[name] = Stage(
                name, folder, False, "", datetime.datetime.now(datetime.UTC), False
            )
    else:
        name = session.name_of(found["name"])
    return stage_of(session, name), (found["path"] or "")


def directory_of(session: Session, text: str) -> Path:
    """The folder or file that a stage reference stands for; it need not exist."""
    stage, path = reference(session, text)
    return _inside(stage, path)


def _inside(stage: Stage, path: str) -> Path:
    place = (stage.folder / path).resolve()
    if not place.is_relative_to(stage.folder.resolve()):
        raise errors.SnowflakeError(f"Path '{path}' leaves the stage.", 253003, "08006")
    return place


def files_of(session: Session, text: str, pattern: str | None = None) -> list[tuple[str, Path]]:
    """Names (as LIST gives them) and paths of the files whose names start with a path."""
    stage, path = reference(session, text)
    prefix = "" if stage.name.name == "~" else f"{stage.name.name.lower()}/"
    found = []
    for file in sorted(stage.folder.rglob("*")):
        relative = file.relative_to(stage.folder).as_posix()
        if file.is_file() and relative.startswith(path):
            name = prefix + relative
            if pattern is None or re.fullmatch(pattern, name):
                found.append((name, file))
    return found


def _place(found: re.Match[str]) -> str:
    return found["quoted"] or found["bare"]


def _list(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/list"""
    stage, _ = reference(session, _place(found))
    rows = []
    for name, file in files_of(session, _place(found), found["pattern"]):
        content = file.read_bytes()
        digest = hashlib.md5(content if stage.is_readable else b"encrypted" + content).hexdigest()
        changed = email.utils.formatdate(file.stat().st_mtime, usegmt=True)
        rows.append((name, len(content), digest, changed))
    types = {"name": "text", "size": "fixed", "md5": "text", "last_modified": "text"}
    return answers.rows(types, rows)


def _remove(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/remove"""
    rows = []
    for name, file in files_of(session, _place(found), found["pattern"]):
        file.unlink()
        rows.append((name, "removed"))
    return answers.rows({"name": "text", "result": "text"}, rows)


def _option(options: str, name: str, default: str) -> str:
    found = re.search(rf"\b{name}\s*=\s*'?([\w.]+)'?", options, re.I)
    return found[1].upper() if found else default


def _put(found: re.Match[str], session: Session) -> Answer:
    """Tell the client to copy its files into the stage's folder.

    https://docs.snowflake.com/en/sql-reference/sql/put
    """
    place = directory_of(session, _place(found))
    place.mkdir(parents=True, exist_ok=True)
    source = (found["file"] or found["plain"]).removeprefix("file://")
    compress = _option(found["options"], "auto_compress", "TRUE") == "TRUE"
    overwrite = _option(found["options"], "overwrite", "FALSE") == "TRUE"
    target = Path(source).name
    if compress and not target.endswith(".gz"):
        target += ".gz"
    if not overwrite and (place / target).exists():
        # The file that is there stays. The client still reports an upload, which goes nowhere.
        place = Path(tempfile.mkdtemp(prefix="skipped_", dir=_root(session)))
    answer = answers.status("PUT")
    answer.upload = {
        "command": "UPLOAD",
        "src_locations": [source],
        "parallel": 4,
        "threshold": 209715200,
        "autoCompress": compress,
        "overwrite": overwrite,
        "sourceCompression": _option(found["options"], "source_compression", "auto_detect").lower(),
        "clientShowEncryptionParameter": True,
        "encryptionMaterial": None,
        "stageInfo": {
            "locationType": "LOCAL_FS",
            "location": f"{place}/",
            "path": "",
            "region": "local",
            "creds": {},
            "isClientSideEncrypted": False,
        },
        "statementTypeId": 0x7000,
    }
    return answer


def _get(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/get"""
    stage, _ = reference(session, _place(found))
    pattern = re.search(r"\bpattern\s*=\s*'([^']*)'", found["options"], re.I)
    files = files_of(session, _place(found), pattern[1] if pattern else None)
    target = (found["file"] or found["plain"]).removeprefix("file://")
    answer = answers.status("GET")
    answer.upload = {
        "command": "DOWNLOAD",
        "src_locations": [file.relative_to(stage.folder).as_posix() for _, file in files],
        "localLocation": target,
        "parallel": 4,
        "encryptionMaterial": [],
        "stageInfo": {
            "locationType": "LOCAL_FS",
            "location": f"{stage.folder}/",
            "path": "",
            "region": "local",
            "creds": {},
            "isClientSideEncrypted": False,
        },
        "statementTypeId": 0x7000,
    }
    return answer


def shown(session: Session) -> list[dict[str, object]]:
    """The rows of SHOW STAGES: https://docs.snowflake.com/en/sql-reference/sql/show-stages"""
    return [
        {
            "created_on": stage.created_at,
            "name": stage.name.name,
            "database_name": stage.name.database,
            "schema_name": stage.name.schema,
            "url": "",
            "has_credentials": "N",
            "has_encryption_key": "N",
            "owner": "SYSADMIN",
            "comment": stage.comment,
            "type": "INTERNAL TEMPORARY" if stage.is_temporary else "INTERNAL",
        }
        for stage in _stages(session).values()
        if stage.name.name != "~"
    ]
