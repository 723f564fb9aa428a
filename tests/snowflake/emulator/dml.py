"""INSERT, UPDATE, DELETE, MERGE, TRUNCATE."""

from __future__ import annotations

import re

import pyarrow as pa
from sqlglot import exp

from emulator import answers, errors, execution, queries, translation
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import NAME, ObjectName, Statement, split_name


def handle(statement: Statement, session: Session) -> Answer | None:
    is_insert = statement.words[:1] == ["INSERT"] and not statement.describe_only
    if is_insert and (loaded := _insert_literals(statement, session)):
        return loaded
    if not statement.words or statement.words[0] not in (
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "WITH",
        "TRUNCATE",
    ):
        return None
    tree = statement.tree
    run = {
        exp.Insert: _insert,
        exp.Update: _update,
        exp.Delete: _delete,
        exp.Merge: _merge,
        exp.TruncateTable: _truncate,
    }.get(type(tree))
    if run is None:
        return None
    if statement.describe_only:
        kind = {exp.Insert: "inserted", exp.Update: "updated", exp.Delete: "deleted"}
        return answers.counts(answers.DML, **{kind.get(type(tree), "inserted"): 0})
    target = target_of(tree)
    if target is not None:
        refuse_dynamic(
            session,
            session.complete(
                [part.name if part.quoted else part.name.upper() for part in target.parts]
            ),
        )
    queries.require_warehouse(tree, session)
    return run(tree, statement, session)


def target_of(tree: exp.Expression) -> exp.Table | None:
    if isinstance(tree, exp.TruncateTable):
        return tree.expressions[0]
    node = tree.this
    return (
        node.this if isinstance(node, exp.Schema) else node if isinstance(node, exp.Table) else None
    )


def refuse_dynamic(session: Session, name: ObjectName) -> None:
    """A dynamic table is changed by its refresh alone.

    https://docs.snowflake.com/en/user-guide/dynamic-tables/decision-guide
    """
    found = session.account.objects.get(name)
    if name not in session.temporary and found is not None and found.dynamic is not None:
        raise errors.compilation(
            f"Invalid operation: DML is not supported on the dynamic table '{name}'.", 1501, "0A000"
        )


def _insert(tree: exp.Insert, statement: Statement, session: Session) -> Answer:
    overwrite = tree.args.get("overwrite")
    tree = translation.prepare(tree, session)
    if overwrite:
        # It empties and fills the table in one transaction, as one statement
        # (https://docs.snowflake.com/en/sql-reference/sql/insert). The rows are
        # read first: they may come from the table itself.
        tree.set("overwrite", None)
        source = translation.render(tree.expression.copy(), session)
        execution.execute(session, f"create or replace temp table emulator_overwrite as {source}")
        tree.set("expression", exp.select("*").from_(exp.to_table("temp.main.emulator_overwrite")))
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        opened = not session.in_transaction
        if opened:
            session.begin()
        try:
            execution.execute(session, f"delete from {target.sql('duckdb')}")
            inserted = execution.touch(session, translation.render(tree, session))
        except errors.SnowflakeError:
            if opened:
                session.rollback()
            raise
        if opened:
            session.commit()
        execution.execute(session, "drop table temp.main.emulator_overwrite")
    else:
        inserted = execution.touch(session, translation.render(tree, session))
    return answers.counts(answers.INSERT, inserted=inserted)


def _update(tree: exp.Update, statement: Statement, session: Session) -> Answer:
    tree = translation.prepare(tree, session)
    for assignment in tree.expressions:
        _unqualified(assignment)
    return answers.counts(
        answers.UPDATE, updated=execution.touch(session, translation.render(tree, session))
    )


def _delete(tree: exp.Delete, statement: Statement, session: Session) -> Answer:
    sql = translation.to_duckdb(tree, session)
    return answers.counts(answers.DELETE, deleted=execution.touch(session, sql))


def _truncate(tree: exp.TruncateTable, statement: Statement, session: Session) -> Answer:
    session.commit()
    name = target_of(tree)
    translation.prepare(tree, session)
    full = session.complete(
        [part.name if part.quoted else part.name.upper() for part in name.parts]
    )
    execution.execute(session, f"delete from {translation.physical_sql(session, full)}")
    return answers.status("Statement executed successfully.")


def _unqualified(assignment: exp.Expression) -> None:
    """DuckDB's SET takes a bare column name."""
    if isinstance(assignment.this, exp.Column):
        assignment.this.set("table", None)


