"""The SQL files of deploy/snowflake, rendered and split as `snow sql` does it, and run."""

import functools
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import jinja2
from emulator.client import Emulator
from snowflake.connector.util_text import split_statements

SQL_DIR = Path(__file__).resolve().parents[2] / "deploy" / "snowflake"
NAME = r"[a-z_][a-z0-9_$]*(?:\.[a-z_][a-z0-9_$]*){0,2}"
# What a caller has to give; everything else has a default in the file.
REQUIRED = {
    "rsa_public_key": "MIIBIjANBgkq",
    "allowed_addresses": "'192.0.2.10/32', '198.51.100.0/24'",
    "alert_email": "somebody@example.com",
    "webhook_secret": "T0/B0/x",
}
# What everybody runs, in this order (deploy/snowflake/README.md).
SET_UP = ("00_roles.sql", "10_database.sql", "20_warehouses.sql", "30_grants.sql")


def statements(text: str, variables: Mapping[str, str]) -> list[str]:
    """The statements that `snow sql -f` sends: split, comments dropped, then `<% %>` rendered."""
    environment = jinja2.Environment(
        variable_start_string="<%",
        variable_end_string="%>",
        block_start_string="<%block",
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    parts = (
        part.strip().rstrip(";")
        for part, _ in split_statements(StringIO(text), remove_comments=True)
    )
    return [environment.from_string(part).render(variables) for part in parts if part]


@functools.cache
def sql_texts() -> dict[str, str]:
    """The text of each file by its name, in the order in which they run."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(SQL_DIR.glob("*.sql"))}


def changed(text: str, old: str, new: str) -> str:
    """The text with a mistake in it, for a test that shows that it is caught."""
    assert old in text
    return text.replace(old, new, 1)


def set_up(emulator: Emulator) -> None:
    """Set an account up as the README says."""
    for name in SET_UP:
        for statement in statements((SQL_DIR / name).read_text(encoding="utf-8"), REQUIRED):
            emulator.execute(statement)


def may_select(emulator: Emulator, role: str, table: str) -> bool:
    """Whether a role holds SELECT on a table, view or dynamic table."""
    rows = emulator.query(f"show grants on table customer_insights.{table}")
    return ("SELECT", role.upper()) in {(row[1], row[5]) for row in rows}


def may_use(emulator: Emulator, role: str, schema: str) -> bool:
    """Whether a role holds USAGE on a schema, without which it reaches nothing in there."""
    rows = emulator.query(f"show grants on schema customer_insights.{schema}")
    return ("USAGE", role.upper()) in {(row[1], row[5]) for row in rows}
