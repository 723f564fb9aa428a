"""Rows of staged files: SELECT from a stage, INFER_SCHEMA, COPY INTO a table.

https://docs.snowflake.com/en/user-guide/querying-stage and
https://docs.snowflake.com/en/sql-reference/sql/copy-into-table
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import sqlglot
from sqlglot import exp

from emulator import answers, dml, errors, execution, stages, translation
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import NAME, NAME_PART, ObjectName, Statement, split_name
from emulator.tables import text_of

Options = dict[str, Any]
_numbers = itertools.count(1)

_FORMAT = re.compile(
    rf"create\s+(?P<replace>or\s+replace\s+)?(?P<temporary>(?:scoped\s+)?temp(?:orary)?\s+)?"
    rf"file\s+format\s+"
    rf"(?P<exists>if\s+not\s+exists\s+)?(?P<name>{NAME})\s*(?P<options>.*)$",
    re.I | re.S,
)
_DROP_FORMAT = re.compile(rf"drop\s+file\s+format\s+(?:if\s+exists\s+)?(?P<name>{NAME})\s*$", re.I)
_INFER = re.compile(
    r"select\s+(?P<columns>[\w\s,*]+)\s+from\s+table\s*\(\s*infer_schema\s*\((?P<arguments>.*)\)\s*\)",
    re.I | re.S,
)
_COPY = re.compile(
    rf"copy\s+into\s+(?P<name>{NAME})\s*(?:\((?P<columns>[^()]*)\)\s*)?from\s+(?P<rest>.*)$",
    re.I | re.S,
)
_OPTION = re.compile(
    r"(\w+)\s*=\s*(?:\((?P<list>(?:[^()']|'(?:[^'\\]|\\.|'')*')*)\)|(?P<value>'(?:[^'\\]|\\.|'')*'|\$\$.*?\$\$|[\w.@/]+))",
    re.S,
)


def handle(statement: Statement, session: Session) -> Answer | None:
    if found := _FORMAT.match(statement.body):
        formats = session.file_formats if found["temporary"] else kept_formats(session)
        formats[session.name_of(found["name"])] = options_of(found["options"])
        return answers.status(f"File format {found['name']} successfully created.")
    if found := _DROP_FORMAT.match(statement.body):
        name = session.name_of(found["name"])
        if session.file_formats.pop(name, None) is None:
            kept_formats(session).pop(name, None)
        return answers.status(f"{found['name']} successfully dropped.")
    if found := _INFER.match(statement.body):
        return _infer_schema(found, session)
    if found := _COPY.match(statement.body):
        return _copy(found, session)
    return None


def kept_formats(session: Session) -> dict[ObjectName, Options]:
    """The file formats that are not temporary."""
    formats: dict[ObjectName, Options] = session.account.extras.setdefault("file_formats", {})
    return formats


def options_of(text: str) -> Options:
    """`A = 1 B = 'x' C = ('y', 'z')` as a dict with names in upper case."""
    found: Options = {}
    for match in _OPTION.finditer(text):
        if match["list"] is not None:
            inner = match["list"]
            nested = options_of(inner)
            found[match[1].upper()] = nested or [
                text_of(one) for one in re.findall(r"'(?:[^'\\]|\\.|'')*'", inner)
            ]
        else:
            value = match["value"]
            found[match[1].upper()] = text_of(value) if value[0] in "'$" else value.upper()
    return found


def named_format(session: Session, text: str | None) -> Options:
    if not text:
        return {}
    name = session.name_of(text)
    formats = {**kept_formats(session), **session.file_formats}
    if name not in formats:
        raise errors.compilation(
            f"File format '{name}' does not exist or not authorized.", 2003, "02000"
        )
    return formats[name]


def _format_of(session: Session, options: Options) -> Options:
    inner = options.get("FILE_FORMAT") or {}
    if isinstance(inner, str):
        return named_format(session, inner)
    return {**named_format(session, inner.get("FORMAT_NAME")), **inner}


# -- reading ---------------------------------------------------------------------------------------


@contextmanager
def reading_as(
    session: Session, file_format: Options, files: list[tuple[str, Path]] | None = None
) -> Iterator[None]:
    """Stages in the queries of this block are read with this format, and only these files."""
    session.account.extras["reading"] = (file_format, files)
    try:
        yield
    finally:
        del session.account.extras["reading"]


def rewrite(tree: exp.Expression, session: Session) -> exp.Expression:
    """Put a DuckDB reader in place of each `@stage`, and its columns in place of `$1`."""
    for table in list(tree.find_all(exp.Table)):
        text = table.this.name if isinstance(table.this, (exp.Var, exp.Literal)) else ""
        if not text.strip("'").startswith("@"):
            continue
        text = text.strip("'")
        file_format, files = session.account.extras.get("reading", ({}, None))
        if given := table.args.get("format"):
            file_format = named_format(
                session,
                text_of(given.sql("snowflake")) if given.is_string else given.sql("snowflake"),
            )
        if files is None:
            pattern = table.args.get("pattern")
            files = stages.files_of(session, text, pattern.name if pattern else None)
        _rewrite_one(tree, table, file_format, files, session)
    return tree


def _rewrite_one(
    tree: exp.Expression,
    table: exp.Table,
    file_format: Options,
    files: list[tuple[str, Path]],
    session: Session,
) -> None:
    is_parquet = file_format.get("TYPE", "CSV") == "PARQUET"
    highest = 1
    for parameter in list(tree.find_all(exp.Parameter)):
        extraction = parameter.parent
        if is_parquet and isinstance(extraction, exp.JSONExtract):
            # `$1:"A"` is the file's column itself: through JSON, binary values would be lost.
            key = extraction.expression.find(exp.JSONPathKey)
            extraction.replace(exp.column(exp.to_identifier(str(key.this), quoted=True)))
            continue
        number = int(parameter.name)
        highest = max(highest, number)
        parameter.replace(exp.column(exp.to_identifier(f"${number}", quoted=True)))
    for column in list(tree.find_all(exp.Column)):
        if column.name.upper() in ("METADATA$FILENAME", "METADATA$FILE_ROW_NUMBER"):
            column.set("this", exp.to_identifier(column.name.upper(), quoted=True))
    sql = parquet_sql(file_format, files) if is_parquet else csv_sql(file_format, files, highest)
    # A view keeps DuckDB's SQL away from the transforms of Snowflake's.
    name = f"STAGED_{next(_numbers)}"
    execution.execute(session, f'create or replace temp view "{name}" as {sql}')
    reader = exp.table_(name, db="main", catalog="temp", quoted=True)
    reader.set("alias", table.args.get("alias"))
    table.replace(reader)


def parquet_sql(file_format: Options, files: list[tuple[str, Path]]) -> str:
    selects = []
    for name, file in files:
        changes = _parquet_changes(file, file_format)
        star = f"* replace ({', '.join(changes)})" if changes else "*"
        selects.append(
            f"select {star}, '{name}' as \"METADATA$FILENAME\", "
            f'row_number() over () as "METADATA$FILE_ROW_NUMBER" from read_parquet({_quote(file)})'
        )
    if not selects:
        return 'select null as "$1" where false'
    return " union all by name ".join(selects)


def _parquet_changes(file: Path, file_format: Options) -> list[str]:
    """What Snowflake reads of a column where DuckDB reads its logical type.

    Without USE_LOGICAL_TYPE a time stamp is its number; with BINARY_AS_TEXT, the default, a binary
    column is text (https://docs.snowflake.com/en/sql-reference/sql/create-file-format).
    """
    changes = []
    scanner = file_format.get("USE_VECTORIZED_SCANNER") == "TRUE"
    for field in pq.read_schema(file):
        column = f'"{field.name}"'
        kind = str(field.type)
        if kind.startswith("timestamp") and not (
            scanner or file_format.get("USE_LOGICAL_TYPE") == "TRUE"
        ):
            changes.append(f"epoch_us({column}) as {column}")
        if kind in ("binary", "large_binary") and not (
            scanner or file_format.get("BINARY_AS_TEXT") == "FALSE"
        ):
            changes.append(f"decode({column}) as {column}")
    return changes


def csv_sql(file_format: Options, files: list[tuple[str, Path]], highest: int = 1) -> str:
    """Columns `$1`, `$2`, ... of text. https://docs.snowflake.com/en/sql-reference/sql/create-file-format"""
    delimiter = str(file_format.get("FIELD_DELIMITER", ",")).replace("\\t", "\t")
    quote = file_format.get("FIELD_OPTIONALLY_ENCLOSED_BY", "NONE")
    quote = "" if quote == "NONE" else quote
    skip = int(file_format.get("SKIP_HEADER", 0)) + (file_format.get("PARSE_HEADER") == "TRUE")
    nulls = list(file_format.get("NULL_IF", ["\\N"]))
    if file_format.get("EMPTY_FIELD_AS_NULL", "TRUE") == "TRUE":
        nulls.append("")
    selects = []
    for name, file in files:
        width = max(highest, _width(file, delimiter, quote))
        columns = ", ".join(f"'${place + 1}': 'VARCHAR'" for place in range(width))
        compression = "gzip" if file.suffix == ".gz" else "none"
        selects.append(
            f"select *, '{name}' as \"METADATA$FILENAME\", "
            'row_number() over () as "METADATA$FILE_ROW_NUMBER" '
            f"from read_csv({_quote(file)}, auto_detect=false, header=false, "
            f"columns={{{columns}}}, "
            f"delim={_text(delimiter)}, quote={_text(quote)}, escape={_text(quote)}, skip={skip}, "
            f"nullstr=[{', '.join(map(_text, nulls))}], allow_quoted_nulls=false, "
            "null_padding=true, "
            f"new_line='\\n', compression='{compression}', parallel=false)"
        )
    if not selects:
        return 'select null as "$1" where false'
    return " union all by name ".join(selects)


def _width(file: Path, delimiter: str, quote: str) -> int:
    settings: dict[str, Any] = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    compressed = file.suffix == ".gz"
    with gzip.open(file, "rt", newline="") if compressed else file.open(newline="") as lines:
        rows = csv.reader(itertools.islice(lines, 50), delimiter=delimiter, **settings)
        return max((len(row) for row in rows), default=1)


def _text(value: str) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _quote(file: Path) -> str:
    return _text(str(file))


# -- INFER_SCHEMA ----------------------------------------------------------------------------------


def _infer_schema(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/functions/infer_schema"""
    given = dict(re.findall(r"(\w+)\s*=>\s*'([^']*)'", found["arguments"]))
    given = {key.upper(): value for key, value in given.items()}
    file_format = named_format(session, given.get("FILE_FORMAT"))
    files = stages.files_of(session, given["LOCATION"])
    if not files:
        raise errors.SnowflakeError("No files were found in the location.", 100069, "22000")
    rows = []
    for place, field in enumerate(pq.read_schema(files[0][1])):
        rows.append(
            (
                field.name,
                _inferred(field.type, file_format),
                "true",
                f'$1:"{field.name}"',
                files[0][0],
                place,
            )
        )
    types = {"COLUMN_NAME": "text", "TYPE": "text", "NULLABLE": "text", "EXPRESSION": "text",
             "FILENAMES": "text", "ORDER_ID": "fixed"}  # fmt: skip
    answer = answers.rows(types, rows, answers.SELECT)
    wanted = [name.strip().upper() for name in found["columns"].split(",")]
    if wanted != ["*"]:
        places = [list(types).index(name) for name in wanted]
        answer.columns = [answer.columns[place] for place in places]
        answer.table = answer.table.select(places)
    return answer


def _inferred(kind: Any, file_format: Options) -> str:
    text = str(kind)
    if text.startswith("decimal"):
        return f"NUMBER({kind.precision}, {kind.scale})"
    if text.startswith(("int", "uint")):
        return "NUMBER(38, 0)"
    if text in ("double", "float", "halffloat"):
        return "REAL"
    if text == "bool":
        return "BOOLEAN"
    if text == "date32[day]":
        return "DATE"
    logical = "TRUE" in (
        file_format.get("USE_LOGICAL_TYPE"),
        file_format.get("USE_VECTORIZED_SCANNER"),
    )
    if text.startswith("timestamp"):
        if not logical:
            return "NUMBER(38, 0)"
        return "TIMESTAMP_LTZ" if kind.tz else "TIMESTAMP_NTZ"
    if text in ("binary", "large_binary"):
        return "BINARY" if file_format.get("BINARY_AS_TEXT") == "FALSE" or logical else "TEXT"
    if text.startswith(("list", "large_list")):
        return "ARRAY"
    if text.startswith(("struct", "map")):
        return "OBJECT"
    return "TEXT"


# -- COPY INTO a table -----------------------------------------------------------------------------


def _copy(found: re.Match[str], session: Session) -> Answer:
    name = session.name_of(found["name"])
    columns_there = translation.columns_of(session, name)
    if columns_there is None:
        raise errors.no_such_object("Table", name)
    dml.refuse_dynamic(session, name)
    select, place, rest = _source(found["rest"])
    options = options_of(rest)
    file_format = {"TYPE": "CSV", **_format_of(session, options)}
    files = stages.files_of(session, place, options.get("PATTERN"))
    if wanted := options.get("FILES"):
        files = [
            (label, file)
            for label, file in files
            if any(label.endswith("/" + one) for one in wanted)
        ]
    loaded = _loaded(session, name)
    if options.get("FORCE") != "TRUE":
        files = [one for one in files if _mark(one) not in loaded]
    if not files:
        return answers.status("Copy executed with 0 files processed.", answers.SELECT)
    target_columns = split_columns(found["columns"]) or columns_there
    rows = []
    for label, file in files:
        count = _load(session, name, target_columns, select, file_format, options, (label, file))
        loaded.add(_mark((label, file)))
        rows.append((label, "LOADED", count, count, 1, 0, None, None, None, None))
        if options.get("PURGE") == "TRUE":
            file.unlink()
    types = {"file": "text", "status": "text", "rows_parsed": "fixed", "rows_loaded": "fixed",
             "error_limit": "fixed", "errors_seen": "fixed", "first_error": "text",
             "first_error_line": "fixed", "first_error_character": "fixed",
             "first_error_column_name": "text"}  # fmt: skip
    return answers.rows(types, rows, answers.SELECT)


def split_columns(text: str | None) -> list[str]:
    return [split_name(part)[0] for part in re.findall(NAME_PART, text)] if text else []


def _source(rest: str) -> tuple[str | None, str, str]:
    """The SELECT (or None), the stage reference, and the options after them."""
    if rest.startswith("("):
        depth, end, quoted = 0, 0, False
        for place, letter in enumerate(rest):
            if letter == "'":
                quoted = not quoted
            elif not quoted:
                depth += {"(": 1, ")": -1}.get(letter, 0)
                if depth == 0:
                    end = place
                    break
        select = rest[1:end].strip()
        found = re.search(rf"from\s+'?({stages.STAGE}|@[^\s')]+)'?", select, re.I)
        if not found:
            raise errors.syntax("COPY INTO ... FROM (SELECT ... FROM @stage)")
        select = select.replace(f"'{found[1]}'", found[1])
        return select, found[1], rest[end + 1 :]
    found = re.match(r"'?(@[^\s'();]+)'?", rest)
    if not found:
        raise errors.syntax("COPY INTO ... FROM @stage")
    return None, found[1], rest[found.end() :]


def _loaded(session: Session, name: ObjectName) -> set[tuple[str, str]]:
    """Files that a table has loaded: COPY leaves them out, until the table is made anew.

    https://docs.snowflake.com/en/user-guide/data-load-considerations-load
    """
    if name in session.temporary:
        return set()
    info = session.account.info(name)
    marks: set[tuple[str, str]] = info.loaded
    return marks


def _mark(file: tuple[str, Path]) -> tuple[str, str]:
    return (file[0], hashlib.md5(file[1].read_bytes()).hexdigest())


def _load(
    session: Session,
    name: ObjectName,
    columns: list[str],
    select: str | None,
    file_format: Options,
    options: Options,
    file: tuple[str, Path],
) -> int:
    target = translation.physical_sql(session, name)
    names = ", ".join(f'"{column}"' for column in columns)
    if select is not None:
        with reading_as(session, file_format, [file]):
            tree = sqlglot.parse_one(select, read="snowflake")
            sql = execution.flat(session, translation.to_duckdb(tree, session))
        return execution.touch(session, f"insert into {target} ({names}) {sql}")
    if file_format["TYPE"] == "PARQUET":
        return _load_parquet(session, name, target, file_format, options, file)
    sql = csv_sql(file_format, [file], len(columns))
    width = _width(
        file[1],
        str(file_format.get("FIELD_DELIMITER", ",")),
        str(file_format.get("FIELD_OPTIONALLY_ENCLOSED_BY", "")),
    )
    if (
        width != len(columns)
        and file_format.get("ERROR_ON_COLUMN_COUNT_MISMATCH", "TRUE") == "TRUE"
    ):
        raise errors.SnowflakeError(
            f"Number of columns in file ({width}) does not match that of the corresponding table "
            f"({len(columns)}), "
            "use file format option error_on_column_count_mismatch=false to ignore this error",
            100080,
            "22000",
        )
    values = ", ".join(f'"${place + 1}"' for place in range(len(columns)))
    return execution.touch(session, f"insert into {target} ({names}) select {values} from ({sql})")


def _load_parquet(
    session: Session,
    name: ObjectName,
    target: str,
    file_format: Options,
    options: Options,
    file: tuple[str, Path],
) -> int:
    """https://docs.snowflake.com/en/sql-reference/sql/copy-into-table"""
    matching = options.get("MATCH_BY_COLUMN_NAME", "NONE")
    there = translation.columns_of(session, name) or []
    if matching == "NONE":
        raise errors.compilation(
            "PARQUET file format can produce one and only one column of type variant, object, or "
            "array. Load data into separate columns using the MATCH_BY_COLUMN_NAME copy option or "
            "copy with transformation.",
            2019,
            "0A000",
        )
    in_file = [field.name for field in pq.read_schema(file[1])]
    pairs = [
        (column, wanted)
        for column in there
        for wanted in in_file
        if wanted == column or (matching == "CASE_INSENSITIVE" and wanted.upper() == column.upper())
    ]
    names = ", ".join(f'"{column}"' for column, _ in pairs)
    values = ", ".join(f'"{wanted}"' for _, wanted in pairs)
    sql = parquet_sql(file_format, [file])
    return execution.touch(session, f"insert into {target} ({names}) select {values} from ({sql})")
