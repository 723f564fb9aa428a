"""The lint of statements in the order in which they were sent, and of dbt's target folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlglot import exp

from .dynamic_tables import (
    check_body,
    check_chains,
    check_dynamic_tables,
    is_dynamic_create,
    refresh_mode,
)
from .grammar import check_grammar
from .lengths import check_lengths, columns_made
from .problem import Problem, docs
from .python_models import PythonLint
from .queries import check_queries
from .reference import IDENTIFIERS_PAGE
from .relations import Relation, Relations, node_key, read_relations
from .statement import Statement
from .trees import check_trees
from .words import check_words

Document = Mapping[str, Any]

_MAKES = re.compile(r"\b(create|drop)\b", re.IGNORECASE)


def lint_statements(
    statements: Sequence[str],
    catalog: Document | None = None,
    manifest: Document | None = None,
    *,
    with_sqlfluff: bool = True,
) -> list[Problem]:
    """Problems of statements, in the order in which they were sent.

    Tables, views, columns and functions that a statement makes exist for those after it, beside
    what `catalog` (dbt's catalog.json) and `manifest` (manifest.json) know. Of data tests the first
    is read, as dbt wraps it; each by itself is a file of `lint_project`.
    """
    relations = read_relations(catalog, manifest)
    # dbt sends many statements again and again; one that makes nothing is read once.
    seen: set[str] = set()
    texts: list[Statement] = []
    problems: list[Problem] = []
    wrapped = [text for text in statements if _is_wrapped(text)]
    for number, text in enumerate(statements, 1):
        if _is_wrapped(text) and text != wrapped[0]:
            continue
        statement = Statement(f"statement {number}", text)
        if text not in seen or _MAKES.search(text):
            texts.append(statement)
            problems += _check(statement, relations)
        seen.add(text)
    if with_sqlfluff:
        problems += check_grammar(texts)
    return sorted(set(problems))


def lint_project(
    target_folder: Path | str, made: Sequence[str] = (), *, with_sqlfluff: bool = True
) -> list[Problem]:
    """Problems of all that dbt compiled and ran: models, tests, snapshots, analyses, Python.

    Needs manifest.json, and catalog.json of `dbt docs generate`, in the target folder. `made` are
    statements by which hooks make tables that models read.
    """
    target = Path(target_folder)
    manifest = _read(target / "manifest.json")
    catalog = _read(target / "catalog.json")
    if catalog is None:
        return [
            Problem(
                str(target),
                1,
                "catalog",
                "catalog.json is missing: run dbt docs generate, or no column can be checked",
                docs("sql-reference/info-schema/columns"),
            )
        ]
    problems = list(check_catalog(catalog))
    texts = list(_sql_files(target))
    relations = read_relations(catalog, manifest)
    for number, text in enumerate(made, 1):
        problems += _check(Statement(f"hook {number}", text), relations)
    for text in texts:
        problems += _check(text, relations)
    if with_sqlfluff:
        problems += check_grammar(_without_repetition(texts))
    problems += check_chains(manifest or {})
    for node in ((manifest or {}).get("nodes") or {}).values():
        problems += _check_node(target, node, relations)
    return sorted(_said_once(problems))


def check_catalog(catalog: Document) -> Iterator[Problem]:
    """Columns and relations whose names are not upper case: unquoted names do not find them."""
    for section in ("nodes", "sources"):
        for unique_id, entry in (catalog.get(section) or {}).items():
            metadata = entry["metadata"]
            names = [metadata["schema"], metadata["name"], *entry["columns"]]
            for name in names:
                if name != name.upper():
                    yield Problem(
                        unique_id,
                        1,
                        "quoted",
                        f"`{name}` is not upper case: it can only be read in quotes",
                        IDENTIFIERS_PAGE,
                    )


def _check(statement: Statement, relations: Relations) -> Iterator[Problem]:
    trees = statement.trees
    yield from check_words(statement, relations.functions)
    if statement.parse_problem:
        yield statement.parse_problem
    if statement.routine:
        routine = statement.routine
        lint = PythonLint(statement.where, routine.packages, routine.imports, routine.runtime)
        yield from lint.check(routine.code, routine.code_line, routine.handler)
    yield from check_trees(statement)
    yield from check_queries(statement, relations)
    yield from check_lengths(statement, relations)
    yield from check_dynamic_tables(statement, relations)
    for name in statement.functions_made:
        relations.functions.add(name)
    for place, tree in enumerate(trees):
        _remember(tree, statement, statement.resolved.get(place, []), relations)


def _remember(
    tree: exp.Expr, statement: Statement, queries: list[exp.Query], relations: Relations
) -> None:
    """What exists after a statement."""
    if isinstance(tree, exp.Drop) and isinstance(tree.this, exp.Table):
        relations.forget(tree.this)
    if not isinstance(tree, exp.Create) or tree.kind not in ("TABLE", "VIEW"):
        return
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    made = _columns_defined(tree) or (columns_made(queries[0]) if queries else None)
    if not isinstance(target, exp.Table) or made is None:
        return
    if tree.args.get("exists") and relations.find(target):
        return
    if is_dynamic_create(tree):
        made.kind = "dynamic_table"
        made.refresh_mode = refresh_mode(statement.text)
    elif tree.kind == "VIEW":
        made.kind = "view"
    relations.define(target, made)


def _columns_defined(tree: exp.Create) -> Relation | None:
    """The columns that a statement lists with their types; a view lists names alone."""
    parts = tree.this.expressions if isinstance(tree.this, exp.Schema) else []
    columns = {}
    for part in parts:
        if isinstance(part, exp.ColumnDef) and part.args.get("kind"):
            name = part.name if part.this.args.get("quoted") else part.name.upper()
            columns[name] = part.args["kind"].sql("snowflake")
    return Relation(columns) if columns else None


def _sql_files(target: Path) -> Iterator[Statement]:
    """Every different text under compiled/ and run/.

    A data test stands in compiled/; of the queries that dbt puts around them in run/, which are the
    same for all, the shortest.
    """
    seen: set[str] = set()
    wrapped: list[Statement] = []
    for folder in ("compiled", "run"):
        for path in sorted((target / folder).rglob("*.sql")):
            text = path.read_text()
            if text.strip() and path.is_file() and text.strip() not in seen:
                seen.add(text.strip())
                statement = Statement(str(path.relative_to(target)), text)
                if _is_wrapped(text):
                    wrapped.append(statement)
                else:
                    yield statement
    yield from sorted(wrapped, key=lambda statement: len(statement.text))[:1]


def _is_wrapped(text: str) -> bool:
    """Whether it is a data test within the query that dbt puts around it."""
    return "should_warn" in text


def _without_repetition(texts: Sequence[Statement]) -> list[Statement]:
    """The texts for the slower parser: each piece of SQL once.

    A model stands in run/ within the statement that builds it; a unit test is a model, read by
    itself, between rows that dbt writes.
    """
    unit_tests = {_within(text) for text in texts if "dbt_internal_unit_test" in text.text}
    own = [text for text in texts if _within(text) not in unit_tests]
    built = {
        _within(text) for text in own if text.where.startswith("run") and not _is_wrapped(text.text)
    }
    return [text for text in own if text.where.startswith("run") or _within(text) not in built]


def _within(statement: Statement) -> str:
    """The path of a file within compiled/ or run/."""
    return statement.where.partition("/")[2]


def _said_once(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Each problem of a compiled file once, though run/ has it again."""
    said: set[tuple[str, str, str]] = set()
    for problem in sorted(set(problems)):
        folder, _, path = problem.where.partition("/")
        if folder == "compiled":
            said.add((path, problem.rule, problem.message))
            yield problem
        elif folder != "run" or (path, problem.rule, problem.message) not in said:
            yield problem


def _check_node(target: Path, node: Document, relations: Relations) -> Iterator[Problem]:
    config = node.get("config") or {}
    path = compiled(target, node)
    if path is None or not path.exists():
        return
    if node.get("language") == "python":
        lint = PythonLint(
            str(path.relative_to(target)),
            ["snowflake-snowpark-python", *_list(config.get("packages"))],
            _list(config.get("imports")),
            str(config["python_version"]) if config.get("python_version") else None,
        )
        yield from lint.check(path.read_text())
    elif config.get("materialized") == "dynamic_table":
        statement = Statement(str(path.relative_to(target)), path.read_text())
        relation = relations.known.get(node_key(node))
        mode = (relation.refresh_mode if relation else None) or str(config.get("refresh_mode"))
        for tree in statement.trees:
            yield from check_body(statement, tree, mode, relations)


def compiled(target: Path, node: Document) -> Path | None:
    """The compiled file of a node. dbt writes the path from where it ran: the end of it counts."""
    parts = Path(node.get("compiled_path") or "").parts
    return target.joinpath(*parts[parts.index("compiled") :]) if "compiled" in parts else None


def _list(value: str | Sequence[str] | None) -> list[str]:
    """A setting that dbt takes as one text or as a list."""
    return [value] if isinstance(value, str) else list(value or [])


def _read(path: Path) -> dict[str, Any] | None:
    return dict(json.loads(path.read_text())) if path.exists() else None


def sentences(problems: Iterable[Problem]) -> str:
    """Problems as lines to read, for the message of a failing test."""
    return "\n".join(map(str, problems))
