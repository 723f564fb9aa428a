"""The set-up in deploy/snowflake bounds what warehouses cost, and grants what is listed here.

That Snowflake takes the statements is the matter of test_deployment_files; here is what they say.
"""

import functools
import re
from collections.abc import Iterator, Mapping

import pytest
from deployment_files import NAME, REQUIRED, changed, sql_texts, statements

PREFIX = "customer_insights_"
DATABASE = "customer_insights"
OWNER, TRANSFORMER, READER = (PREFIX + name for name in ("owner", "transformer", "reader"))
PUBLIC = ("insights", "insights_sample")

# --- warehouses ---

# A warehouse that wakes is billed for a minute, and idles no longer than that. 0 is never
# (https://docs.snowflake.com/en/user-guide/warehouses-considerations#automating-warehouse-suspension).
MOST_IDLE_SECONDS = 60
# docs/snowflake.md, "What it costs". 0 is Snowflake's maximum, a week
# (https://docs.snowflake.com/en/sql-reference/parameters#statement-timeout-in-seconds).
MOST_STATEMENT_SECONDS = {"transforming": 3600, "training": 14400}
# What a monitor does at which percentage of its quota.
TRIGGERS = {"notify": 75, "suspend": 95, "suspend_immediate": 110}

PROPERTY = re.compile(r"(\w+) = ('[^']*'|[\w.]+)")


@functools.cache
def flat(text: str) -> tuple[str, ...]:
    """Each statement of a file on one line."""
    return tuple(" ".join(statement.split()) for statement in statements(text, REQUIRED))


def flat_statements(texts: Mapping[str, str]) -> list[str]:
    """Each statement of all files, in the order in which they run."""
    return [statement for text in texts.values() for statement in flat(text)]


def properties(text: str) -> dict[str, str]:
    return {name: value.strip("'") for name, value in PROPERTY.findall(text)}


def warehouse_problems(texts: Mapping[str, str]) -> list[str]:
    """A sentence for each way in which a warehouse could cost more than it is to."""
    made: dict[str, dict[str, str]] = {}
    kept: dict[str, dict[str, str]] = {}
    monitors: dict[str, dict[str, int]] = {}
    for statement in flat_statements(texts):
        if found := re.match(rf"create warehouse if not exists ({NAME}) (.*)", statement):
            made[found[1]] = properties(found[2])
        elif found := re.match(rf"alter warehouse ({NAME}) set (.*)", statement):
            kept.setdefault(found[1], {}).update(properties(found[2]))
        elif found := re.match(rf"alter resource monitor ({NAME}) set (.*)", statement):
            triggers = re.findall(r"on (\d+) percent do (\w+)", found[2])
            monitors[found[1]] = {deed: int(percent) for percent, deed in triggers}
    problems = [
        f"warehouses are {sorted(names)}"
        for names in (made, kept)
        if set(names) != set(MOST_STATEMENT_SECONDS)
    ]
    for name, now in sorted(kept.items()):
        first = made.get(name, {})
        # A warehouse that is there is only altered: what it is to be has to stand there.
        if not 1 <= int(now.get("auto_suspend", 0)) <= MOST_IDLE_SECONDS:
            problems.append(f"{name} does not suspend after {MOST_IDLE_SECONDS} s")
        if now.get("auto_resume") != "true":
            problems.append(f"{name} does not wake by itself")
        seconds = int(now.get("statement_timeout_in_seconds", 0))
        if not 1 <= seconds <= MOST_STATEMENT_SECONDS.get(name, 0):
            problems.append(f"a statement in {name} may run for {seconds or 'any number of'} s")
        if first.get("initially_suspended") != "true":
            problems.append(f"{name} runs from when it is made")
        problems += [
            f"{name} is made with {key} = {value} and brought to {now[key]}"
            for key, value in first.items()
            if key in now and now[key] != value
        ]
        monitor = now.get("resource_monitor", "")
        if monitor != PREFIX + name:
            problems.append(f"{name} has no monitor of its own")
        if monitors.get(monitor) != TRIGGERS:
            problems.append(f"the monitor of {name} does {monitors.get(monitor)}")
    if made.get("training", {}).get("warehouse_type") != "SNOWPARK-OPTIMIZED":
        problems.append("training is not Snowpark-optimised")
    if kept.get("training", {}).get("max_concurrency_level") != "1":
        problems.append("training shares its memory among procedures")
    return problems


