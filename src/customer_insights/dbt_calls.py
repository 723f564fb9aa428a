"""Calls of dbt whose answers the program needs, not a person."""

from __future__ import annotations

import os
from typing import Any, cast

import yaml
from dbt.adapters.factory import FACTORY
from dbt.artifacts.resources.types import AccessType
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode
from dbt_common.exceptions import DbtRuntimeError

from customer_insights.errors import CustomerInsightsError
from customer_insights.progress import sentence_of

# The caller shows what counts; dbt's log, tracebacks included, goes to logs/dbt.log. A level that
# dbt's own variable names stays.
QUIET = ["--log-level", "none", "--log-level-file", os.environ.get("DBT_LOG_LEVEL_FILE", "debug")]

# Without files about the whole project: they cost a second, and would replace those of the build.
UNWRITTEN = ["--no-write-json"]


class Dbt:
    """dbt on the target that DBT_TARGET names, the project parsed once."""

    def __init__(self) -> None:
        parsed = dbtRunner().invoke([*UNWRITTEN, "parse", *QUIET])
        if not parsed.success:
            raise CustomerInsightsError(str(parsed.exception))
        self._manifest = cast(Manifest, parsed.result)

    def run(self, *arguments: str) -> tuple[bool, str]:
        """Whether a command succeeded, and what it said last."""
        said: list[str] = []

        def keep(event: Any) -> None:
            if event.info.level != "debug" and event.info.msg.strip():
                said.append(sentence_of(event.info.msg))

        result = dbtRunner(manifest=self._manifest, callbacks=[keep]).invoke([*arguments, *QUIET])
        summary = [line for line in said if line.startswith("Done.")]
        return result.success, " ".join((summary or said or [""])[-1].split())

    def build(self, *options: str) -> tuple[bool, str]:
        """Build everything, but for what the options leave out."""
        return self.run("build", *options)

    def operation(self, macro: str, **arguments: str) -> tuple[bool, str]:
        """Run a macro of the project."""
        return self.run(*UNWRITTEN, "run-operation", macro, "--args", yaml.safe_dump(arguments))

    def account(self) -> str:
        """The Snowflake account of the target, and its address where the profile has one."""
        adapter: Any = next(iter(FACTORY.adapters.values()))
        credentials = adapter.config.credentials
        place = f" at {credentials.host}:{credentials.port}" if credentials.host else ""
        return f"account {credentials.account}{place}"

    def public_tables(self) -> list[str]:
        """The tables with a contract that others may read, by name."""
        return sorted(
            node.name
            for node in self._manifest.nodes.values()
            if isinstance(node, ModelNode) and node.access == AccessType.Public
        )

    def read(self, name: str) -> list[dict[str, Any]]:
        """All rows of a model's table, columns in lower case."""
        return self.query(f"select * from {self.relation(name)}")  # noqa: S608  (our own name)

    def relation(self, name: str) -> str:
        """A model's table as SQL."""
        return str(self._node(name).relation_name)

    def is_built(self, name: str) -> bool:
        """Whether a model's table is in the warehouse."""
        node: Any = self._node(name)
        adapter: Any = next(iter(FACTORY.adapters.values()))
        try:
            with adapter.connection_named("query"):
                found = adapter.get_relation(node.database, node.schema, node.alias)
        except DbtRuntimeError as refused:
            raise CustomerInsightsError(sentence_of(str(refused))) from None
        return found is not None

    def _node(self, name: str) -> Any:
        (node,) = (n for n in self._manifest.nodes.values() if n.name == name)
        return node

    def query(self, sql: str) -> list[dict[str, Any]]:
        """All rows of a query, columns in lower case.

        Through dbt's connection to the target, not `dbt show`, which logs in for each query and
        looks at every value to find its type.

        Raises:
            CustomerInsightsError: the query failed.

        """
        # Any: dbt's protocol of adapters leaves out what those for SQL have.
        adapter: Any = next(iter(FACTORY.adapters.values()))
        try:
            with adapter.connection_named("query"):
                _, cursor = adapter.connections.add_query(sql)
                names = [column[0].lower() for column in cursor.description]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except DbtRuntimeError as refused:
            raise CustomerInsightsError(sentence_of(str(refused))) from None
