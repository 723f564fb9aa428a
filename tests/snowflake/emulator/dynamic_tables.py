"""Dynamic tables: plain tables that nothing but a refresh changes.

No scheduler runs: the rows change at creation (INITIALIZE = ON_CREATE) and at
ALTER DYNAMIC TABLE ... REFRESH, so a read that relies on the target lag is seen to be stale.
https://docs.snowflake.com/en/user-guide/dynamic-tables/overview
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from emulator import answers, errors, execution, tables, translation
from emulator.account import ObjectInfo
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import NAME, ObjectName, Statement, split_name

_CREATE = re.compile(
    rf"create\s+(?P<replace>or\s+replace\s+)?(?P<transient>transient\s+)?dynamic\s+table\s+"
    rf"(?P<exists>if\s+not\s+exists\s+)?(?P<name>{NAME})(?P<options>.*?)"
    rf"\bas\b\s*(?P<query>\(*\s*(?:select|with)\b.*)$",
    re.I | re.S,
)
_ALTER = re.compile(
    rf"alter\s+dynamic\s+table\s+(?P<exists>if\s+exists\s+)?(?P<names>{NAME}(?:\s*,\s*{NAME})*)\s+(?P<action>.*)$",
    re.I | re.S,
)
_DROP = re.compile(
    rf"drop\s+dynamic\s+table\s+(?P<exists>if\s+exists\s+)?(?P<name>{NAME})\s*$", re.I
)


@dataclass
class DynamicTable:
    """The definition of a dynamic table, and when its rows were last computed."""

    text: str
    sql: str
    reads: set[ObjectName]
    warehouse: str
    target_lag: str | None
    scheduler: str | None
    refresh_mode: str
    refresh_mode_reason: str | None
    cluster_by: str = ""
    immutable_where: str | None = None
    initialization_warehouse: str | None = None
    state: str = "RUNNING"
    data_at: datetime.datetime | None = None

    def shown(self) -> dict[str, Any]:
        """The columns of SHOW DYNAMIC TABLES that other tables do not have."""
        return {
            "text": self.text,
            "target_lag": self.target_lag,
            "warehouse": self.warehouse,
            "initialization_warehouse": self.initialization_warehouse,
            "scheduler": self.scheduler,
            "refresh_mode": self.refresh_mode,
            "refresh_mode_reason": self.refresh_mode_reason,
            "scheduling_state": self.state,
            "data_timestamp": self.data_at,
            "immutable_where": self.immutable_where and f"IMMUTABLE WHERE ({self.immutable_where})",
            "automatic_clustering": "OFF",
            "is_clone": "false",
            "is_replica": "false",
            "is_iceberg": "false",
        }


def handle(statement: Statement, session: Session) -> Answer | None:
    if "DYNAMIC" not in statement.words[:5]:
        return None
    if found := _CREATE.match(statement.body):
        session.commit()
        return _create(found, statement, session)
    if (found := _DROP.match(statement.body)) is not None:
        session.commit()
        return _drop(found, session)
    if statement.starts_with("ALTER", "DYNAMIC") and (found := _ALTER.match(statement.body)):
        if re.match(r"(?:alter|modify)\b", found["action"], re.I):
            return None
        return _alter(found, session)
    return None


def _option(options: str, name: str) -> str | None:
    found = re.search(rf"\b{name}\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([\w.$]+))", options, re.I)
    return next((value for value in found.groups() if value is not None), None) if found else None


def _parenthesised(options: str, words: str) -> str | None:
    found = re.search(rf"\b{words}\s*\(", options, re.I)
    if not found:
        return None
    depth, place = 1, found.end()
    while depth and place < len(options):
        depth += {"(": 1, ")": -1}.get(options[place], 0)
        place += 1
    return options[found.end() : place - 1].strip()


def _create(found: re.Match[str], statement: Statement, session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/create-dynamic-table"""
    account, options = session.account, found["options"]
    name = session.name_of(found["name"])
    account.require_schema(name)
    info = account.objects.get(name)
    if account.exists(name):
        if found["exists"]:
            return answers.status(f"{name.name} already exists, statement succeeded.")
        if not found["replace"]:
            raise errors.already_exists(name)
        if info is None or info.dynamic is None:
            kind = info.kind if info else "TABLE"
            raise errors.compilation(f"Object '{name}' already exists as {kind}", 2203, "42710")
    query = Statement(found["query"]).tree
    prepared = translation.prepare(query, session)
    reads = translation.reads_of(prepared)
    if any(read.database == "temp" for read in reads):
        raise errors.compilation("Dynamic table cannot read a temporary table.", 2681, "0A000")
    for read in reads:
        info = session.account.objects.get(read)
        if info is not None and info.dynamic is None and _below(info.reads, session):
            # Newer pages do not name this limit, older ones do; no build should need its end:
            # https://docs.snowflake.com/en/user-guide/dynamic-tables-limitations
            raise errors.compilation(
                f"Dynamic table cannot read view '{read}', which queries a dynamic table.",
                2681,
                "0A000",
            )
    mode, reason = _refresh_mode(query, _option(options, "refresh_mode"))
    definition = DynamicTable(
        text=statement.body,
        sql=execution.flat(session, translation.render(prepared, session)),
        reads=reads,
        warehouse=_warehouse(_option(options, "warehouse"), session),
        target_lag=_target_lag(_option(options, "target_lag")),
        scheduler=_upper(_option(options, "scheduler")),
        refresh_mode=mode,
        refresh_mode_reason=reason,
        cluster_by=f"LINEAR({columns})"
        if (columns := _parenthesised(options, r"cluster\s+by"))
        else "",
        immutable_where=_parenthesised(options, r"(?:immutable|frozen)\s+where"),
        initialization_warehouse=_upper(_option(options, "initialization_warehouse")),
    )
    if definition.target_lag is None and definition.scheduler != "DISABLE":
        raise errors.compilation("Missing option(s): [TARGET_LAG]", 2029, "42601")
    if definition.target_lag is not None and definition.scheduler == "DISABLE":
        raise errors.compilation(
            "TARGET_LAG cannot be set with SCHEDULER = DISABLE.", 2029, "42601"
        )
    now = datetime.datetime.now(datetime.UTC)
    execution.execute(
        session, f"create or replace table {name.sql} as select * from ({definition.sql}) limit 0"
    )
    account.record(
        name,
        ObjectInfo(
            "DYNAMIC TABLE", now, bool(found["transient"]), session.role, dynamic=definition
        ),
    )
    if (comment := re.search(r"\bcomment\s*=\s*('(?:[^']|'')*')", options, re.I)) is not None:
        execution.execute(session, f"comment on table {name.sql} is {comment[1]}")
    if _upper(_option(options, "initialize")) != "ON_SCHEDULE":
        try:
            _recompute(session, name)
        except errors.SnowflakeError:
            # "With the default INITIALIZE = ON_CREATE, CREATE DYNAMIC TABLE fails during the
            # initial refresh." (https://docs.snowflake.com/en/user-guide/dynamic-tables/supported-queries)
            execution.execute(session, f"drop table {name.sql}")
            account.forget(name)
            raise
    return answers.status(f"Dynamic table {name.name} successfully created.")


