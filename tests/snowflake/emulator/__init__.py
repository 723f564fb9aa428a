"""A Snowflake account on this machine, for tests: fakesnow (DuckDB) and what it lacks.

It shows that the statements which dbt and Snowpark send are accepted and wired together. It does
not show that Snowflake returns the same values: the engine is DuckDB, Cortex answers are stubs.

Use it from a test::

    from emulator.client import start_emulator

    with start_emulator(tmp_path) as emulator:
        emulator.execute("create table t (a int)")
        emulator.query("select count(*) from t")          # list of tuples
        emulator.environment()                            # variables for a dbt profile
        emulator.statements()                             # what was received, as dicts

or from a shell, in tests/snowflake: ``python -m emulator --port 0 --log FILE``.

How a statement is answered
---------------------------
`server` speaks Snowflake's HTTP protocol, `account` holds what all sessions share, `session` what
one session owns. `handlers.HANDLERS` is a list of functions::

    def handle(statement: Statement, session: Session) -> Answer | None

Each is asked in turn; the first that does not return None has answered. An addition is one module
with such a function and one line in `handlers.py`. It may use:

- `statement.text`, `statement.body` (no leading comments, no trailing semicolon),
  `statement.starts_with("SHOW", "MODELS")`, `statement.tree` (sqlglot, parsed when asked for);
- `session.run(sql)` -> Answer: another statement of the same session, in Snowflake's SQL;
- `session.account.extras`: a dict for an addition's own state, shared by all sessions;
- `session.name_of("db.schema.name")` -> ObjectName, completed and in the case that Snowflake uses;
- `stages.directory_of(session, "@db.schema.stage/path")` -> Path of the files of a stage;
- `answers.rows({"name": "text", "rows": "fixed"}, [("A", 1)])` and `answers.status("Done.")`;
- `raise errors.SnowflakeError("message", 2003, "42S02")` for a refusal.

`execution.rows_of(session, duckdb_sql)` reads DuckDB itself, for tables that are already named as
DuckDB names them ("DB"."SCHEMA"."NAME").
"""