def _merge(tree: exp.Merge, statement: Statement, session: Session) -> Answer:
    """DuckDB's own MERGE, after a check that DuckDB does not make.

    A target row that several source rows would update is an error
    (https://docs.snowflake.com/en/sql-reference/sql/merge).
    """
    tree = translation.prepare(tree, session)
    kinds = []
    whens = tree.args.get("whens")
    clauses = whens.expressions if isinstance(whens, exp.Whens) else whens
    for when in clauses:
        then = when.args["then"]
        if isinstance(then, exp.Update):
            kinds.append("updated")
            for assignment in then.expressions:
                _unqualified(assignment)
        elif isinstance(then, exp.Insert):
            kinds.append("inserted")
        else:
            kinds.append("deleted")
    _refuse_duplicates(tree, clauses, session)
    sql = translation.render(tree, session)
    touched = [row[0] for row in execution.rows_of(session, f"{sql} returning merge_action")]
    actions = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}
    return answers.counts(
        answers.MERGE,
        **{kind: touched.count(actions[kind]) for kind in actions if kind in kinds},
    )


def _refuse_duplicates(tree: exp.Merge, clauses: list[exp.When], session: Session) -> None:
    updates = [
        when.args.get("condition") or exp.true()
        for when in clauses
        if when.args.get("matched") and isinstance(when.args["then"], exp.Update)
    ]
    if not updates:
        return
    target = tree.this.copy()
    alias = target.alias or target.name
    touched = exp.select(exp.column("rowid", table=exp.to_identifier(alias, quoted=True)))
    touched = touched.from_(target).join(tree.args["using"].copy(), on=tree.args["on"].copy())
    touched = touched.where(exp.or_(*[condition.copy() for condition in updates]))
    if with_ := tree.args.get("with_"):
        touched.set("with_", with_.copy())
    sql = translation.render(touched, session)
    found = execution.rows_of(
        session, f"select 1 from ({sql}) as touched group by rowid having count(*) > 1 limit 1"
    )
    if found:
        raise errors.SnowflakeError(
            "Duplicate row detected during DML action\nRow Values: [...]", 100090, "42P18"
        )


# A seed arrives as one INSERT of up to 10,000 rows of literals. Parsing it with sqlglot and passing
# the tree through fakesnow's transforms takes minutes; literals need neither.
_HEAD = re.compile(
    rf"insert\s+(overwrite\s+)?into\s+({NAME})\s*(?:\(([^()]*)\))?\s*values\s*(?=\()", re.I
)
_LITERAL = re.compile(
    r"\s*(?:'((?:[^'\\]|\\.|'')*)'|(-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|null|true|false))\s*([,)])",
    re.I | re.S,
)
_BREAK = re.compile(r"\s*(,\s*\(|$)")
_ESCAPE = re.compile(r"\\(.)|''", re.S)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}


def _insert_literals(statement: Statement, session: Session) -> Answer | None:
    """Rows of plain literals, as DuckDB would cast them; None where there is anything else."""
    head = _HEAD.match(statement.body)
    if not head or len(statement.body) < 5000:
        return None
    body, place, rows, row = statement.body, head.end() + 1, [], []
    while True:
        found = _LITERAL.match(body, place)
        if not found:
            return None
        text, word, end = found.groups()
        if text is not None:
            row.append(_ESCAPE.sub(_unescape, text) if "\\" in text or "''" in text else text)
        else:
            row.append(None if word.lower() == "null" else word)
        place = found.end()
        if end == ")":
            rows.append(row)
            row = []
            gap = _BREAK.match(body, place)
            if not gap:
                return None
            if not gap[1]:
                break
            place = gap.end()
    name = session.name_of(head[2])
    if translation.columns_of(session, name) is None:
        raise errors.no_such_object("Table", name)
    refuse_dynamic(session, name)
    columns = ", ".join(f'"{part}"' for part in split_name(head[3])) if head[3] else ""
    target = translation.physical_sql(session, name)
    table = pa.Table.from_arrays(
        [pa.array(values, pa.string()) for values in zip(*rows, strict=True)],
        names=[f"c{place}" for place in range(len(rows[0]))],
    )
    session.duck.register("emulator_literals", table)
    try:
        opened = not session.in_transaction
        if opened:
            session.begin()
        try:
            if head[1]:
                execution.execute(session, f"delete from {target}")
            execution.execute(
                session,
                f"insert into {target} {f'({columns})' if columns else ''} "
                "select * from emulator_literals",
            )
        except errors.SnowflakeError:
            session.rollback()
            raise
        if opened:
            session.commit()
    finally:
        session.duck.unregister("emulator_literals")
    return answers.counts(answers.INSERT, inserted=len(rows))


def _unescape(found: re.Match[str]) -> str:
    """https://docs.snowflake.com/en/sql-reference/data-types-text"""
    if found[0] == "''":
        return "'"
    return _ESCAPES.get(found[1], found[1])
