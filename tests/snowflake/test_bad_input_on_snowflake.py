"""What people get wrong on Snowflake ends in one sentence, an exit code and nothing half-written.

Commands run as a person types them, in a process each. All but one are forked from a process that
has imported dbt and parsed the project already, which is most of the time that they take.
"""

import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from emulator.client import Emulator, start_emulator
from snowflake_project import (
    PROJECT_DIR,
    environment,
    put_raw,
    set_up_account,
    stage_library,
)

from customer_insights.sample import RAW_SCHEMAS, ShopConfig, generate_blocks

ROLE, DATABASE = "CUSTOMER_INSIGHTS_TRANSFORMER", "CUSTOMER_INSIGHTS"
WAREHOUSE, TRAINING = "TRANSFORMING", "TRAINING"
LIMITS = ("--warehouses", f"{WAREHOUSE},{TRAINING}", "--roles", f"{ROLE},TRANSFORMER")
STAGE = f"{DATABASE}.DEPLOYMENT.LIBRARY"
KEY_PAIR = {"SNOWFLAKE_AUTHENTICATOR": "snowflake_jwt", "SNOWFLAKE_TOKEN": ""}
TRAINED = f"{DATABASE.lower()}.insights_internal.purchase_intent_trained"
SECONDS = 60

# Reads a call per line, runs each in a fork of its own, and answers with what it wrote.
TERMINAL = """
import datetime, json, os, sys, time, traceback, types

import dbt.adapters.snowflake, dbt.context.base, snowflake.connector
from dbt.cli.main import cli, dbtRunner
from customer_insights import command_line

seconds = float(sys.argv[1])
parsed = dbtRunner().invoke(["parse", "--quiet"])
assert parsed.success, parsed.exception
connect = snowflake.connector.connect


def wait_until(hours_later):
    # For macros alone, which read the clock through `modules`.
    delay = datetime.timedelta(hours=hours_later)

    class Later(datetime.datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.datetime.now(zone) + delay

    names = {**vars(datetime), "datetime": Later}
    dbt.context.base.datetime = types.SimpleNamespace(**names)


def type_command(call):
    os.environ.clear()
    os.environ.update(call["environment"])
    os.chdir(call["folder"])
    if call["hours_later"]:
        wait_until(call["hours_later"])
    if call["arguments"][0] == "dbt":
        return cli(call["arguments"][1:], obj={"manifest": parsed.result, "callbacks": []})
    # The same project: what it says of the account only matters when it connects.
    command_line.read = lambda progress: dbtRunner(
        manifest=parsed.result, callbacks=[progress.on_event]
    )
    if call["selected"]:
        command_line.SELECTION["build"] = ["--select", *call["selected"]]
    sys.exit(command_line.main(call["arguments"]))


def run(call):
    # As an administrator sets parameters for a user.
    user = call["user_parameters"]

    def connect_as_user(**settings):
        settings["session_parameters"] = user | settings["session_parameters"]
        return connect(**settings)

    snowflake.connector.connect = connect_as_user
    output = os.open(call["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 0
    try:
        type_command(call)
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


print("READY", flush=True)
for line in sys.stdin:
    call = json.loads(line)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        run(call)
    ended, status = 0, 0
    while not ended and time.monotonic() - started < seconds:
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.02)
    if not ended:
        os.kill(child, 9)
        os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status) if ended else None
    print(json.dumps({"code": code, "seconds": time.monotonic() - started}), flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    output: str
    seconds: float


@dataclass
class Terminal:
    """Where commands are typed: a folder with the project's own files and a profile."""

    folder: Path
    process: subprocess.Popen[str]
    variables: Mapping[str, str]
    parsed_with: Mapping[str, str]

    def type(
        self,
        *arguments: str,
        port: int,
        env: Mapping[str, str] | None = None,
        selected: tuple[str, ...] = (),
        user_parameters: Mapping[str, str] | None = None,
        hours_later: float = 0,
    ) -> Ended:
        """Run `python -m customer_insights <arguments>`, or `dbt ...` where that comes first.

        `selected` narrows what `build` builds, `user_parameters` are parameters of the user who
        logs in, and by the clock that macros read it is `hours_later`.
        """
        output = self.folder / "output.txt"
        call = {
            "arguments": arguments,
            "environment": {**self.variables, "EMULATOR_PORT": str(port), **(env or {})},
            "folder": str(self.folder),
            "hours_later": hours_later,
            "output": str(output),
            "selected": selected,
            "user_parameters": dict(user_parameters or {}),
        }
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(call) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert answer["code"] is not None, (
            f"`{' '.join(arguments)}` was killed: it had not ended after {SECONDS} seconds."
        )
        return Ended(answer["code"], output.read_text(encoding="utf-8"), answer["seconds"])

    def type_in_a_process_of_its_own(self, *arguments: str, env: Mapping[str, str]) -> Ended:
        """As `type`, and nothing is shared with other calls but the files of the parsed project."""
        started = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-m", "customer_insights", *arguments],
            cwd=self.folder,
            env={**self.variables, **self.parsed_with, **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        seconds = time.monotonic() - started
        return Ended(ended.returncode, ended.stdout + ended.stderr, seconds)


def write_profile(folder: Path) -> None:
    """The profile that users copy, on this machine at the port that a command is given."""
    profile = yaml.safe_load((PROJECT_DIR / "profiles.example.yml").read_text(encoding="utf-8"))
    profile["customer_insights"]["outputs"]["snowflake"] |= {
        "host": "127.0.0.1",
        "port": "{{ env_var('EMULATOR_PORT') | as_number }}",
        "protocol": "http",
        "threads": 4,
    }
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile), encoding="utf-8")


