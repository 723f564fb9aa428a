"""What a person sees of dbt's messages."""

import re
import time

import pytest

from customer_insights.known_messages import KNOWN_MESSAGES
from customer_insights.progress import sentence_of


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            "FailFast Error in operation customer_insights-on-run-start-0 (./dbt_project.yml)\n"
            "  Setting 'test_days' is 'x' (var); it must be a whole number from 1 to 3660.",
            "Setting 'test_days' is 'x' (var); it must be a whole number from 1 to 3660.",
        ),
        (
            "Compilation Error in model a (models/a.sql)\n  No.\n  \n"
            "  > in macro b (macros/b.sql)\n  > called by model a (models/a.sql)",
            "No.",
        ),
        (
            "Runtime Error in model t (models/t.py)\n  Python model failed:\n"
            "  Traceback (most recent call last):\n    File x\n"
            "  customer_insights.errors.ArtifactError: The stored model was changed.",
            "The stored model was changed.",
        ),
        (
            'IO Error: Could not set lock on file "/a/b.duckdb": Conflicting lock is held in x',
            "The database /a/b.duckdb is in use by another program; close it, or wait for the "
            "other run to end, and try again.",
        ),
        (
            'IO Error: The file "/a/b" exists, but it is not a valid DuckDB database file!',
            "The file /a/b is not a DuckDB database, or is damaged; move it away, or name another "
            "with DUCKDB_PATH, and try again.",
        ),
        (
            "Runtime Error in model source_watermarks (models/staging/source_watermarks.sql)\n"
            "  Conversion Error: Could not cast value inf to DECIMAL(18,6) when casting from "
            "source column page_time\n  \n  LINE 1: cast(page_time as decimal(18, 6)) as page_time",
            "The raw column page_time holds what cannot be read as its type (Could not cast value "
            "inf to DECIMAL(18,6)); correct it, or set it to null where "
            "models/staging/_sources.yml allows that, and try again.",
        ),
        (
            # As dbt-labs/dbt-core issue 6418 shows a procedure of Snowflake that failed.
            "Database Error in model my_python_v2 (dbt/models/my_python_v2.py)\n"
            "100357 (P0000): Python Interpreter Error:\nTraceback (most recent call last):\n"
            '  File "_udf_code.py", line 9, in <module>\n'
            "ModuleNotFoundError: No module named 'requests'\n"
            " in function MY_PYTHON_V2__DBT_SP with handler main\n"
            "compiled Code at dbt/target/run/models/my_python_v2.py",
            "No module named 'requests'",
        ),
        (
            "Database Error in model a (models/a.sql)\n"
            "  002003 (42S02): SQL compilation error:\n"
            "  Object 'D.S.T' does not exist or not authorized.\n"
            "  compiled code at target/run/a.sql",
            "Object 'D.S.T' does not exist or not authorized.",
        ),
        ("", ""),
    ],
)
def test_a_message_of_dbt_is_reduced_to_its_sentence(message: str, sentence: str) -> None:
    assert sentence_of(message) == sentence