def test_what_warehouses_cost_is_bounded() -> None:
    assert warehouse_problems(sql_texts()) == []


# The second statement of a warehouse, `alter`, has the last word.
ALTER = "alter warehouse {} set\n    {}"
TRANSFORMING = ALTER.format("transforming", "warehouse_size = 'XSMALL'\n")
AFTER_MONITORS = ";\n\nuse role sysadmin"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (f"{TRANSFORMING}    auto_suspend = 60\n", TRANSFORMING, "transforming does not suspend"),
        (
            f"{TRANSFORMING}    auto_suspend = 60\n",
            f"{TRANSFORMING}    auto_suspend = 0\n",
            "transforming does not suspend",
        ),
        ("auto_suspend = 60", "auto_suspend = 0", "transforming is made with auto_suspend = 0"),
        (
            f"{TRANSFORMING}    auto_suspend = 60\n",
            f"{TRANSFORMING}    auto_suspend = 600\n",
            "transforming does not suspend",
        ),
        (
            "alter warehouse training set resource_monitor = customer_insights_training;",
            "",
            "training has no monitor",
        ),
        (
            "training set resource_monitor = customer_insights_training",
            "training set resource_monitor = customer_insights_transforming",
            "training has no monitor of its own",
        ),
        ("    warehouse_type = 'SNOWPARK-OPTIMIZED'\n", "", "training is not Snowpark-optimised"),
        ("        on 95 percent do suspend\n", "", "the monitor of transforming"),
        (
            f"\n        on 110 percent do suspend_immediate{AFTER_MONITORS}",
            AFTER_MONITORS,
            "the monitor of training",
        ),
        ("    statement_timeout_in_seconds = 3600", "", "a statement in transforming"),
        ("    statement_timeout_in_seconds = 14400", "", "a statement in training"),
        ("statement_timeout_in_seconds = 3600", "statement_timeout_in_seconds = 0", "a statement"),
        ("    max_concurrency_level = 1\n", "", "training shares its memory"),
        ("initially_suspended = true", "initially_suspended = false", "transforming runs from"),
    ],
)
def test_a_warehouse_that_could_cost_more_is_caught(old: str, new: str, problem: str) -> None:
    texts = dict(sql_texts())
    texts["20_warehouses.sql"] = changed(texts["20_warehouses.sql"], old, new)
    assert any(said.startswith(problem) for said in warehouse_problems(texts))


# --- rights ---

SYSTEM_ROLES = {
    *("accountadmin", "globalorgadmin", "orgadmin", "securityadmin", "sysadmin", "useradmin"),
}
# What dbt makes in a schema that people read; the schema is the owner's, so dbt can not drop it.
BUILT_IN_PUBLIC = {
    *("usage", "create table", "create view", "create dynamic table"),
    "create function",  # scoring as a vectorised function
    "create stage",  # the temporary stages of Snowpark and of the registry
    "create model",  # versions in the registry
    "create procedure",  # get_product_recommendations
}
READ_IN_PUBLIC = {
    "usage",
    *(f"select on {which} {kind}" for which in ("all", "future") for kind in (
        "tables", "views", "dynamic tables",
    )),
    *("usage on all procedures", "usage on future procedures"),
}  # fmt: skip