def _upper(text: str | None) -> str | None:
    return text.upper() if text else None


def _warehouse(text: str | None, session: Session) -> str:
    if text is None:
        raise errors.compilation("Missing option(s): [WAREHOUSE]", 2029, "42601")
    name = split_name(text)[0]
    known = session.account.warehouses
    if known is not None and name not in known:
        raise errors.no_such_object("Warehouse", name)
    return name


def _target_lag(text: str | None) -> str | None:
    """At least 60 seconds (https://docs.snowflake.com/en/user-guide/dynamic-tables/target-lag)."""
    if text is None:
        return None
    if text.upper() == "DOWNSTREAM":
        return "DOWNSTREAM"
    found = re.fullmatch(r"\s*(\d+)\s+(second|minute|hour|day)s?\s*", text, re.I)
    seconds = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
    if not found or int(found[1]) * seconds[found[2].lower()] < 60:
        raise errors.compilation(f"Invalid lag value '{text}' for dynamic table.", 2693, "22023")
    unit = found[2].lower()
    return f"{found[1]} {unit}{'s' if int(found[1]) != 1 else ''}"


def _refresh_mode(query: exp.Expression, wanted: str | None) -> tuple[str, str | None]:
    """What AUTO becomes; INCREMENTAL is refused where the query does not allow it.

    https://docs.snowflake.com/en/user-guide/dynamic-tables/supported-queries
    """
    wanted = (wanted or "AUTO").upper()
    if wanted == "FULL":
        return ("FULL", None)
    reason = _not_incremental(query)
    if wanted == "INCREMENTAL" and reason:
        raise errors.compilation(
            f"Dynamic Tables do not support incremental refresh for this query: {reason}.",
            2716,
            "0A000",
        )
    return (
        ("FULL", f"The query cannot be refreshed incrementally: {reason}.")
        if reason
        else ("INCREMENTAL", None)
    )


