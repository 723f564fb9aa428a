"""Functions and procedures in Python: their definitions, as statements write them.

https://docs.snowflake.com/en/sql-reference/sql/create-function,
https://docs.snowflake.com/en/sql-reference/sql/create-procedure and
https://docs.snowflake.com/en/sql-reference/sql/call-with
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from emulator import answers, errors, packages, stages
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import NAME_PART, Statement, split_name
from emulator.tables import text_of

RUNTIMES = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


@dataclass
class Routine:
    """A function or procedure. `modules` may be imported, `imports` are files of stages.

    `defaults` are the expressions of the optional arguments, which are the last ones:
    https://docs.snowflake.com/en/sql-reference/sql/create-procedure
    """

    name: str
    parameters: list[tuple[str, str]]
    returns: str
    language: str
    handler: str
    body: str
    packages: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    imports: list[Path] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)

    @property
    def signature(self) -> str:
        types = ", ".join(type_.upper() for _, type_ in self.parameters)
        return f"{self.name}({types}) RETURN {self.returns.upper()}"


_RESOLVE = re.compile(
    r"select\s+system\$resolve_python_packages\s*\(\s*'[\d.]+'\s*,\s*"
    r"(?P<packages>\$\$.*?\$\$|'(?:[^']|'')*')\s*(?:,\s*'[^']*'\s*)?\)",
    re.I | re.S,
)


def handle(statement: Statement, session: Session) -> Answer | None:
    """SYSTEM$RESOLVE_PYTHON_PACKAGES."""
    found = _RESOLVE.match(statement.body)
    if not found:
        return None
    declared = re.findall(r"'([^']*)'", text_of(found["packages"]))
    resolved = packages.resolve(declared, session.account.options.packages)
    name = "SYSTEM$RESOLVE_PYTHON_PACKAGES"
    return answers.rows({name: "text"}, [(json.dumps(resolved),)], answers.SELECT)


def parse(text: str, name: str, session: Session) -> Routine:
    """A definition from the text after the name: `(a float) returns float language python ...`.

    Raises:
        SnowflakeError: a package that is not in the channel, a staged file that is not there.

    """
    arguments, rest = _parenthesised(text)
    head, body = _split_body(rest)
    language = _word(head, "language") or "SQL"
    declared_arguments = _parts(arguments)
    routine = Routine(
        name=name,
        parameters=[_parameter(part) for part in declared_arguments],
        defaults=_defaults(declared_arguments),
        returns=_returns(head),
        language=language.upper(),
        handler=_text(head, "handler") or "",
        body=body,
    )
    if routine.language != "PYTHON":
        return routine
    if not routine.handler:
        raise errors.compilation("Missing option(s): [HANDLER]", 2029, "42601")
    runtime = _text(head, "runtime_version")
    if runtime not in RUNTIMES:
        raise errors.compilation(
            f"Invalid value [{runtime}] for parameter 'RUNTIME_VERSION'", 391507, "22023"
        )
    declared = _texts(head, "packages")
    names = packages.check(declared, session.account.options.packages)
    routine.packages = declared
    routine.modules = packages.modules_of(names)
    routine.imports = _imports(_texts(head, "imports"), session)
    return routine


def _imports(texts: list[str], session: Session) -> list[Path]:
    """Their names must differ, for they are put in one folder.

    https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-creating
    """
    found = [_import(text, session) for text in texts]
    names = [place.name for place in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise errors.compilation(
            f"The names of imported files must differ: '{twice[0]}'.", 391514, "42601"
        )
    return found


def _import(text: str, session: Session) -> Path:
    """The file that IMPORTS names. It must be there when the routine is made."""
    place = stages.directory_of(session, text)
    if not place.exists():
        raise errors.SnowflakeError(
            f"SQL compilation error:\nFile '{text}' does not exist or not authorized.",
            391513,
            "02000",
        )
    return place


def _parenthesised(text: str) -> tuple[str, str]:
    text = text.lstrip()
    if not text.startswith("("):
        raise errors.syntax(text[:50])
    depth = 0
    for place, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return text[1:place], text[place + 1 :]
    raise errors.syntax(text[:50])


def _parts(text: str) -> list[str]:
    """Parts between commas that are not inside parentheses or a text."""
    parts, depth, start, is_text = [], 0, 0, False
    for place, letter in enumerate(text):
        is_text ^= letter == "'"
        depth += 0 if is_text else {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0 and not is_text:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def _parameter(text: str) -> tuple[str, str]:
    found = re.match(rf"({NAME_PART})\s+(.+?)(?:\s+default\s+.*)?$", text, re.I | re.S)
    if not found:
        raise errors.syntax(text)
    return split_name(found[1])[0], found[2].strip()


def _defaults(arguments: list[str]) -> list[str]:
    """Expressions of the optional arguments, behind which no required one may stand."""
    found = [re.search(r"\sdefault\s+(.*)$", text, re.I | re.S) for text in arguments]
    optional = [match[1] for match in found if match]
    if any(found[: len(found) - len(optional)]):
        raise errors.syntax("a required argument follows an optional one")
    return optional


def _split_body(text: str) -> tuple[str, str]:
    """What is before AS, and the text of the body after it; no body means a handler on a stage."""
    found = re.search(r"\bas\s*(\$\$.*?\$\$|'(?:[^'\\]|\\.|'')*')", text, re.I | re.S)
    if not found:
        return text, ""
    return text[: found.start()] + " " + text[found.end() :], text_of(found[1])


def _returns(head: str) -> str:
    found = re.search(
        r"\breturns\s+(table\s*\(.*?\)|\w+(?:\s+precision)?(?:\s*\([\d\s,]+\))?)(?:\s+(?:not\s+)?null)?",
        head,
        re.I | re.S,
    )
    if not found:
        raise errors.syntax("RETURNS is missing")
    return re.sub(r"\s+", " ", found[1]).lower()


def _word(head: str, name: str) -> str | None:
    found = re.search(rf"\b{name}\s+(\w+)", head, re.I)
    return found[1] if found else None


def _text(head: str, name: str) -> str | None:
    found = re.search(rf"\b{name}\s*=\s*(?:'([^']*)'|([\d.]+))", head, re.I)
    return (found[1] or found[2]) if found else None


def _texts(head: str, name: str) -> list[str]:
    found = re.search(rf"\b{name}\s*=\s*\(([^)]*)\)", head, re.I)
    return re.findall(r"'([^']*)'", found[1]) if found else []
