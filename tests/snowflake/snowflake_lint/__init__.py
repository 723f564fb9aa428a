"""Lint of what is sent to Snowflake, for what the emulator can not show.

The emulator is DuckDB underneath and accepts what Snowflake refuses. So the SQL that dbt compiled
and sent is read once more here, against lists and rules of Snowflake's documentation:

- `statement` takes a text apart, strictly, in Snowflake's dialect;
- `words` reads tokens (functions, types, intervals, operators, order of nulls);
- `trees` reads the syntax tree (foreign constructs, reserved words, quoted lower-case columns);
- `queries`, `lengths` know which columns exist, with which types (`relations`);
- `dynamic_tables` knows what may not be done to one, or stand in one;
- `python_models` reads procedures, functions and the library that they import;
- `grammar` parses with sqlfluff, a second parser;
- `project` applies all of it to dbt's target folder.

Each rule has its page in the documentation, and a seeded mistake in test_compiled_sql.py.
"""

from .problem import Problem
from .project import lint_project, lint_statements

__all__ = ["Problem", "lint_project", "lint_statements"]