def _not_incremental(query: exp.Expression) -> str | None:
    unsupported: list[tuple[str, tuple[type[exp.Expression], ...]]] = [
        ("set operators other than UNION", (exp.Except, exp.Intersect)),
        ("LIMIT", (exp.Limit, exp.Fetch)),
        ("subquery operators", (exp.Exists,)),
        ("ANY_VALUE", (exp.AnyValue,)),
        ("a context function", (exp.CurrentUser, exp.CurrentRole, exp.CurrentWarehouse)),
        ("a random function", (exp.Rand, exp.Uuid)),
    ]
    for reason, kinds in unsupported:
        if query.find(*kinds):
            return reason
    for node in query.find_all(exp.Subquery, exp.In):
        if isinstance(node, exp.In) and node.args.get("query") is not None:
            return "a subquery in IN"
        if isinstance(node, exp.Subquery) and not isinstance(
            node.parent, (exp.From, exp.Join, exp.CTE, exp.SetOperation, exp.Subquery, type(None))
        ):
            return "a subquery outside of FROM"
    for node in query.find_all(exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime):
        if not node.find_ancestor(exp.Where, exp.Having, exp.Qualify):
            return "the current time in SELECT"
    for join in query.find_all(exp.Join):
        condition = join.args.get("on")
        if join.side and condition is not None and not condition.find(exp.EQ):
            return "an outer join without an equality"
    return None


