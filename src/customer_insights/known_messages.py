"""What engines and their drivers say when something is wrong, and what to tell a person instead.

Each entry is a pattern and a sentence; groups of the pattern stand in the sentence by their name.
The first entry that is found in a message decides, so the particular comes before the general.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class KnownMessage(NamedTuple):
    """What to tell a person where a message matches."""

    pattern: str
    sentence: str


SET_UP = "deploy/snowflake sets up what a run needs"

DUCKDB = (
    KnownMessage(
        r'Could not set lock on file "(?P<file>[^"]+)"',
        "The database {file} is in use by another program; close it, or wait for the other run to "
        "end, and try again.",
    ),
    KnownMessage(
        r'(?:The|Could not read from) file "(?P<file>[^"]+)" .*(?:not a valid DuckDB|DuckDB)',
        "The file {file} is not a DuckDB database, or is damaged; move it away, or name another "
        "with DUCKDB_PATH, and try again.",
    ),
    KnownMessage(
        r'(?:Cannot open|Could not read from) file "(?P<file>[^"]+)": (?P<why>.+)',
        "The database {file} cannot be opened ({why}); see to its permissions and folder, or name "
        "another with DUCKDB_PATH, and try again.",
    ),
    # Staging casts raw tables to their contract, and nothing else names a source's column.
    KnownMessage(
        r"Conversion Error: (?P<why>[^\n]{1,100})[^\n]* "
        r"when casting from source column (?P<column>\w+)",
        "The raw column {column} holds what cannot be read as its type ({why}); correct it, or set "
        "it to null where models/staging/_sources.yml allows that, and try again.",
    ),
)

# Before anything is sent: dbt reads the key (dbt.adapters.snowflake.auth, with the words of the
# package cryptography), the connector checks what it was given (snowflake.connector.connection
# and auth.keypair).
SNOWFLAKE_SETTINGS = (
    KnownMessage(
        r"Database Error\s+\[Errno \d+\] "
        r"(?P<why>No such file or directory|Is a directory|Permission denied): '(?P<file>[^']*)'",
        "The private key {file} cannot be read ({why}); correct SNOWFLAKE_PRIVATE_KEY_PATH.",
    ),
    KnownMessage(
        r"Expected bytes, RSAPrivateKey, or EllipticCurvePrivateKey, got <class 'NoneType'>",
        "No credentials are given; set SNOWFLAKE_PRIVATE_KEY_PATH, or "
        "SNOWFLAKE_AUTHENTICATOR=oauth and SNOWFLAKE_TOKEN.",
    ),
    KnownMessage(
        r"Unable to load PEM file",
        "The file that SNOWFLAKE_PRIVATE_KEY_PATH names is not a private key in PEM format; "
        "deploy/snowflake/README.md says how to make one.",
    ),
    # One wrong passphrase in 256 decrypts to something that only then turns out to be no key.
    KnownMessage(
        r"Could not deserialize key data",
        "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE does not fit the private key that "
        "SNOWFLAKE_PRIVATE_KEY_PATH names, or the file is damaged; correct it, or make another key "
        "(deploy/snowflake/README.md).",
    ),
    KnownMessage(
        r"Incorrect password, could not decrypt key"
        r"|Password was (?:not )?given but private key is (?:not )?encrypted",
        "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE does not fit the private key that "
        "SNOWFLAKE_PRIVATE_KEY_PATH names; correct it, or leave it out for a key without one.",
    ),
    KnownMessage(
        r"251001\b|Account must be specified",
        "SNOWFLAKE_ACCOUNT is not set; set it to the account (organization-account) and "
        "SNOWFLAKE_USER to the user.",
    ),
    KnownMessage(
        r"251005\b|User is empty",
        "SNOWFLAKE_USER is not set; set it to the user that dbt logs in as.",
    ),
)

# A login that fails: snowflake.connector.auth._auth puts `Failed to connect to DB: <host>:<port>. `
# before the server's own words; auth.by_plugin and network word what never reached a server.
SNOWFLAKE_LOGIN = (
    # snowflakedb/snowflake-connector-python issue 1364
    KnownMessage(
        r"Could not connect to Snowflake backend|Hit non-retryable SSL error",
        "Snowflake cannot be reached; check SNOWFLAKE_ACCOUNT and the network (proxy, firewall).",
    ),
    # An account that does not exist is an address without a page, or a forbidden one:
    # https://docs.snowflake.com/en/user-guide/admin-account-identifier
    # and snowflakedb/snowflake-connector-python issue 1269
    KnownMessage(
        r"404 Not Found: post (?P<host>[^\s/]+)/session/v1/login-request"
        r"|Verify the account name is correct: (?P<other_host>\S+?)\.(?:\s|$)",
        "There is no Snowflake account at {host}{other_host}; correct SNOWFLAKE_ACCOUNT "
        "(organization-account).",
    ),
    # https://docs.snowflake.com/en/user-guide/key-pair-auth-troubleshooting
    KnownMessage(
        r"JWT token is invalid\.? \[(?P<failure>[0-9a-f-]{36})\]",
        "Snowflake does not accept the private key of this user; check SNOWFLAKE_USER, "
        "SNOWFLAKE_PRIVATE_KEY_PATH and the user's rsa_public_key (an administrator sees why with "
        "select system$get_login_failure_details('{failure}')).",
    ),
    # The codes of a refusal: CREDENTIAL_REJECTION_GS_CODES of snowflake.connector.network (390100
    # and those of key pairs), 390303 and 390318 of OAuth tokens.
    KnownMessage(
        r"Incorrect username or password|JWT token is invalid|Invalid OAuth access token"
        r"|OAuth access token expired|\b39(?:0100|0144|430[0-6]|0303|0318) \(",
        "Snowflake does not accept these credentials; check SNOWFLAKE_USER and its key "
        "(SNOWFLAKE_PRIVATE_KEY_PATH) or SNOWFLAKE_TOKEN.",
    ),
    # 390189; where a token names roles, as dbt's documentation of external OAuth words it:
    # https://docs.getdbt.com/faqs/Troubleshooting/failed-snowflake-oauth-connection
    KnownMessage(
        r"Role '(?P<role>[^']+)' specified in the connect string does not exist or not authorized"
        r"|The role requested in the connection [^\n]*?\('(?P<other_role>[^']+)'\)",
        "The role {role}{other_role} does not exist, or this user or token may not use it; correct "
        f"SNOWFLAKE_ROLE, or grant the role ({SET_UP}).",
    ),
    # 390422: https://docs.snowflake.com/en/user-guide/network-policies
    KnownMessage(
        r"Incoming request with IP(?:/Token)? (?P<address>[^\s,]+)\s+is not allowed",
        "The network policy of Snowflake does not let {address} in; add the address to it "
        "(deploy/snowflake/50_network_policy.sql), or run from an address that it allows.",
    ),
    # Whatever else the server says: a locked user, a second factor, a suspended account.
    KnownMessage(
        r"Failed to connect to DB: \S+:\d+[.,] (?P<why>[^\n]+?)\.?\s*(?:\n|$)",
        "Snowflake refused the login: {why}.",
    ),
    KnownMessage(
        r"Failed to connect to DB",
        "Snowflake cannot be reached; check SNOWFLAKE_ACCOUNT and the network (proxy, firewall).",
    ),
)

# What Python stops at: the sandbox is full, or Python itself found no more room in it.
_OUT_OF_MEMORY = (
    r"(?:Function available memory exhausted"
    r"|Python Interpreter Error:[\s\S]*?(?:MemoryError\b|std::bad_alloc))"
)
_MORE_MEMORY = (
    "name a Snowpark-optimised warehouse that has more: TRAINING_WAREHOUSE for what trains, "
    "ML_WAREHOUSE for the rest (training_memory and training_size in "
    "deploy/snowflake/20_warehouses.sql)."
)
# 000630: the lowest of the limits of the account, the user, the session and the warehouse.
_OUT_OF_TIME = r"Statement reached its statement or warehouse timeout of (?P<seconds>\d+) second"
_MORE_TIME = (
    "name a larger warehouse (TRAINING_WAREHOUSE for what trains, DYNAMIC_TABLE_WAREHOUSE for a "
    "dynamic table, ML_WAREHOUSE for the rest), or raise its statement_timeout_in_seconds "
    "(deploy/snowflake/20_warehouses.sql)."
)

# What a statement stops at.
SNOWFLAKE_STATEMENTS = (
    # https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-troubleshooting and
    # https://docs.snowflake.com/en/user-guide/warehouses-snowpark-optimized
    KnownMessage(
        r"\bin model (?P<model>\S+) \([\s\S]*?" + _OUT_OF_MEMORY,
        "The model {model} needs more memory than its warehouse gives to Python; " + _MORE_MEMORY,
    ),
    KnownMessage(
        _OUT_OF_MEMORY,
        "Python needs more memory than its warehouse gives to it; " + _MORE_MEMORY,
    ),
    # https://docs.snowflake.com/en/sql-reference/parameters#statement-timeout-in-seconds
    KnownMessage(
        r"\bin (?P<kind>model|seed|snapshot|test) (?P<name>\S+) \([\s\S]*?" + _OUT_OF_TIME,
        "The {kind} {name} was stopped after {seconds} seconds, the limit of a statement; "
        + _MORE_TIME,
    ),
    KnownMessage(
        _OUT_OF_TIME,
        "A statement was stopped after {seconds} seconds, its limit; " + _MORE_TIME,
    ),
    # dbt lists the schemas of the target's database before anything else
    # (dbt.adapters.snowflake.impl.list_schemas): 002043, or 002003 with the name.
    KnownMessage(
        r'listing schemas in database "(?P<database>[^"]+)"'
        r"[\s\S]*(?:Object does not exist, or operation|does not exist or not authorized)",
        "The database {database} does not exist, or the role may not use it; correct "
        f"SNOWFLAKE_DATABASE or SNOWFLAKE_ROLE ({SET_UP}).",
    ),
    # dbt-labs/dbt-snowflake issue 300
    KnownMessage(
        r"000606 \(57P03\)|No active warehouse selected",
        "No warehouse can be used; check that the one that ML_WAREHOUSE names exists and that the "
        f"role may use it ({SET_UP}).",
    ),
    # A dynamic table names its own:
    # https://docs.snowflake.com/en/sql-reference/sql/create-dynamic-table
    KnownMessage(
        r"Warehouse '(?P<warehouse>[^']+)' does not exist or not authorized",
        "The warehouse {warehouse} does not exist, or the role may not use it; correct "
        "ML_WAREHOUSE or DYNAMIC_TABLE_WAREHOUSE.",
    ),
    # 090073: https://docs.snowflake.com/en/user-guide/resource-monitors
    KnownMessage(
        r"Warehouse '?(?P<warehouse>[^\s']+)'? cannot be resumed because resource monitor "
        r"'?(?P<monitor>[^\s']+)'? has exceeded its quota",
        "The warehouse {warehouse} has used up its credits; raise the quota of the resource "
        "monitor {monitor} (deploy/snowflake/20_warehouses.sql), or wait until it starts anew.",
    ),
    # 003001; what is missing is in a second sentence, which older releases do not have.
    # https://docs.snowflake.com/en/user-guide/security-access-control-privileges
    KnownMessage(
        r"Insufficient privileges to operate on\s+(?P<what>[^\n]+?)\.?\s+"
        r"Your primary role (?P<role>\S+) must have (?P<privilege>[A-Z ,]+?)\s+granted",
        "The role {role} lacks the privilege {privilege} on {what}; deploy/snowflake/30_grants.sql "
        "grants what a run needs.",
    ),
    KnownMessage(
        r"Insufficient privileges to operate on\s+(?P<what>[^\n]+?)\.?\s*(?:\n|$)",
        "The role of this run lacks a privilege on {what}; deploy/snowflake/30_grants.sql grants "
        "what a run needs.",
    ),
    KnownMessage(
        r"Stage '(?P<stage>[^']+)' does not exist or not authorized",
        "The stage {stage} does not exist, or the role may not use it; run deploy/snowflake/*.sql "
        "first.",
    ),
    # 391529: https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-packages
    KnownMessage(
        r"Anaconda terms must be accepted",
        "The terms of Snowflake's Python packages are not accepted yet; an administrator of the "
        "organization accepts them (https://docs.snowflake.com/en/developer-guide/udf/python/"
        "udf-python-packages).",
    ),
    # 391546, or 100357 where a procedure makes a function; the reason is not always there.
    KnownMessage(
        r"Cannot create a Python function with the specified packages"
        r"[^\n']*'(?P<why>[^\n']+?)\.?'",
        "Snowflake's channel cannot give the packages that +packages in dbt_project.yml asks for "
        "({why}); name versions that information_schema.packages lists.",
    ),
    KnownMessage(
        r"Cannot create a Python function with the specified packages",
        "Snowflake's channel cannot give the packages that +packages in dbt_project.yml asks for; "
        "name versions that information_schema.packages lists.",
    ),
)

KNOWN_MESSAGES = (*DUCKDB, *SNOWFLAKE_SETTINGS, *SNOWFLAKE_LOGIN, *SNOWFLAKE_STATEMENTS)


def known_sentence(message: str) -> str | None:
    """The sentence for a message of an engine; None where it is not one of those above."""
    for known in KNOWN_MESSAGES:
        found = re.search(known.pattern, message)
        if found:
            named = {name: text or "" for name, text in found.groupdict().items()}
            return known.sentence.format(**named)
    return None