# What each role holds, by what it holds it on: all of it, and nothing besides.
GRANTED: dict[str, dict[str, set[str]]] = {
    OWNER: {
        f"database {DATABASE}": {"ownership"},
        # Who sets up can do what the others do.
        f"role {TRANSFORMER}": {"member"},
        f"role {READER}": {"member"},
        # What it cost: credits, and the queries that they went to.
        "database role snowflake.usage_viewer": {"member"},
        "database role snowflake.governance_viewer": {"member"},
    },
    TRANSFORMER: {
        "warehouse transforming": {"usage"},
        "warehouse training": {"usage"},
        # The schemas of private tables are made by dbt.
        f"database {DATABASE}": {"usage", "create schema"},
        **{f"schema {DATABASE}.{name}": BUILT_IN_PUBLIC for name in PUBLIC},
        # It loads files, and reads what another pipeline made.
        f"schema {DATABASE}.raw": {
            *("usage", "create table", "create stage", "create file format"),
            *(right for right in READ_IN_PUBLIC if right.startswith("select ")),
        },
        # The schedule: the dbt project, its tasks, the log of builds and what writes it.
        f"schema {DATABASE}.deployment": {
            *("usage", "create task", "create dbt project", "create table", "create procedure"),
        },
        # Builds read the library, the deploy step writes it.
        f"stage {DATABASE}.deployment.library": {"read", "write"},
        f"stage {DATABASE}.deployment.uploads": {"read", "write"},
        "account": {"execute task", "use ai functions"},
        # Cortex; the narrower of the two roles that serve.
        "database role snowflake.ai_functions_user": {"member"},
        # Optional: mails, and posts to a chat with the secret of its address.
        "integration customer_insights_alerts": {"usage"},
        "integration customer_insights_alert_webhook": {"usage"},
        f"secret {DATABASE}.deployment.alert_webhook_secret": {"read"},
    },
    READER: {
        f"database {DATABASE}": {"usage"},
        **{f"schema {DATABASE}.{name}": READ_IN_PUBLIC for name in PUBLIC},
    },
    # An administrator reaches what is ours; a scheduler outside Snowflake builds and does no more.
    "sysadmin": {f"role {OWNER}": {"member"}},
    f"user {PREFIX}service": {f"role {TRANSFORMER}": {"member"}},
}
# What is made as a role of ours belongs to it. Only the schedule is not the owner's: a task that
# runs a dbt project is best owned by the role of its profile
# (https://docs.snowflake.com/en/user-guide/data-engineering/dbt-projects-on-snowflake-access-control).
MADE_AS: dict[str, set[str]] = {
    OWNER: {
        *(f"schema {DATABASE}.{name}" for name in ("raw", "deployment", *PUBLIC)),
        *(f"stage {DATABASE}.deployment.{name}" for name in ("library", "uploads")),
        f"network rule {DATABASE}.deployment.service_addresses",
    },
    TRANSFORMER: {
        f"table {DATABASE}.deployment.builds",
        f"procedure {DATABASE}.deployment.record_build",
        f"task {DATABASE}.deployment.build_customer_insights",
        f"task {DATABASE}.deployment.record_customer_insights",
    },
}

MEMBER = re.compile(rf"grant ((?:database )?role {NAME}) to (role|user) ({NAME})")
ON = re.compile(
    rf"grant (?P<rights>[a-z, ]+?)(?P<those> on (?:all|future) [a-z ]+(?= in schema))?"
    rf" (?:on|in) (?P<object>account|[a-z ]+ {NAME}) to role (?P<role>{NAME})"
    r"(?: copy current grants)?"
)
MADE = re.compile(
    r"create (?:or replace )?"
    r"(network (?:rule|policy)|notification integration|resource monitor|[a-z]+)"
    rf" (?:if not exists )?({NAME})\b"
)


