"""What dbt compiled and sent for Snowflake is SQL and Python that Snowflake takes.

The emulator is DuckDB underneath and takes more. Each rule of the lint is shown a mistake here
that it must find beside a correct twin that it must pass. test_sample_build reads the project.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from snowflake_lint import Problem, lint_project, lint_statements
from snowflake_lint.dynamic_tables import check_chains
from snowflake_lint.project import check_catalog, sentences
from snowflake_lint.python_models import CHANNEL_FILE, PythonLint, channel
from snowflake_lint.reference import functions, reserved_words, snowpark_functions
from snowflake_lint.statement import first_rows

CATALOG = {
    "nodes": {
        "model.shop.visits": {
            "metadata": {
                "database": "DB",
                "schema": "SHOP",
                "name": "VISITS",
                "type": "BASE TABLE",
            },
            "columns": {
                name: {"name": name, "index": index, "type": kind}
                for index, (name, kind) in enumerate(
                    {
                        "VISIT_ID": "TEXT",
                        "STARTED_AT": "TIMESTAMP_NTZ",
                        "VISIT_ON": "DATE",
                        "PAGES": "NUMBER",
                        "SECONDS": "FLOAT",
                        "STATUS": "TEXT",
                        "PLACES": "ARRAY",
                    }.items()
                )
            },
        },
        "model.shop.totals": {
            "metadata": {
                "database": "DB",
                "schema": "SHOP",
                "name": "TOTALS",
                "type": "BASE TABLE",
            },
            "columns": {
                "VISIT_ID": {"name": "VISIT_ID", "index": 1, "type": "TEXT"},
                "PAGES": {"name": "PAGES", "index": 2, "type": "NUMBER"},
            },
        },
    },
    "sources": {},
}
MANIFEST = {
    "nodes": {
        "model.shop.visits": {
            "database": "db",
            "schema": "shop",
            "alias": "visits",
            "config": {"materialized": "incremental", "contract": {"enforced": True}},
            "columns": {"status": {"name": "status", "data_type": "varchar(6)"}},
        },
        "model.shop.totals": {
            "database": "db",
            "schema": "shop",
            "alias": "totals",
            "config": {"materialized": "dynamic_table", "refresh_mode": "FULL"},
        },
    },
}

# rule, the mistake, the same written as Snowflake takes it
SEEDED = [
    (
        "function",
        "select epoch(started_at) from visits",
        "select date_part(epoch_second, started_at) from visits",
    ),
    (
        "function",
        "select strftime(started_at, '%Y') from visits",
        "select to_char(started_at, 'YYYY') from visits",
    ),
    (
        "function",
        "select arg_max(visit_id, pages) from visits",
        "select max_by(visit_id, pages) from visits",
    ),
    (
        "function",
        "select list_aggregate(places, 'sum') from visits",
        "select array_size(places) from visits",
    ),
    (
        "function",
        "select quantile_cont(seconds, 0.5) from visits",
        "select percentile_cont(0.5) within group (order by seconds) from visits",
    ),
    (
        "function",
        "select date_diff('day', visit_on, visit_on) from visits",
        "select datediff(day, visit_on, visit_on) from visits",
    ),
    ("function", "select to_visits(pages) from visits", "select to_double(pages) from visits"),
    (
        "function",
        "select db.shop.rate(pages) from visits",
        "create function db.shop.rate(n float) returns float as 'n / 2'; select "
        "db.shop.rate(pages) from visits",
    ),
    (
        "function",
        "select snowflake.cortex.mood(status) from visits",
        "select snowflake.cortex.sentiment(status) from visits",
    ),
    (
        "function",
        "select if(pages > 1, 1, 0) from visits",
        "select iff(pages > 1, 1, 0) from visits",
    ),
    (
        "type",
        "select cast(pages as hugeint) from visits",
        "select cast(pages as number(38, 0)) from visits",
    ),
    ("type", "select pages::ubigint from visits", "select pages::bigint from visits"),
    ("type", "create table t (a hugeint, b blob)", "create table t (a number(38, 0), b binary)"),
    ("type", "alter table visits add column a blob", "alter table visits add column a binary"),
    (
        "interval",
        "select visit_on + interval 1 day from visits",
        "select visit_on + interval '1 day' from visits",
    ),
    (
        "interval",
        "select visit_on - interval (pages) day from visits",
        "select dateadd(day, -pages, visit_on) from visits",
    ),
    (
        "timestamp",
        "select started_at + 1 from visits",
        "select visit_on + 1, dateadd(day, 1, started_at) from visits",
    ),
    (
        "division",
        "select pages / 3 from visits",
        "select cast(pages as double) / 3, pages / 2, seconds / 3 from visits",
    ),
    ("division", "select pages / 86400.0 from visits", "select seconds / 86400.0 from visits"),
    (
        "null_order",
        "select visit_id from visits order by pages desc",
        "select visit_id from visits order by pages desc nulls last",
    ),
    (
        "window",
        "select row_number() over (partition by visit_id) from visits",
        "select row_number() over (partition by visit_id order by started_at) from visits",
    ),
    (
        "operator",
        "select pages // 2 from visits\n",
        "select floor(pages / 2) from visits -- http://x",
    ),
    ("operator", "select pages ^ 2 from visits", "select power(pages, 2) from visits"),
    (
        "operator",
        "select visit_id from visits where pages == 1",
        "select visit_id from visits where pages = 1",
    ),
    ("from_first", "from visits select visit_id", "select visit_id from visits"),
    (
        "construct",
        "select count(*) filter (where pages > 1) from visits",
        "select count_if(pages > 1) from visits",
    ),
    (
        "construct",
        "select [p for p in places] from visits",
        "select transform(places, p -> p) from visits",
    ),
    (
        "construct",
        "select v.visit_id from visits as v semi join totals as t on v.visit_id = t.visit_id",
        "select v.visit_id from visits as v where exists (select 1 from totals as t where "
        "v.visit_id = t.visit_id)",
    ),
    ("construct", "select coalesce(pages) from visits", "select coalesce(pages, 0) from visits"),
    ("parse", "select visit_id frm visits where", "select visit_id from visits"),
    (
        "parse",
        "select visit_id, from visits group having",
        "select visit_id from visits group by visit_id",
    ),
    ("command", "alter dynamic table totals rebuild", "alter dynamic table totals refresh"),
    ("command", "install httpfs", "show objects in schema db.shop"),
    ("reserved", "select pages as increment from visits", "select pages as increase from visits"),
    ("reserved", "create table t (start date)", "create table t (started date)"),
    ("column", "select visit_day from visits", "select visit_on from visits"),
    ("column", 'select "visit_id" from visits', 'select "VISIT_ID" from visits'),
    (
        "column",
        "with v as (select visit_id from visits) select v.pages from v",
        "with v as (select visit_id, pages from visits) select v.pages from v",
    ),
    (
        "column",
        "insert into visits (visit_key) select visit_id from visits",
        "insert into visits (visit_id) select visit_id from visits",
    ),
    ("column", "delete from visits where visited", "delete from visits where pages = 0"),
    (
        "column",
        "merge into visits as d using totals as s on d.visit_id = s.visit_key when matched "
        "then update set pages = s.pages",
        "merge into visits as d using totals as s on d.visit_id = s.visit_id when matched "
        "then update set pages = s.pages",
    ),
    ("relation", "select 1 from vists", "create table vists as select 1 as n; select n from vists"),
    (
        "quoted",
        'create table t as select visit_id as "visit_id" from visits',
        "create table t as select visit_id from visits",
    ),
    (
        "quoted",
        'create view v ("visit") as select visit_id from visits',
        "create view v (visit) as select visit_id from visits",
    ),
    (
        "length",
        "select cast('returned' as varchar(6)) as status",
        "select cast('return' as varchar(6)) as status",
    ),
    (
        "length",
        "insert into visits (visit_id, status) values ('v', 'returned')",
        "insert into visits (visit_id, status) values ('v', 'return')",
    ),
    (
        "length",
        "insert into visits (status) select case when pages > 1 then 'browsed' else 'left' "
        "end from visits",
        "insert into visits (status) select case when pages > 1 then 'read' else 'left' "
        "end from visits",
    ),
    (
        "length",
        "create table t as select case when pages > 1 then 'read' end as s from visits; "
        "insert into t select 'unread'",
        "create table t as select cast('read' as varchar) as s from visits; insert into t "
        "select 'unread'",
    ),
    (
        "length",
        "create table t (s varchar(3)) as (select 'read' as s)",
        "create table t (s varchar(4)) as (select 'read' as s)",
    ),
    (
        "dynamic_table_dml",
        "delete from totals where pages = 0",
        "delete from visits where pages = 0",
    ),
    (
        "dynamic_table_dml",
        "insert into totals select visit_id, pages from visits",
        "insert into visits (visit_id) select visit_id from totals",
    ),
    ("dynamic_table_dml", "update totals set pages = 0", "update visits set pages = 0"),
    (
        "dynamic_table_dml",
        "merge into totals as d using visits as s on d.visit_id = s.visit_id when matched "
        "then update set pages = s.pages",
        "merge into visits as d using totals as s on d.visit_id = s.visit_id when matched "
        "then update set pages = s.pages",
    ),
    ("dynamic_table_dml", "truncate table totals", "truncate table visits"),
    (
        "dynamic_table_dml",
        "create or replace transient table totals as (select 1 as pages)",
        "create or replace dynamic table totals warehouse = wh refresh_mode = FULL as "
        "(select 1 as pages)",
    ),
]

# A query that a dynamic table of a refresh mode may not have; a mode, and a query that it may.
DYNAMIC = [
    (
        "FULL",
        "select current_timestamp() as n from visits",
        "FULL",
        "select visit_on as n from visits where visit_on < current_date()",
    ),
    (
        "AUTO",
        "select any_value(pages) as n from visits",
        "AUTO",
        "select max(pages) as n from visits",
    ),
    (
        "INCREMENTAL",
        "select visit_id from visits limit 1",
        "FULL",
        "select visit_id from visits limit 1",
    ),
    (
        "INCREMENTAL",
        "select visit_id from visits where visit_id in (select visit_id from visits)",
        "INCREMENTAL",
        "select a.visit_id from visits as a inner join (select visit_id from visits) as b "
        "on a.visit_id = b.visit_id",
    ),
    (
        "INCREMENTAL",
        "select visit_id, (select max(pages) from visits) as n from visits",
        "INCREMENTAL",
        "select visit_id, max(pages) over (partition by status) as n from visits",
    ),
    (
        "INCREMENTAL",
        "select a.visit_id from visits as a left join visits as b on a.pages > b.pages",
        "INCREMENTAL",
        "select a.visit_id from visits as a left join visits as b on a.pages = b.pages and "
        "a.visit_id = b.visit_id",
    ),
    (
        "INCREMENTAL",
        "select visit_id from visits except select status from visits",
        "INCREMENTAL",
        "select visit_id from visits union all select status from visits",
    ),
    (
        "INCREMENTAL",
        "select uuid_string() as n from visits",
        "AUTO",
        "select uuid_string() as n from visits",
    ),
    ("INCREMENTAL", "select visit_id from totals", "FULL", "select visit_id from totals"),
]

PROCEDURE = """with p as procedure ()
returns string
language python
runtime_version = '{runtime}'
packages = ({packages})
{imports}
handler = 'main'
execute as caller
as
$$
{code}
$$
call p();"""


def lint(text: str, *, with_sqlfluff: bool = False) -> list[Problem]:
    """Problems of some statements, separated by `; `, beside the small catalog."""
    statements = [text] if "$$" in text else text.split("; ")
    return lint_statements(statements, CATALOG, MANIFEST, with_sqlfluff=with_sqlfluff)


def lint_procedure(
    code: str,
    packages: str = "'snowflake-snowpark-python'",
    imports: str = "",
    runtime: str = "3.11",
) -> list[Problem]:
    """Problems of an anonymous procedure, as dbt-snowflake sends it."""
    return lint(PROCEDURE.format(code=code, packages=packages, imports=imports, runtime=runtime))


@pytest.mark.parametrize(("rule", "mistake", "correct"), SEEDED)
def test_a_seeded_mistake_is_found_and_its_correct_twin_passes(
    rule: str, mistake: str, correct: str
) -> None:
    found = lint(mistake)
    assert rule in {problem.rule for problem in found}, sentences(found)
    assert all("docs.snowflake.com" in problem.page for problem in found)
    assert lint(correct) == []


@pytest.mark.parametrize(("mode", "refused", "other_mode", "accepted"), DYNAMIC)
def test_a_query_that_no_dynamic_table_of_its_mode_can_have_is_found(
    mode: str, refused: str, other_mode: str, accepted: str
) -> None:
    create = "create dynamic table d warehouse = wh refresh_mode = {} as ({})"
    found = lint(create.format(mode, refused))
    assert [problem.rule for problem in found] == ["dynamic_table"], sentences(found)
    assert lint(create.format(other_mode, accepted)) == []


def test_a_problem_names_place_line_and_reason() -> None:
    (problem,) = lint_statements(["select 1 as n", "select\n    1 as a,\n    epoch(2) as b"])
    assert (problem.where, problem.line, problem.rule) == ("statement 2", 3, "function")
    assert "epoch" in str(problem)
    assert "functions-all" in str(problem)


def test_a_function_that_the_parser_would_translate_is_found_in_the_text() -> None:
    # sqlglot reads arg_max as MAX_BY, which Snowflake has: the tree is innocent.
    found = lint("select arg_max(visit_id, pages) from visits")
    assert [problem.rule for problem in found] == ["function"]


@pytest.mark.parametrize(
    "statement",
    [
        "list @db.shop.code/customer_insights_0a1b.zip",
        "alter table visits alter VISIT_ID COMMENT $$Key, of a row$$ , PAGES COMMENT $$n$$",
        "comment on view db.shop.visits is $$It's a view$$",
        "show objects in db.shop limit 10000",
        "create scoped temporary stage if not exists db.shop.SNOWPARK_TEMP_STAGE_A1",
        "create temporary stage identifier('DB.SHOP.S') file_format = (type = parquet)",
        "select column_name from table(infer_schema(location => '@s', file_format => 'f'))",
        "create model db.shop.churn with version V1 from @db.shop.s/model",
        "alter model db.shop.churn modify version V1 set comment = $$Better$$",
        "alter model db.shop.churn set default_version = V1",
        "show functions in model db.shop.churn version V1",
        "select version from information_schema.packages where language = 'python'",
        "select $1, $2 from @db.shop.code/visits.csv",
        "select f.value from visits, lateral flatten(input => visits.places) as f",
        "select query_id, start_time from snowflake.account_usage.query_history",
        "select table_name from db.information_schema.tables where table_schema = 'SHOP'",
        "-- from dbt\nmerge into visits as d using (select * from totals) as s "
        "on d.visit_id = s.visit_id when matched then update set pages = s.pages "
        "when not matched then insert (visit_id, pages) values (visit_id, pages)",
        "select * from visits qualify row_number() over (partition by pages order by visit_id) = 1",
        "select visit_on - 1, visit_on - visit_on, pages % 2, status || null from visits",
        "select greatest(pages, 1), places[0]::varchar, to_json(object_construct('a', pages)) "
        "from visits group by all having max(pages) > 1",
    ],
)  # fmt: skip
def test_what_dbt_and_snowpark_send_passes(statement: str) -> None:
    assert lint_statements([statement], CATALOG, MANIFEST, with_sqlfluff=False) == []


def test_words_in_texts_and_comments_are_not_read_as_sql() -> None:
    assert lint("select 'epoch(1) // interval 1 day' as a -- strftime(1) ^ hugeint\n") == []


def test_what_one_statement_makes_exists_for_the_next() -> None:
    steps = [
        "create or replace temporary table visits__dbt_tmp as (select visit_id from visits)",
        "select visit_id from visits__dbt_tmp",
        "drop table visits__dbt_tmp",
    ]
    assert lint_statements(steps, CATALOG, MANIFEST, with_sqlfluff=False) == []
    after = [*steps, "create view v as select nothing from visits"]
    found = lint_statements(after, CATALOG, MANIFEST, with_sqlfluff=False)
    assert [problem.where for problem in found] == ["statement 4"]


def test_sqlfluff_finds_what_sqlglot_parses() -> None:
    # sqlglot takes any word for a join hint here; sqlfluff knows the grammar.
    mistake = "select a.n from (select 1 as n) as a gather join (select 1 as n) as b on a.n = b.n"
    correct = mistake.replace("gather join", "inner join")
    assert "sqlfluff" in {problem.rule for problem in lint(mistake, with_sqlfluff=True)}
    assert lint(correct, with_sqlfluff=True) == []


def test_sqlfluff_finds_a_comparison_with_null() -> None:
    found = lint("select visit_id from visits where pages = null", with_sqlfluff=True)
    assert [problem.rule for problem in found] == ["sqlfluff"]
    assert lint("select visit_id from visits where pages is null", with_sqlfluff=True) == []


def test_sqlfluff_reads_many_texts_in_several_processes() -> None:
    statements = [
        f"select visit_id as c{'_'.join('x' * n)} from visits where pages > {n}"
        for n in range(1, 9)
    ]
    statements += [f"select {', '.join(['visit_id'] * n)} from visits" for n in range(1, 6)]
    statements += ["select visit_id from visits where status = null"]
    found = lint_statements(statements, CATALOG, MANIFEST)
    assert [(problem.rule, problem.where) for problem in found] == [
        ("sqlfluff", f"statement {len(statements)}")
    ]


def test_a_lower_case_name_in_the_catalog_is_found() -> None:
    assert list(check_catalog(CATALOG)) == []
    entry = json.loads(json.dumps(CATALOG))
    columns = entry["nodes"]["model.shop.visits"]["columns"]
    columns["visit_id"] = columns.pop("VISIT_ID")
    (problem,) = check_catalog(entry)
    assert "`visit_id` is not upper case" in problem.message


@pytest.mark.parametrize(
    ("rule", "mistake", "correct"),
    [
        (
            "package",
            {"packages": "'snowflake-snowpark-python', 'polars-of-ours'"},
            {"packages": "'snowflake-snowpark-python', 'numpy'"},
        ),
        (
            "package",
            {"packages": "'snowflake-snowpark-python', 'numpy==0.1'"},
            {"packages": "'snowflake-snowpark-python', 'numpy>=1.20'"},
        ),
        ("runtime", {"runtime": "3.6"}, {"runtime": "3.12"}),
        (
            "import",
            {"code": "import numpy"},
            {"code": "import numpy", "packages": "'snowflake-snowpark-python', 'numpy'"},
        ),
        (
            "import",
            {"code": "def main(session):\n    import duckdb"},
            {"code": "def main(session):\n    import json"},
        ),
        (
            "import",
            {"code": "from sklearn.metrics import f1_score"},
            {
                "code": "from sklearn.metrics import f1_score",
                "packages": "'snowflake-snowpark-python', 'scikit-learn'",
            },
        ),
        (
            "import",
            {"code": "import customer_insights.errors"},
            {
                "code": "import customer_insights.errors",
                "imports": "imports = ('@code/customer_insights.zip')",
            },
        ),
        (
            "import",
            {"code": "from importlib.metadata import version\nversion('customer-insights')"},
            {
                "code": "from importlib.metadata import version\nversion('numpy')",
                "packages": "'snowflake-snowpark-python', 'numpy'",
            },
        ),
        (
            "snowpark",
            {"code": "from snowflake.snowpark import functions as F\nF.strftime"},
            {"code": "from snowflake.snowpark import functions as F\nF.to_char"},
        ),
        (
            "snowpark",
            {"code": "from snowflake.snowpark.functions import epoch"},
            {"code": "from snowflake.snowpark.functions import col, call_function"},
        ),
        (
            "python",
            {"code": "def main(session)\n    pass"},
            {"code": "def main(session):\n    pass"},
        ),
    ],
)
def test_a_seeded_mistake_in_python_is_found_and_its_correct_twin_passes(
    rule: str, mistake: dict[str, str], correct: dict[str, str]
) -> None:
    found = lint_procedure(**{"code": "", **mistake})
    assert rule in {problem.rule for problem in found}, sentences(found)
    assert lint_procedure(**{"code": "", **correct}) == []


def test_a_function_whose_handler_lies_in_the_library_is_followed_there() -> None:
    create = (
        "create or replace temporary function score(a float) returns float language python "
        "runtime_version = '3.11' packages = ({}) imports = ({}) "
        "handler = 'customer_insights.model.score'"
    )
    zipped = "'@code/customer_insights_1.zip'"
    packages = "'numpy', 'pyarrow', 'xgboost', 'scikit-learn'"
    assert lint(create.format(packages, zipped)) == []
    (problem,) = lint(create.format(packages, "'@code/other.zip'"))
    assert "no file of `imports` is the zip of customer_insights" in problem.message
    undeclared = {problem.message for problem in lint(create.format("'numpy'", zipped))}
    assert any("xgboost" in message for message in undeclared)


def test_a_package_that_only_the_library_imports_must_be_declared_too(tmp_path: Path) -> None:
    library = tmp_path / "src" / "customer_insights"
    library.mkdir(parents=True)
    (library / "__init__.py").write_text("")
    (library / "scores.py").write_text("from customer_insights.numbers import mean\n")
    (library / "numbers.py").write_text(
        "import numpy\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import pandas\n"
        "try:\n    import scipy\nexcept ImportError:\n    scipy = None\n"
        "def local():\n    import duckdb\n    return duckdb\n"
    )

    def problems(packages: list[str]) -> list[Problem]:
        lint = PythonLint(
            "model.py", packages, ["@s/customer_insights.zip"], "3.11", tmp_path / "src"
        )
        return list(lint.check("from customer_insights.scores import mean\n"))

    (problem,) = problems(["snowflake-snowpark-python"])
    assert (problem.where, problem.line) == ("src/customer_insights/numbers.py", 1)
    assert "numpy" in problem.message
    assert problems(["snowflake-snowpark-python", "numpy"]) == []


def test_the_lists_are_dated_and_name_their_pages() -> None:
    assert set(channel()) >= {"as_of", "source", "python", "packages"}
    assert json.loads(CHANNEL_FILE.read_text())["source"].startswith("https://docs.snowflake.com/")
    assert len(functions()) > 500
    assert all(page.startswith("https://docs.snowflake.com/") for page in functions().values())
    # Names that DuckDB has and Snowflake has not must never find their way in.
    foreign = {
        "EPOCH",
        "STRFTIME",
        "ARG_MAX",
        "LIST",
        "LIST_AGGREGATE",
        "QUANTILE_CONT",
        "DATE_DIFF",
        "IF",
    }
    assert not foreign & set(functions())
    assert {"WINDOW", "INCREMENT", "QUALIFY"} <= set(reserved_words())
    assert {"col", "lit", "iff", "call_function"} <= snowpark_functions()


def test_a_target_folder_is_read_whole_and_each_problem_said_once(tmp_path: Path) -> None:
    compiled, run = tmp_path / "compiled" / "shop", tmp_path / "run" / "shop"
    python = compiled / "scores.py"
    files = {
        compiled / "rates.sql": "select epoch(started_at) as e\nfrom db.shop.visits",
        run / "rates.sql": "create view db.shop.rates as (\nselect epoch(started_at) as e\n"
        "from db.shop.visits)",
        run / "hooks.sql": "delete from db.shop.totals",
        compiled / "totals.sql": "select visit_id, pages from db.shop.visits limit 5",
        python: "import scipy\n",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    manifest = json.loads(json.dumps(MANIFEST))
    totals = manifest["nodes"]["model.shop.totals"]
    totals["compiled_path"] = "anywhere/compiled/shop/totals.sql"
    totals["config"]["refresh_mode"] = "INCREMENTAL"
    manifest["nodes"]["model.shop.scores"] = {
        "language": "python",
        "name": "scores",
        "compiled_path": "anywhere/compiled/shop/scores.py",
        "config": {"packages": ["numpy"]},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert [problem.rule for problem in lint_project(tmp_path)] == ["catalog"]

    (tmp_path / "catalog.json").write_text(json.dumps(CATALOG))
    found = [(problem.where, problem.line, problem.rule) for problem in lint_project(tmp_path)]
    assert found == [
        ("compiled/shop/rates.sql", 1, "function"),
        ("compiled/shop/scores.py", 1, "import"),
        ("compiled/shop/totals.sql", 1, "dynamic_table"),
        ("run/shop/hooks.sql", 1, "dynamic_table_dml"),
    ]

    files[compiled / "rates.sql"] = "select date_part(epoch_second, started_at) as e from visits"
    files[run / "rates.sql"] = f"create view rates as ({files[compiled / 'rates.sql']})"
    files[run / "hooks.sql"] = "delete from db.shop.visits"
    files[compiled / "totals.sql"] = "select visit_id, pages from db.shop.visits"
    files[python] = "import numpy\n"
    for path, text in files.items():
        path.write_text(text)
    assert lint_project(tmp_path) == []


def test_of_many_rows_that_are_inserted_the_first_are_read() -> None:
    row = "('it''s (1', 'a\\'b')"
    text = f"insert into visits (visit_id, status) values {', '.join([row] * 500)}"
    short = first_rows(text)
    assert short.endswith(row)
    assert short.count(row) == 100
    assert lint(text) == []
    assert first_rows("select 1") == "select 1"
    assert "column" in {problem.rule for problem in lint(text.replace("status", "state"))}


@pytest.mark.parametrize(("middle", "is_refused"), [("view", True), ("dynamic_table", False)])
def test_a_dynamic_table_over_a_view_over_one_is_refused(middle: str, is_refused: bool) -> None:
    def node(materialized: str, *parents: str) -> dict[str, Any]:
        return {"config": {"materialized": materialized}, "depends_on": {"nodes": list(parents)}}

    nodes = {
        "model.checked": node("dynamic_table"),
        "model.staged": node(middle, "model.checked"),
        "model.features": node("dynamic_table", "model.staged"),
    }
    found = list(check_chains({"nodes": nodes}))
    assert [problem.where for problem in found] == (["model.features"] if is_refused else [])
