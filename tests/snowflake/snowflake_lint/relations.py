"""What tables and views exist: read from dbt's catalog and manifest, then from each statement."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

Key = tuple[str, str, str]

# https://docs.snowflake.com/en/sql-reference/info-schema/tables, .../columns and .../packages
INFORMATION_SCHEMA = {
    "TABLES": (
        "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "TABLE_OWNER", "TABLE_TYPE", "IS_TRANSIENT",
        "CLUSTERING_KEY", "ROW_COUNT", "BYTES", "RETENTION_TIME", "CREATED", "LAST_ALTERED",
        "LAST_DDL", "LAST_DDL_BY", "AUTO_CLUSTERING_ON", "COMMENT", "IS_TEMPORARY", "IS_ICEBERG",
        "IS_DYNAMIC", "IS_IMMUTABLE", "IS_HYBRID",
    ),
    "PACKAGES": ("PACKAGE_NAME", "VERSION", "LANGUAGE", "RUNTIME_VERSION"),
    "COLUMNS": (
        "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME", "ORDINAL_POSITION",
        "COLUMN_DEFAULT", "IS_NULLABLE", "DATA_TYPE", "CHARACTER_MAXIMUM_LENGTH",
        "CHARACTER_OCTET_LENGTH", "NUMERIC_PRECISION", "NUMERIC_PRECISION_RADIX", "NUMERIC_SCALE",
        "DATETIME_PRECISION", "COLLATION_NAME", "IS_IDENTITY", "COMMENT",
    ),
}  # fmt: skip


@dataclass
class Relation:
    """A table or view: its columns in order, by exact name, with their types."""

    columns: dict[str, str]
    kind: str = "table"
    refresh_mode: str | None = None


@dataclass
class Relations:
    """All relations that are known at one moment, by exact names."""

    known: dict[Key, Relation] = field(default_factory=dict)
    functions: set[str] = field(default_factory=set)

    def find(self, table: exp.Table) -> Relation | None:
        """The relation that a query names; None where it is not known."""
        key = self.key(table)
        if key in self.known:
            return self.known[key]
        if key[1] == "INFORMATION_SCHEMA" and key[2] in INFORMATION_SCHEMA:
            return Relation(dict.fromkeys(INFORMATION_SCHEMA[key[2]], "TEXT"), "view")
        # dbt builds beside a relation, or keeps the one before it, under the name with a suffix.
        plain = re.sub(r"__DBT_(TMP|BACKUP|TEMP).*$", "", key[2], flags=re.IGNORECASE)
        known = self.known.get((*key[:2], plain)) if plain != key[2] else None
        if known and "DBT_SCD_ID" in known.columns:
            # What a snapshot merges from says for each row what to do with it.
            return Relation({**known.columns, "DBT_CHANGE_TYPE": "TEXT"})
        return known

    def key(self, table: exp.Table) -> Key:
        """The exact database, schema and name of a table in a statement.

        A name without a schema is the only relation of that name, or stays without one.
        """
        name, schema, database = (
            _exact(table.args.get(part)) for part in ("this", "db", "catalog")
        )
        if not schema:
            found = [key for key in self.known if key[2] == name]
            return found[0] if len(found) == 1 else ("", "", name)
        if not database:
            found = [key for key in self.known if key[1:] == (schema, name)]
            return found[0] if len(found) == 1 else ("", schema, name)
        return (database, schema, name)

    def is_dynamic(self, table: exp.Table) -> bool:
        """Whether a statement's table is a dynamic table."""
        found = self.known.get(self.key(table))
        return found is not None and found.kind == "dynamic_table"

    def define(self, table: exp.Table, relation: Relation) -> None:
        """Remember a relation that a statement has made."""
        self.known[self.key(table)] = relation

    def forget(self, table: exp.Table) -> None:
        """Forget a relation that a statement has dropped."""
        self.known.pop(self.key(table), None)


def read_relations(
    catalog: Mapping[str, Any] | None, manifest: Mapping[str, Any] | None
) -> Relations:
    """The relations of dbt's catalog.json, with what manifest.json says of their kind."""
    relations = Relations()
    for entry in _entries(catalog, "nodes", "sources"):
        metadata = entry["metadata"]
        key = (metadata["database"] or "", metadata["schema"], metadata["name"])
        columns = sorted(entry["columns"].values(), key=lambda column: column["index"])
        relations.known[key] = Relation(
            {column["name"]: column["type"] for column in columns},
            "view" if "VIEW" in (metadata["type"] or "").upper() else "table",
        )
    for node in _entries(manifest, "nodes"):
        relation = relations.known.get(node_key(node))
        if relation is None:
            continue
        config = node.get("config") or {}
        if config.get("materialized") == "dynamic_table":
            relation.kind = "dynamic_table"
            relation.refresh_mode = str(config.get("refresh_mode") or "AUTO").upper()
        declared = dict(config.get("column_types") or {})
        if (config.get("contract") or {}).get("enforced"):
            declared |= {
                name: column.get("data_type")
                for name, column in (node.get("columns") or {}).items()
            }
        # The catalog says TEXT and no length; what was declared says more.
        for name, data_type in declared.items():
            if data_type and name.upper() in relation.columns:
                relation.columns[name.upper()] = str(data_type).upper()
    for function in _entries(manifest, "functions"):
        relations.functions.add(_function_name(function))
    return relations


def node_key(node: Mapping[str, Any]) -> Key:
    """The exact name of a dbt node's relation: unquoted names are upper case."""
    alias = node.get("alias") or node.get("name") or ""
    return (
        (node.get("database") or "").upper(),
        (node.get("schema") or "").upper(),
        str(alias).upper(),
    )


def _entries(document: Mapping[str, Any] | None, *sections: str) -> list[Mapping[str, Any]]:
    return [entry for name in sections for entry in ((document or {}).get(name) or {}).values()]


def _function_name(function: Mapping[str, Any]) -> str:
    return ".".join(part for part in node_key(function) if part)


def _exact(identifier: exp.Expr | None) -> str:
    if not isinstance(identifier, exp.Identifier):
        return ""
    return identifier.name if identifier.args.get("quoted") else identifier.name.upper()