LISTING = 'Runtime Error\n  Database error while listing schemas in database "SHOP"\n  '
LOGIN = LISTING + "Database Error\n    {} (08001): Failed to connect to DB: x.example.com:443. "
IN_MODEL = "Database Error in model churn_trained (models/churn/internal/churn_trained.py)\n"
# What Snowflake, its connector and dbt say, in their words, and what a person is told.
SAID_BY_SNOWFLAKE = [
    (
        LISTING + "Database Error\n    [Errno 13] Permission denied: '/a/key'",
        "The private key /a/key cannot be read (Permission denied); correct SNOWFLAKE_PRIVATE_KEY",
    ),
    (
        "Expected bytes, RSAPrivateKey, or EllipticCurvePrivateKey, got <class 'NoneType'>",
        "No cred",
    ),
    ("Unable to load PEM file. See https://cryptography.io", "is not a private key in PEM format"),
    ("Could not deserialize key data. The data may be in", "or the file is damaged"),
    ("Password was not given but private key is encrypted", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"),
    ("Incorrect password, could not decrypt key", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"),
    ("251001: Account must be specified", "SNOWFLAKE_ACCOUNT is not set"),
    ("251005: User is empty, but it must be provided", "SNOWFLAKE_USER is not set"),
    (
        "250001: Could not connect to Snowflake backend after 2 attempt(s).Aborting",
        "Snowflake cannot be reached",
    ),
    (
        "290404 (08001): 404 Not Found: post x.snowflakecomputing.com:443/session/v1/login-request",
        "There is no Snowflake account at x.snowflakecomputing.com:443; correct SNOWFLAKE_ACCOUNT",
    ),
    (
        "250001 (08001): Failed to connect to DB. Verify the account name is correct: "
        "x.snowflakecomputing.com:443. 000403: HTTP 403: Forbidden",
        "There is no Snowflake account at x.snowflakecomputing.com:443; correct SNOWFLAKE_ACCOUNT",
    ),
    (
        LOGIN.format(390144) + "JWT token is invalid. [0ce9eb56-821d-4ca9-a774-04ae89a0cf5a]",
        "get_login_failure_details('0ce9eb56-821d-4ca9-a774-04ae89a0cf5a')).",
    ),
    (LOGIN.format(250001) + "JWT token is invalid.", "Snowflake does not accept these credentials"),
    (LOGIN.format(390303) + "Invalid OAuth access token.", "does not accept these credentials"),
    (LOGIN.format(394304) + "New words.", "Snowflake does not accept these credentials"),
    (
        LOGIN.format(390189) + "Role 'R' specified in the connect string does not exist or not "
        "authorized. Contact your local system administrator, or attempt to login with another "
        "role, e.g. PUBLIC.",
        "The role R does not exist, or this user or token may not use it; correct SNOWFLAKE_ROLE",
    ),
    (
        LOGIN.format(390317) + "The role requested in the connection or the default role if none "
        "was requested in the connection ('R') is not listed in the Access Token or was filtered.",
        "The role R does not exist, or this user or token may not use it; correct SNOWFLAKE_ROLE",
    ),
    (
        LOGIN.format(390422) + "Incoming request with IP/Token 192.0.2.7 is not allowed to access "
        "Snowflake. Contact your local security administrator.",
        "The network policy of Snowflake does not let 192.0.2.7 in",
    ),
    (
        LOGIN.format(390102) + "Your user account has been temporarily locked.\n",
        "Snowflake refused the login: Your user account has been temporarily locked.",
    ),
    (
        "250001 (08001): Failed to connect to DB. Service is unavailable: x.example.com:443.",
        "Snowflake cannot be reached",
    ),
    (
        LISTING + "002043 (02000): SQL compilation error:\n  Object does not exist, or operation "
        "cannot be performed.",
        "The database SHOP does not exist, or the role may not use it; correct SNOWFLAKE_DATABASE",
    ),
    (
        LISTING + "002003 (02000): SQL compilation error:\n  Database 'SHOP' does not exist or not "
        "authorized.",
        "The database SHOP does not exist, or the role may not use it; correct SNOWFLAKE_DATABASE",
    ),
    (
        "000606 (57P03): No active warehouse selected in the current session.  Select an active "
        "warehouse with the 'use warehouse' command.",
        "No warehouse can be used; check that the one that ML_WAREHOUSE names exists",
    ),
    (
        "002003 (42S02): SQL compilation error:\nWarehouse 'W' does not exist or not authorized.",
        "The warehouse W does not exist, or the role may not use it; correct ML_WAREHOUSE",
    ),
    (
        "090073 (22000): Warehouse 'W' cannot be resumed because resource monitor 'M' has exceeded "
        "its quota.",
        "The warehouse W has used up its credits; raise the quota of the resource monitor M",
    ),
    (
        "003001 (42501): SQL access control error:\nInsufficient privileges to operate on view 'V'."
        "\nYour primary role R must have OWNERSHIP\ngranted on TABLE D.RAW.V.",
        "The role R lacks the privilege OWNERSHIP on view 'V'; deploy/snowflake/30_grants.sql",
    ),
    (
        "003001 (42501): SQL access control error:\nInsufficient privileges to operate on database "
        "'D'. Your primary role R must have CREATE SCHEMA granted on DATABASE D.",
        "The role R lacks the privilege CREATE SCHEMA on database 'D'; deploy/snowflake/30_grants",
    ),
    (
        "003001 (42501): SQL access control error:\n"
        "Insufficient privileges to operate on  'ACCOUNT'",
        "The role of this run lacks a privilege on 'ACCOUNT'; deploy/snowflake/30_grants.sql",
    ),
    (
        "002003 (02000): SQL compilation error:\nStage 'D.S.L' does not exist or not authorized.",
        "The stage D.S.L does not exist, or the role may not use it; run deploy/snowflake/*.sql",
    ),
    (
        "391529 (42501): SQL compilation error: Anaconda terms must be accepted by ORGADMIN to use "
        "Anaconda 3rd party packages.",
        "an administrator of the organization accepts them",
    ),
    (
        "391546 (42601): SQL compilation error: Cannot create a Python function with the specified "
        "packages. Please check your packages specification and try again. 'Packages not found: "
        "python==3.11'.",
        "asks for (Packages not found: python==3.11); name versions that",
    ),
    (
        "391546: SQL compilation error: Cannot create a Python function with the specified "
        "packages. Please check your packages specification and try again. 'One or more package "
        "conflicts were detected.'. Hint: These packages are available in other python runtimes:"
        '["a"->[3.9]]',
        "asks for (One or more package conflicts were detected); name versions that",
    ),
    (
        "100357 (P0000): Cannot create a Python function with the specified packages. Please check "
        "your packages specification and try again.",
        "+packages in dbt_project.yml asks for; name versions that information_schema.packages",
    ),
    (
        # As a Python model of dbt says it.
        f"{IN_MODEL}  300005 (XX000): 01be03f5-0001-f293-0000-9e5d03f9e35a: Function available "
        "memory exhausted. Please visit https://docs.snowflake.com/en/developer-guide/"
        "stored-procedure/python/procedure-python-profiler for help identifying bottlenecks.",
        "The model churn_trained needs more memory than its warehouse gives to Python; name a "
        "Snowpark-optimised warehouse that has more: TRAINING_WAREHOUSE for what trains",
    ),
    (
        # As NumPy says it.
        f"{IN_MODEL}  100357 (P0000): Python Interpreter Error:\n  Traceback (most recent call "
        'last):\n    File "_udf_code.py", line 9, in main\n  numpy._core._exceptions.'
        "_ArrayMemoryError: Unable to allocate 3.1 GiB for an array with shape (8, 52000000) and "
        "data type float64\n   in function CHURN_TRAINED__DBT_SP with handler main",
        "The model churn_trained needs more memory than its warehouse gives to Python; name a",
    ),
    (
        # As XGBoost says it.
        f"{IN_MODEL}  100357 (P0000): Python Interpreter Error:\n  Traceback (most recent call "
        "last):\n  xgboost.core.XGBoostError: std::bad_alloc\n  Stack trace:\n    [bt] (0) x\n"
        "   in function CHURN_TRAINED__DBT_SP with handler main",
        "The model churn_trained needs more memory than its warehouse gives to Python; name a",
    ),
    (
        "300005 (XX000): Function available memory exhausted.",
        "Python needs more memory than its warehouse gives to it; name a Snowpark-optimised",
    ),
    (
        f"{IN_MODEL}  000630 (57014): 01be03f5-0001-f293-0000-9e5d03f9e35a: Statement reached its "
        "statement or warehouse timeout of 14400 second(s) and was canceled.",
        "The model churn_trained was stopped after 14400 seconds, the limit of a statement; name a "
        "larger warehouse (TRAINING_WAREHOUSE for what trains",
    ),
    (
        "Database Error in test as_described_churn_trained (models/churn/a.yml)\n  000630 (57014): "
        "Statement reached its statement or warehouse timeout of 2 second(s) and was canceled.",
        "The test as_described_churn_trained was stopped after 2 seconds, the limit",
    ),
    (
        "000630 (57014): Statement reached its statement or warehouse timeout of 30 second(s) and "
        "was canceled.",
        "A statement was stopped after 30 seconds, its limit; name a larger warehouse",
    ),
]


@pytest.mark.parametrize(("message", "words"), SAID_BY_SNOWFLAKE)
def test_what_snowflake_says_becomes_what_to_do(message: str, words: str) -> None:
    sentence = sentence_of(message)
    assert words in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


def test_a_file_that_is_no_key_is_not_called_one() -> None:
    message = "Runtime Error\n  [Errno 2] No such file or directory: 'logs/x'"
    assert sentence_of(message) == "[Errno 2] No such file or directory: 'logs/x'"


def test_every_known_message_has_a_message_that_it_is_for() -> None:
    """An entry that none of these finds first is one that nothing shows to be right."""
    messages = [message for message, _ in SAID_BY_SNOWFLAKE]
    messages += [
        'Could not set lock on file "/a"',
        'The file "/a" exists, but it is not a valid DuckDB database file!',
        'Cannot open file "/a": Permission denied',
        "Conversion Error: Could not cast value inf to INT32 when casting from source column a",
    ]
    first = {
        next(known for known in KNOWN_MESSAGES if re.search(known.pattern, message))
        for message in messages
    }
    assert set(KNOWN_MESSAGES) - first == set()


def test_memory_of_a_laptop_is_not_called_a_warehouses() -> None:
    message = "Runtime Error in model t (models/t.py)\n  Python model failed:\n  Traceback (most "
    message += "recent call last):\n    File x\n  MemoryError: Unable to allocate 3.1 GiB"
    assert sentence_of(message) == "Unable to allocate 3.1 GiB"


def test_a_sentence_that_speaks_of_an_error_is_kept() -> None:
    assert sentence_of("Something Error happened here today") != ""


def test_a_long_message_takes_no_time() -> None:
    """A pattern that tries every way to split words into groups took minutes on this."""
    words = " ".join(["word"] * 60)
    started = time.perf_counter()
    assert sentence_of(f"{words} and no heading") == f"{words} and no heading"
    assert time.perf_counter() - started < 1


def test_several_sentences_stay_several_lines() -> None:
    assert sentence_of("FailFast Error in operation x (y)\n  One.\n  Two.") == "One.\nTwo."