def copy_project(folder: Path) -> None:
    for name in ("models", "macros", "seeds", "snapshots", "analyses", "tests/data"):
        shutil.copytree(PROJECT_DIR / name, folder / name)
    shutil.copy(PROJECT_DIR / "dbt_project.yml", folder)
    write_profile(folder)


def variables_of(folder: Path) -> dict[str, str]:
    return environment() | {
        "DBT_PROFILES_DIR": str(folder),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "SHOP_SOURCE": "raw",
        "MIN_TRAIN_ROWS": "300",
        "TRAINING_WAREHOUSE": TRAINING,
    }


@pytest.fixture(scope="module")
def terminal(account: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    folder = tmp_path_factory.mktemp("bad_input")
    copy_project(folder)
    variables = variables_of(folder)
    parsed_with = {**KEY_PAIR, "EMULATOR_PORT": str(account.port)}
    with (folder / "errors.txt").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", TERMINAL, str(SECONDS)],
            env=variables | parsed_with,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert process.stdout
        assert process.stdout.readline() == "READY\n", (folder / "errors.txt").read_text()
        yield Terminal(folder, process, variables, parsed_with)
        assert process.stdin
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A set-up account without the library, whose channel lacks XGBoost, and with no privilege to
    make tables.
    """
    folder = tmp_path_factory.mktemp("account")
    channel = ["numpy", "pandas", "pyarrow", "scikit-learn", "snowflake-snowpark-python"]
    (folder / "channel.json").write_text(json.dumps({name: [] for name in channel}))
    options = ("--packages", str(folder / "channel.json"), "--refuse", "create transient table")
    with start_emulator(folder / "emulator", *LIMITS, *options) as emulator:
        set_up_account(emulator)
        yield emulator


@pytest.fixture(scope="module")
def staged(account: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Emulator:
    """The same account with the library."""
    stage_library(account, tmp_path_factory.mktemp("library"))
    return account


def made(emulator: Emulator) -> dict[str, Any]:
    """What there is in the account: the files of its stage, and each table with its rows.

    Views and tables of no rows are counted as tables, so that nothing half-written goes unseen. The
    logs of runs and of alerts are left out: a run that failed is in its log, too.
    """
    found: dict[str, Any] = {}
    tables = emulator.query(
        f"select table_schema, table_name from {DATABASE}.information_schema.tables "
        "where table_schema <> 'INFORMATION_SCHEMA' "
        "and table_name not in ('RUN_LOG', 'SENT_ALERTS') order by 1, 2"
    )
    for schema, name in tables:
        ((rows,),) = emulator.query(f"select count(*) from {DATABASE}.{schema}.{name}")
        found[f"{schema}.{name}"] = rows
    for stage in emulator.query(f"show stages like 'LIBRARY' in database {DATABASE}"):
        found[f"stage {stage[1]}"] = sorted(emulator.query(f"list @{STAGE}"))
    return found


def assert_refused(ended: Ended, *words: str) -> None:
    """Not 0, no traceback, and at the end one sentence with these words and nothing besides."""
    shown = ended.output
    assert ended.code not in (0, 99), shown
    assert "Traceback" not in shown, shown
    assert "RuntimeWarning" not in shown, shown
    sentence = shown.rpartition("\nError: ")[2].strip()
    assert sentence, shown
    assert "\n" not in sentence, sentence
    assert sentence.endswith("."), sentence
    assert not sentence.endswith(".."), sentence
    # What only a programmer reads: numbers of errors, and what went on around them.
    assert not re.search(r"\b\d{6}\b|SQL compilation|listing schemas|\bin model\b", sentence), (
        sentence
    )
    for word in words:
        assert word in sentence, sentence


def assert_last_lines_say(ended: Ended, *words: str, lines: int = 6) -> None:
    """What plain dbt ends with, without its own count and the path of the compiled file."""
    assert ended.code not in (0, 99), ended.output
    assert "Traceback" not in ended.output, ended.output
    said = [re.sub(r"^\d\d:\d\d:\d\d", "", line).strip() for line in ended.output.splitlines()]
    not_ours = ("Done.", "compiled code at", "Finished running", "Completed with", "> ")
    last = "\n".join([line for line in said if line and not line.startswith(not_ours)][-lines:])
    for word in words:
        assert word in last, ended.output


# --- who logs in, and where ---


def key_file(folder: Path, passphrase: str = "") -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encryption: Any = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    (folder / "service_key.p8").write_bytes(text)
    return str(folder / "service_key.p8")


def test_a_command_in_a_process_of_its_own_says_that_credentials_are_missing(
    terminal: Terminal, account: Emulator
) -> None:
    """Once for real: nothing is forked."""
    before = made(account)
    ended = terminal.type_in_a_process_of_its_own("build", env={})
    assert_refused(ended, "No credentials are given", "SNOWFLAKE_TOKEN")
    assert made(account) == before


NO_CREDENTIALS = [
    ({"SNOWFLAKE_ACCOUNT": ""}, ["SNOWFLAKE_ACCOUNT is not set"]),
    ({"SNOWFLAKE_USER": "", **KEY_PAIR}, ["SNOWFLAKE_USER is not set"]),
    (KEY_PAIR, ["No credentials are given", "SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_TOKEN"]),
    (
        {**KEY_PAIR, "SNOWFLAKE_PRIVATE_KEY_PATH": "/nowhere/service_key"},
        ["The private key /nowhere/service_key cannot be read (No such file or directory)"],
    ),
    (
        {**KEY_PAIR, "SNOWFLAKE_PRIVATE_KEY_PATH": "/"},
        ["The private key / cannot be read (Is a directory)", "SNOWFLAKE_PRIVATE_KEY_PATH"],
    ),
    (
        {**KEY_PAIR, "SNOWFLAKE_PRIVATE_KEY_PATH": __file__},
        ["SNOWFLAKE_PRIVATE_KEY_PATH names is not a private key in PEM format"],
    ),
]


@pytest.mark.parametrize(("env", "words"), NO_CREDENTIALS)
def test_credentials_that_are_missing_or_unreadable_are_named(
    terminal: Terminal, account: Emulator, env: Mapping[str, str], words: list[str]
) -> None:
    before = len(account.statements())
    assert_refused(terminal.type("build", port=account.port, env=env), *words)
    assert len(account.statements()) == before


def test_deploy_names_them_as_build_does(terminal: Terminal, account: Emulator) -> None:
    env, words = NO_CREDENTIALS[0]
    assert_refused(terminal.type("deploy", port=account.port, env=env), *words)


@pytest.mark.parametrize(
    ("passphrase", "given"), [("right", ""), ("right", "wrong"), ("", "needless")]
)
def test_a_passphrase_that_does_not_fit_is_named(
    terminal: Terminal, account: Emulator, tmp_path: Path, passphrase: str, given: str
) -> None:
    env = {
        **KEY_PAIR,
        "SNOWFLAKE_PRIVATE_KEY_PATH": key_file(tmp_path, passphrase),
        "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": given,
    }
    ended = terminal.type("build", port=account.port, env=env)
    assert_refused(ended, "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE does not fit the private key")


def test_plain_dbt_ends_with_what_is_wrong_with_the_key(
    terminal: Terminal, account: Emulator
) -> None:
    env = {**KEY_PAIR, "SNOWFLAKE_PRIVATE_KEY_PATH": "/nowhere/service_key"}
    ended = terminal.type("dbt", "build", port=account.port, env=env)
    assert_last_lines_say(ended, "No such file or directory: '/nowhere/service_key'")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("how", ["oauth", "key pair"])
def test_a_host_that_nothing_listens_at_is_given_up_soon(
    terminal: Terminal, tmp_path: Path, how: str
) -> None:
    # With a key pair the connector tries ten times unless it is told otherwise.
    key = {
        **KEY_PAIR,
        "SNOWFLAKE_PRIVATE_KEY_PATH": key_file(tmp_path),
        "JWT_CNXN_RETRY_ATTEMPTS": "1",
    }
    ended = terminal.type("build", port=free_port(), env=key if how == "key pair" else {})
    assert_refused(ended, "Snowflake cannot be reached", "SNOWFLAKE_ACCOUNT", "network")
    assert ended.seconds < 40


@dataclass
class Gate:
    """A server that lets nobody in, with Snowflake's words; the connector's are added by itself."""

    status: int = 200
    code: str = ""
    words: str = ""


@pytest.fixture(scope="module")
def gate() -> Iterator[tuple[Gate, int]]:
    state = Gate()

    class Refuse(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            reply = {"success": False, "code": state.code, "message": state.words, "data": {}}
            body = json.dumps(reply).encode()
            self.send_response(state.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state, server.server_address[1]
    server.shutdown()
    server.server_close()


JWT = "JWT token is invalid. [0ce9eb56-821d-4ca9-a774-04ae89a0cf5a]"
REFUSED = [
    ("390100", "Incorrect username or password was specified.", ["accept these credentials"]),
    ("390303", "Invalid OAuth access token. [0ce9eb56]", ["accept these", "SNOWFLAKE_TOKEN"]),
    ("390318", "OAuth access token expired. [0ce9eb56]", ["accept these", "SNOWFLAKE_TOKEN"]),
    ("390144", JWT, ["does not accept the private key", "rsa_public_key", "0ce9eb56-821d-4ca9-"]),
    (
        "390189",
        f"Role '{ROLE}' specified in the connect string does not exist or not authorized. Contact "
        "your local system administrator, or attempt to login with another role, e.g. PUBLIC.",
        [f"The role {ROLE} does not exist", "SNOWFLAKE_ROLE"],
    ),
    (
        "390317",
        "The role requested in the connection or the default role if none was requested in the "
        f"connection ('{ROLE}') is not listed in the Access Token or was filtered.",
        [f"The role {ROLE} does not exist", "user or token"],
    ),
    (
        "390422",
        "Incoming request with IP/Token 192.0.2.7 is not allowed to access Snowflake. Contact your "
        "local security administrator.",
        ["does not let 192.0.2.7 in", "50_network_policy.sql"],
    ),
    ("390999", "Words of a later release.", ["Snowflake refused the login: Words of a later rel"]),
]


@pytest.mark.parametrize(("code", "said", "words"), REFUSED)
def test_a_refused_login_says_why(
    terminal: Terminal, gate: tuple[Gate, int], code: str, said: str, words: list[str]
) -> None:
    state, port = gate
    state.status, state.code, state.words = 200, code, said
    assert_refused(terminal.type("deploy", port=port), *words)


@pytest.mark.parametrize("status", [403, 404])
def test_an_account_that_does_not_exist_is_named(
    terminal: Terminal, gate: tuple[Gate, int], status: int
) -> None:
    state, port = gate
    state.status, state.code, state.words = status, "", ""
    ended = terminal.type("deploy", port=port)
    assert_refused(ended, f"no Snowflake account at 127.0.0.1:{port}", "SNOWFLAKE_ACCOUNT")


def test_plain_dbt_ends_with_snowflakes_words(terminal: Terminal, gate: tuple[Gate, int]) -> None:
    state, port = gate
    state.status, state.code, state.words = 200, "390100", REFUSED[0][1]
    assert_last_lines_say(terminal.type("dbt", "build", port=port), REFUSED[0][1])


# --- how the account is set up ---

NOT_THERE = [
    ("SNOWFLAKE_ROLE", "NOBODY", ["The role NOBODY does not exist", "SNOWFLAKE_ROLE"]),
    ("ML_WAREHOUSE", "NONE", ["The warehouse NONE does not exist", ROLE, "ML_WAREHOUSE"]),
    ("TRAINING_WAREHOUSE", "none_such", ["The warehouse none_such does not", "training_warehouse"]),
    ("DYNAMIC_TABLE_WAREHOUSE", "NONE", ["The warehouse NONE does", "DYNAMIC_TABLE_WAREHOUSE"]),
    ("DYNAMIC_TABLE_WAREHOUSE", "TRAINING; drop schema raw", ["TRAINING; drop schema raw does"]),
]


@pytest.mark.parametrize(("variable", "value", "words"), NOT_THERE)
def test_a_role_or_warehouse_that_does_not_exist_is_named(
    terminal: Terminal, staged: Emulator, variable: str, value: str, words: list[str]
) -> None:
    before, sent = made(staged), len(staged.statements())
    ended = terminal.type("build", port=staged.port, env={variable: value})
    assert_refused(ended, *words)
    # However many settings name one, one statement asks for all.
    asked = [entry["sql"] for entry in staged.statements(sent) if "warehouse" in entry["sql"]]
    assert len(asked) == (0 if variable == "SNOWFLAKE_ROLE" else 1)
    assert made(staged) == before


def test_a_database_that_does_not_exist_is_named(terminal: Terminal, staged: Emulator) -> None:
    staged.execute(f"drop database {DATABASE}")
    try:
        ended = terminal.type("build", port=staged.port)
        assert_refused(ended, f"The database {DATABASE} does not", "SNOWFLAKE_DATABASE")
        ended = terminal.type("dbt", "build", port=staged.port)
        assert_last_lines_say(ended, DATABASE, "Object does not exist, or operation cannot be")
    finally:
        set_up_account(staged)
        stage_library(staged, terminal.folder)


def test_plain_dbt_ends_with_the_warehouse_that_is_missing(
    terminal: Terminal, staged: Emulator
) -> None:
    ended = terminal.type("dbt", "build", port=staged.port, env={"ML_WAREHOUSE": "NONE"})
    assert_last_lines_say(ended, "The warehouse NONE does not exist or role", lines=1)


def test_a_missing_privilege_is_named(terminal: Terminal, staged: Emulator) -> None:
    before = made(staged)
    ended = terminal.type("build", port=staged.port, selected=("run_context",))
    assert_refused(ended, "lacks a privilege on create transient table", "30_grants.sql")
    assert made(staged) == before


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DYNAMIC_TABLE_TARGET_LAG", "soon"),
        ("DYNAMIC_TABLE_TARGET_LAG", "5 parsecs"),
        ("DYNAMIC_TABLE_TARGET_LAG", "59 seconds"),
        ("DYNAMIC_TABLE_TARGET_LAG", "1 hour'; drop schema raw; --"),
        ("DYNAMIC_TABLE_REFRESH_MODE", "SOMETIMES"),
    ],
)
def test_a_way_to_refresh_that_does_not_exist_is_refused(
    terminal: Terminal, staged: Emulator, variable: str, value: str
) -> None:
    before = made(staged)
    ended = terminal.type("build", port=staged.port, env={variable: value})
    assert_refused(ended, f"{variable} is '{value}'; give")
    assert made(staged) == before


def test_another_meaning_of_timestamp_is_refused(terminal: Terminal, staged: Emulator) -> None:
    before = made(staged)
    user = {"TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_LTZ"}
    for command in (("build",), ("dbt", "build")):
        ended = terminal.type(*command, port=staged.port, user_parameters=user)
        words = "The parameter TIMESTAMP_TYPE_MAPPING is TIMESTAMP_LTZ for user tester; set it to"
        if command == ("build",):
            assert_refused(ended, words)
        else:
            assert_last_lines_say(ended, words, lines=1)
    assert made(staged) == before


# --- the library and the packages ---


def test_a_library_that_is_not_staged_is_named(terminal: Terminal, staged: Emulator) -> None:
    before = made(staged)
    files = before["stage LIBRARY"]
    staged.execute(f"remove @{STAGE}")
    older = terminal.folder / f"customer_insights_{'0' * 32}.zip"
    older.write_bytes(b"of another commit")
    missing = ["The library of this version is not staged", "make deploy-snowflake"]
    try:
        assert_refused(terminal.type("build", port=staged.port), *missing, "is missing. Type")
        staged.execute(f"put 'file://{older}' @{STAGE} auto_compress = false overwrite = true")
        missing.append(f"is missing, and what is staged is of another version: {older.name}. Type")
        assert_refused(terminal.type("build", port=staged.port), *missing)
        ended = terminal.type("dbt", "build", port=staged.port)
        assert_last_lines_say(ended, *missing, lines=1)
        staged.execute(f"remove @{STAGE}")
    finally:
        stage_library(staged, terminal.folder)
    assert {**made(staged), "stage LIBRARY": files} == before


def test_a_damaged_library_is_refused_and_mended_by_staging_it_again(
    terminal: Terminal, staged: Emulator, tmp_path: Path
) -> None:
    ((name, *_),) = staged.query(f"list @{STAGE}")
    other = tmp_path / Path(name).name
    other.write_bytes(b"of another commit")
    staged.execute(f"put 'file://{other}' @{STAGE} auto_compress = false overwrite = true")
    before = made(staged)
    ended = terminal.type("build", port=staged.port)
    assert_refused(ended, "The staged library", "is damaged: its md5 is", "make deploy-snowflake")
    assert made(staged) == before
    assert terminal.type("deploy", port=staged.port).code == 0
    assert len(staged.query(f"list @{STAGE}")) == 1
    assert made(staged) != before


def test_a_stage_that_does_not_exist_is_named(terminal: Terminal, staged: Emulator) -> None:
    before = made(staged)
    staged.execute(f"drop stage {STAGE}")
    try:
        for command in ("build", "deploy"):
            ended = terminal.type(command, port=staged.port)
            assert_refused(ended, "he stage", "does not exist", "deploy/snowflake/*.sql first")
    finally:
        set_up_account(staged)
        stage_library(staged, terminal.folder)
    assert set(made(staged)) == set(before)


def test_a_stage_or_a_lock_that_is_refused_is_named(terminal: Terminal, staged: Emulator) -> None:
    before = made(staged)
    for refused, words in (
        ("list", ["The stage of the library, @", f"role {ROLE} may not read it"]),
        ("create table", ["lacks a privilege on create table", "30_grants.sql"]),
        # Other tables of a run are made only where they are missing.
        (
            f"create table {DATABASE}",
            ["could not lock its schemas", f"role {ROLE} may not create tables in"],
        ),
    ):
        with staged.limited(refused=[refused]):
            ended = terminal.type("build", port=staged.port, selected=("run_context",))
        assert_refused(ended, *words)
        assert made(staged) == before


def test_a_package_that_the_channel_lacks_is_named(terminal: Terminal, staged: Emulator) -> None:
    before = made(staged)
    selected = ("purchase_intent_trained",)
    ended = terminal.type("build", port=staged.port, selected=selected)
    assert_refused(ended, "Packages not found: xgboost", "+packages in dbt_project.yml")
    ended = terminal.type("dbt", "run", "--select", *selected, port=staged.port)
    assert_last_lines_say(ended, "Packages not found: xgboost")
    assert made(staged) == before


def test_nothing_is_pinned_where_the_channel_lacks_a_package(
    terminal: Terminal, staged: Emulator, tmp_path: Path
) -> None:
    project = (terminal.folder / "dbt_project.yml").read_bytes()
    env = {"SNOWFLAKE_PRIVATE_KEY_PATH": key_file(tmp_path)}
    ended = terminal.type_in_a_process_of_its_own("pin", env=env)
    assert_refused(ended, "Packages not found: xgboost", "+packages in dbt_project.yml")
    assert (terminal.folder / "dbt_project.yml").read_bytes() == project


# --- a shop that was trained ---


@pytest.fixture(scope="module")
def trained(terminal: Terminal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A small shop with models of purchase intent."""
    folder = tmp_path_factory.mktemp("trained")
    with start_emulator(folder / "emulator", *LIMITS) as emulator:
        set_up_account(emulator)
        stage_library(emulator, folder)
        (tables,) = generate_blocks(ShopConfig(scale=0.2))
        put_raw(emulator, {name: tables[name] for name in RAW_SCHEMAS})
        ended = terminal.type(
            "dbt", "build", "--select", "+purchase_intent_trained",
            "--exclude-resource-type", "test", "unit_test", port=emulator.port,
            env={"DBT_WRITE_JSON": "true"},
        )  # fmt: skip
        assert ended.code == 0, ended.output
        decisions = emulator.query(f"select distinct decision from {TRAINED}")
        assert decisions == [("trained_promoted",)]
        yield emulator


def test_the_training_warehouse_reaches_the_models_that_train_and_no_other(
    terminal: Terminal, trained: Emulator
) -> None:
    manifest = json.loads((terminal.folder / "target" / "manifest.json").read_text())
    models = {n["name"]: n for n in manifest["nodes"].values() if n["resource_type"] == "model"}
    trainers = {
        name
        for name, node in models.items()
        if node["config"].get("snowflake_warehouse") not in (None, WAREHOUSE)
    }
    # Those that learn, and those that search for parameters or measure, which need a setting.
    assert trainers == {
        *("churn_trained", "product_recommendations_trained", "purchase_intent_trained"),
        *("review_sentiment_folds", "review_sentiment_trained", "topics_trained"),
    }
    assert {models[name]["config"]["snowflake_warehouse"] for name in trainers} == {TRAINING}

    # What ran inside a procedure ran where its node is: there are those that train, and no others.
    places: dict[str, set[str]] = {}
    for entry in trained.statements():
        if entry["inside_procedure"]:
            node = json.loads(entry["query_tag"])["node_id"].rpartition(".")[2]
            places.setdefault(node, set()).add(entry["warehouse"])
    assert {"purchase_intent_trained", "review_sentiment_trained"} < set(places)
    for node, place in places.items():
        assert place == {TRAINING if node in trainers else WAREHOUSE}, node
    trained_here = len(trainers & set(places))
    sent = [entry["sql"].split() for entry in trained.statements()]
    switches = [words[2] for words in sent if words[:2] == ["use", "warehouse"]]
    assert sorted(switches) == [TRAINING] * trained_here + [WAREHOUSE] * trained_here


# --- two builds at once ---

LOCK = f"{DATABASE}.INSIGHTS_INTERNAL.BUILD_IN_PROGRESS"


def test_a_build_that_another_overtook_is_told_to_wait(
    terminal: Terminal, trained: Emulator
) -> None:
    """Both saw no lock, and the other made the table first: the name is taken.

    As it is here by a view, which SHOW TABLES does not list.
    """
    trained.execute(f"create view {LOCK} as select 'the first build' as invocation_id")
    try:
        before = made(trained)
        ended = terminal.type("build", port=trained.port, selected=("run_context",))
        assert_refused(ended, "This build could not lock its schemas: another one has just begun")
        assert made(trained) == before
    finally:
        trained.execute(f"drop view {LOCK}")


@pytest.mark.parametrize("hours_later", [5.9, 6.1])
def test_a_lock_is_taken_over_after_its_hours(
    terminal: Terminal, trained: Emulator, hours_later: float
) -> None:
    """A build that was killed leaves its lock behind; `build_lock_hours` is 6."""
    trained.execute(f"create table {LOCK} (locked boolean) comment = 'the first build'")
    build = ("dbt", "run", "--select", "run_context")
    ended = terminal.type(*build, port=trained.port, hours_later=hours_later)
    left = trained.query(f"show tables like 'build_in_progress' in database {DATABASE}")
    if hours_later < 6:
        words = "Another build of these schemas (the first build) has been running for 5.9 hours"
        assert_last_lines_say(ended, words, lines=1)
        assert len(left) == 1
        trained.execute(f"drop table {LOCK}")
    else:
        assert ended.code == 0, ended.output
        # Of its own run by then, and given back.
        assert left == []


@pytest.mark.long
def test_of_two_builds_at_once_one_ends_and_the_other_is_told_to_wait(
    terminal: Terminal, trained: Emulator
) -> None:
    before = trained.query(f"select count(*) from {TRAINED}")[0][0]
    build = ("build", "--select", "+purchase_intent_trained")
    tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    log = ("--log-path", str(terminal.folder / "logs_of_the_first"))
    with (terminal.folder / "first.txt").open("w+", encoding="utf-8") as output:
        first = subprocess.Popen(
            [sys.executable, "-m", "dbt.cli.main", *build, *tests, *log],
            cwd=terminal.folder,
            env={**terminal.variables, "EMULATOR_PORT": str(trained.port)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            locked: list[tuple[Any, ...]] = []
            begun = time.monotonic()
            while not locked and time.monotonic() - begun < SECONDS:
                assert first.poll() is None
                time.sleep(0.05)
                locked = trained.query(
                    f"show tables like 'build_in_progress' in database {DATABASE}"
                )
            second = terminal.type(
                "dbt", "build", "--select", "purchase_intent_trained", port=trained.port
            )
            assert first.poll() is None
            words = ("Another build of these schemas (", ") has been running for 0.0 hours; wait")
            assert_last_lines_say(second, *words, lines=1)
            code = first.wait(timeout=SECONDS)
        finally:
            first.kill()
            first.wait(timeout=10)
        output.seek(0)
        assert code == 0, output.read()
    left = trained.query(f"show tables like 'build_in_progress' in database {DATABASE}")
    assert left == []
    counted = trained.query(
        "select count(*), count(distinct decision_number), max(decision_number) "
        f"from {TRAINED} group by model_name"
    )
    models = len(counted)
    assert {count for count, _, _ in counted} == {before // models + 1}
    assert all(count == distinct == newest for count, distinct, newest in counted)


# --- a model that takes too long, or is damaged ---


def test_a_model_that_takes_too_long_is_named(terminal: Terminal, trained: Emulator) -> None:
    # Without a decision it has to learn, which takes more than the shortest time there is.
    trained.execute(
        f"alter table {TRAINED} rename to kept_decisions",
        f"alter warehouse {TRAINING} set statement_timeout_in_seconds = 1",
    )
    try:
        before = made(trained)
        ended = terminal.type("build", port=trained.port, selected=("purchase_intent_trained",))
        words = "The model purchase_intent_trained was stopped after 1 seconds, the limit of a"
        assert_refused(ended, words, "TRAINING_WAREHOUSE", "statement_timeout_in_seconds")
        assert made(trained) == before
    finally:
        trained.execute(
            f"alter table {TRAINED.rpartition('.')[0]}.kept_decisions "
            "rename to purchase_intent_trained",
            f"alter warehouse {TRAINING} unset statement_timeout_in_seconds",
        )


def test_a_model_that_was_changed_by_hand_is_not_used(
    terminal: Terminal, trained: Emulator
) -> None:
    trained.execute(f"update {TRAINED} set artifact = artifact || 'x'")
    before = made(trained)
    selected = ("purchase_intent_scored",)
    ended = terminal.type("build", port=trained.port, selected=selected)
    assert_refused(ended, "Version ", "was changed after it was written", "rollback_model")
    assert "with handler" not in ended.output
    assert made(trained) == before