def rights(texts: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Role or user, what it holds a right on, and the right, for each right that a file grants."""
    for statement in flat_statements(texts):
        if not statement.startswith("grant "):
            continue
        if member := MEMBER.fullmatch(statement):
            yield member[3] if member[2] == "role" else f"user {member[3]}", member[1], "member"
            continue
        granted = ON.fullmatch(statement)
        assert granted, statement
        for right in granted["rights"].split(", "):
            yield granted["role"], granted["object"], right + (granted["those"] or "")


def made_as(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The role that makes each object, and the object."""
    role = ""
    for statement in flat_statements(texts):
        if used := re.fullmatch(rf"use role ({NAME})", statement):
            role = used[1]
        elif new := MADE.match(statement):
            yield role, f"{new[1]} {new[2]}"


def right_problems(texts: Mapping[str, str]) -> list[str]:
    """A sentence for each right that is granted and not listed, or listed and not granted."""
    found = set(rights(texts))
    listed = {
        (role, held, right)
        for role, objects in GRANTED.items()
        for held, those in objects.items()
        for right in those
    }
    owned = {(role, name) for role, name in made_as(texts) if role.startswith(PREFIX)}
    expected = {(role, name) for role, names in MADE_AS.items() for name in names}
    said = [
        *(f"{role} is granted {right} on {held}" for role, held, right in sorted(found - listed)),
        *(f"{role} lacks {right} on {held}" for role, held, right in sorted(listed - found)),
        *(f"{role} owns {name}" for role, name in sorted(owned - expected)),
        *(f"{role} does not own {name}" for role, name in sorted(expected - owned)),
    ]
    return [problem.replace(PREFIX, "") for problem in said]


def test_each_role_holds_the_rights_that_are_listed_and_no_others() -> None:
    assert right_problems(sql_texts()) == []


def test_no_role_of_ours_is_an_administrator_and_only_the_owner_owns() -> None:
    """Of the list itself: whoever adds to it has to get past this."""
    for role, objects in GRANTED.items():
        if role not in SYSTEM_ROLES:
            assert not {f"role {system}" for system in SYSTEM_ROLES} & set(objects), role
        owned = {held for held, those in objects.items() if "ownership" in those}
        assert owned == ({f"database {DATABASE}"} if role == OWNER else set())
    readers = {name.split()[0] for name in GRANTED[READER]}
    assert readers == {"database", "schema"}
    assert set(MADE_AS) == {OWNER, TRANSFORMER}
    assert all(
        name.split()[1].startswith(f"{DATABASE}.deployment.") for name in MADE_AS[TRANSFORMER]
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (
            "00_roles.sql",
            "grant role customer_insights_owner to role sysadmin;",
            "grant role customer_insights_owner to role sysadmin;\n"
            "grant role accountadmin to role customer_insights_transformer;",
            "transformer is granted member on role accountadmin",
        ),
        (
            "00_roles.sql",
            "grant role customer_insights_transformer to role customer_insights_owner",
            "grant role customer_insights_owner to role customer_insights_transformer",
            "transformer is granted member on role owner",
        ),
        (
            "10_database.sql",
            "grant ownership on database customer_insights to role customer_insights_owner",
            "grant ownership on database customer_insights to role customer_insights_transformer",
            "transformer is granted ownership on database customer_insights",
        ),
        (
            "10_database.sql",
            "use role customer_insights_owner",
            "use role customer_insights_transformer",
            "transformer owns schema customer_insights.raw",
        ),
        (
            "30_grants.sql",
            "create dynamic table, ",
            "",
            "transformer lacks create dynamic table on schema customer_insights.insights",
        ),
        (
            "30_grants.sql",
            "grant read, write on stage customer_insights.deployment.library",
            "grant write on stage customer_insights.deployment.library",
            "transformer lacks read on stage customer_insights.deployment.library",
        ),
        (
            "30_grants.sql",
            "grant usage on warehouse training to role customer_insights_transformer;",
            "",
            "transformer lacks usage on warehouse training",
        ),
        (
            "30_grants.sql",
            "usage on database customer_insights to role customer_insights_reader",
            "usage, create schema on database customer_insights to role customer_insights_reader",
            "reader is granted create schema on database customer_insights",
        ),
        (
            "30_grants.sql",
            "future views in schema customer_insights.<% ml_schema | default('insights') %>_sample",
            "future views in schema customer_insights.raw",
            "reader is granted select on future views on schema customer_insights.raw",
        ),
        (
            "30_grants.sql",
            "ai_functions_user to role",
            "cortex_user to role",
            "transformer is granted member on database role snowflake.cortex_user",
        ),
        (
            "40_service_user.sql",
            "grant role customer_insights_transformer to user",
            "grant role customer_insights_owner to user",
            "user service is granted member on role owner",
        ),
    ],
)
def test_a_right_too_many_or_too_few_is_caught(file: str, old: str, new: str, problem: str) -> None:
    texts = dict(sql_texts())
    texts[file] = changed(texts[file], old, new)
    assert any(said.startswith(problem) for said in right_problems(texts))