def _alter(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/alter-dynamic-table"""
    account, action = session.account, found["action"].strip()
    names = []
    for text in re.findall(NAME, found["names"]):
        name = session.name_of(text)
        info = account.objects.get(name)
        if info is None or info.dynamic is None:
            if found["exists"]:
                continue
            raise errors.no_such_object("Dynamic table", name)
        if name in names:
            raise errors.compilation(f"Duplicate Dynamic Table: {name}", 2008, "42601")
        names.append(name)
    if re.match(r"refresh\b", action, re.I):
        if session.in_transaction:
            raise errors.compilation(
                "Manual refresh of a dynamic table is not supported inside a multi-statement "
                "transaction.",
                2743,
                "0A000",
            )
        return _refresh(names, session)
    session.commit()
    if not names:
        return answers.status("Statement executed successfully.")
    name, dynamic = names[0], account.objects[names[0]].dynamic
    if re.match(r"(suspend|resume)\s*$", action, re.I):
        dynamic.state = "SUSPENDED" if action.upper().startswith("SUSPEND") else "RUNNING"
    elif renamed := re.match(rf"rename\s+to\s+(?P<new>{NAME})\s*$", action, re.I):
        tables.rename(session, "table", name, split_name(renamed["new"]))
    elif re.match(r"set\b", action, re.I):
        _set(action, name, dynamic, session)
    elif re.match(r"unset\b", action, re.I):
        if re.search(r"(?:immutable|frozen)\s+where", action, re.I):
            dynamic.immutable_where = None
        if re.search(r"initialization_warehouse", action, re.I):
            dynamic.initialization_warehouse = None
    elif (columns := _parenthesised(action, r"cluster\s+by")) is not None:
        dynamic.cluster_by = f"LINEAR({columns})"
    elif re.match(r"drop\s+clustering\s+key", action, re.I):
        dynamic.cluster_by = ""
    else:
        raise errors.syntax(action[:100])
    return answers.status("Statement executed successfully.")


def _set(action: str, name: ObjectName, dynamic: DynamicTable, session: Session) -> None:
    if lag := _option(action, "target_lag"):
        dynamic.target_lag = _target_lag(lag)
    if warehouse := _option(action, "warehouse"):
        dynamic.warehouse = _warehouse(warehouse, session)
    if scheduler := _option(action, "scheduler"):
        dynamic.scheduler = scheduler.upper()
        if dynamic.scheduler == "DISABLE":
            dynamic.target_lag = None
    if warehouse := _option(action, "initialization_warehouse"):
        dynamic.initialization_warehouse = warehouse.upper()
    if condition := _parenthesised(action, r"(?:immutable|frozen)\s+where"):
        dynamic.immutable_where = condition
    if (comment := re.search(r"\bcomment\s*=\s*('(?:[^']|'')*')", action, re.I)) is not None:
        execution.execute(session, f"comment on table {name.sql} is {comment[1]}")


def _refresh(names: list[ObjectName], session: Session) -> Answer:
    """Refresh upstream dynamic tables first, each once, then these.

    "When SCHEDULER = ENABLE, refreshing a dynamic table also refreshes all upstream dynamic tables,
    but the cascade stops at any upstream dynamic table that has SCHEDULER = DISABLE."
    https://docs.snowflake.com/en/sql-reference/sql/alter-dynamic-table
    """
    account = session.account
    order: list[ObjectName] = []

    def add(name: ObjectName) -> None:
        if name in order:
            return
        if account.objects[name].dynamic.scheduler != "DISABLE":
            for upstream in upstream_of(name, session):
                if account.objects[upstream].dynamic.scheduler != "DISABLE":
                    add(upstream)
        order.append(name)

    for name in names:
        add(name)
    for name in order:
        _recompute(session, name)
    return answers.status("Statement executed successfully.")


def upstream_of(name: ObjectName, session: Session) -> list[ObjectName]:
    """The dynamic tables that one reads, directly or through views."""
    return _below(session.account.objects[name].dynamic.reads, session)


def _below(reads: set[ObjectName], session: Session) -> list[ObjectName]:
    """The dynamic tables among some objects, and behind the views among them."""
    objects = session.account.objects
    found: list[ObjectName] = []
    pending = sorted(reads)
    while pending:
        read = pending.pop(0)
        info = objects.get(read)
        if info is None:
            continue
        if info.dynamic is not None:
            if read not in found:
                found.append(read)
        else:
            pending += sorted(info.reads)
    return found


def _recompute(session: Session, name: ObjectName) -> None:
    """Replace the rows in one transaction; the table stays, with its grants and comments."""
    dynamic = session.account.objects[name].dynamic
    known = session.account.warehouses
    if known is not None and dynamic.warehouse not in known:
        raise errors.compilation(
            "Dynamic table could not be refreshed because warehouse is missing.", 2725, "57P03"
        )
    session.begin()
    try:
        execution.execute(session, f"delete from {name.sql}")
        execution.execute(session, f"insert into {name.sql} {dynamic.sql}")
    except errors.SnowflakeError:
        session.rollback()
        raise
    session.commit()
    dynamic.data_at = datetime.datetime.now(datetime.UTC)


def _drop(found: re.Match[str], session: Session) -> Answer:
    name = session.name_of(found["name"])
    info = session.account.objects.get(name)
    if info is None or info.dynamic is None:
        if session.account.exists(name):
            kind = info.kind if info else "TABLE"
            raise errors.compilation(
                f"Object found is of type '{kind}', not specified type 'DYNAMIC_TABLE'.",
                1998,
                "42601",
            )
        if found["exists"]:
            return answers.status("Drop statement executed successfully (already dropped).")
        raise errors.no_such_object("Dynamic table", name)
    execution.execute(session, f"drop table {name.sql}")
    session.account.forget(name)
    return answers.status(f"{name.name} successfully dropped.")
