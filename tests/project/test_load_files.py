"""load_files: what it loads, what it refuses and what it leaves behind."""

import csv
import gzip
import io
import json
import random
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from conftest import PROJECT_DIR, DbtProject, DbtResult, create_dbt_project

HEADER = "order_id,customer_id,ordered_at,status"
UCI_HEADER = (
    "Administrative,Administrative_Duration,Informational,Informational_Duration,ProductRelated,"
    "ProductRelated_Duration,BounceRates,ExitRates,PageValues,SpecialDay,Month,OperatingSystems,"
    "Browser,Region,TrafficType,VisitorType,Weekend,Revenue"
)


def load(path: Path | str, table: str | None = None, **options: object) -> list[str]:
    """The dbt arguments of one load."""
    arguments = {"path": str(path), **({"table": table} if table else {})}
    call = ["run-operation", "load_files", "--args", json.dumps(arguments)]
    return [*call, "--vars", json.dumps(options)] if options else call


def orders(*rows: str, header: str = HEADER, end: str = "\n") -> bytes:
    """An orders file."""
    return "".join(line + end for line in (header, *rows)).encode()


def order_rows(count: int, start: int = 0) -> list[str]:
    """Rows of an orders file that fit."""
    return [f"o{n},c{n % 7},2024-01-02 03:04:05,placed" for n in range(start, start + count)]


def parquet(select: str) -> Callable[[Path], None]:
    """Writes the result of a query as a Parquet file."""

    def write(path: Path) -> None:
        with duckdb.connect() as connection:
            connection.execute(f"copy ({select}) to '{path}' (format parquet)")

    return write


def damaged_parquet(path: Path) -> None:
    parquet("select range as order_id from range(1000)")(path)
    content = path.read_bytes()
    path.write_bytes(content[:50] + b"\x99" * (len(content) - 58) + content[-8:])


def broken_off_parquet(path: Path) -> None:
    parquet("select range as order_id from range(1000)")(path)
    path.write_bytes(path.read_bytes()[:-20])


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(5 * 1024**3)


def no_file(path: Path) -> None:
    """Leaves the path empty."""


def folder(files: Mapping[str, bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.mkdir()
        for name, content in files.items():
            (path / name).write_bytes(content)

    return write


# Random letters do not compress: a cut takes rows away, not only the trailer.
RANDOM = random.Random(1)
LONG_ROWS = [
    f"{RANDOM.getrandbits(200):x},c,2024-01-01,{RANDOM.getrandbits(200):x}" for _ in range(5000)
]
GZIP = gzip.compress(orders(*LONG_ROWS))


@dataclass(frozen=True)
class Refusal:
    """An input that ends the load: what it is, and the words of the sentence."""

    name: str
    content: bytes | Callable[[Path], None]
    words: tuple[str, ...]
    table: str | None = None


REFUSALS = {
    "missing": Refusal("missing/orders.csv", no_file, ("There is no file or folder",)),
    "missing_table": Refusal(
        "a.csv", orders(), ("There is no raw table 'baskets'", "customers, order_items"), "baskets"
    ),
    "hostile_table": Refusal(
        "b.csv", orders(), ("There is no raw table",), "orders; drop schema raw cascade"
    ),
    "unknown_name": Refusal("baskets.csv", orders(), ("says no raw table", "give `table`")),
    "empty_folder": Refusal("empty", folder({}), ("There is no file or folder",)),
    "useless_folder": Refusal(
        "notes", folder({"notes.txt": b"x"}), ("no .csv, .csv.gz or .parquet file", "notes.txt")
    ),
    "extension": Refusal("orders.txt", orders(), ("neither .csv, .csv.gz nor .parquet",)),
    "remote": Refusal(
        "unused.csv", orders(), ("is not on this machine", "allow_remote_files"), "orders"
    ),
    "png": Refusal(
        "orders.csv",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9,
        ("is not a CSV file", "a PNG image"),
    ),
    "excel": Refusal("x/orders.csv", b"PK\x03\x04" + bytes(99), ("an Excel workbook",)),
    "utf16": Refusal("u/orders.csv", orders().decode().encode("utf-16"), ("UTF-16 text",)),
    "binary": Refusal("y/orders.csv", orders("o,\0,2024-01-01,x"), ("binary data",)),
    "latin1": Refusal(
        "z/orders.csv", "order_id\né".encode("latin-1"), ("is not a CSV file", "not UTF-8")
    ),
    "gzip_named_csv": Refusal("g/orders.csv", GZIP, ("a gzip file", "name it .csv.gz")),
    "csv_named_gzip": Refusal("orders.csv.gz", orders(), ("is not a gzip file: it holds text",)),
    "csv_named_parquet": Refusal("orders.parquet", orders(), ("is not a Parquet file", "text")),
    "parquet_named_csv": Refusal(
        "q/orders.csv", parquet("select 1 as order_id"), ("a Parquet file", "name it .parquet")
    ),
    "damaged_parquet": Refusal("d/orders.parquet", damaged_parquet, ("damaged",)),
    "broken_off_parquet": Refusal("e/orders.parquet", broken_off_parquet, ("breaks off",)),
    "empty": Refusal("f/orders.csv", b"", ("is empty (0 bytes)",)),
    "blank": Refusal("h/orders.csv", b"\n\r\n \n", ("has no header line",)),
    "empty_gzip": Refusal("h/orders.csv.gz", gzip.compress(b""), ("has no header line",)),
    "truncated_gzip": Refusal("t/orders.csv.gz", GZIP[:-9], ("damaged or breaks off",)),
    "half_gzip": Refusal("v/orders.csv.gz", GZIP[: len(GZIP) // 2], ("damaged or breaks off",)),
    "latin1_gzip": Refusal(
        "w/orders.csv.gz", gzip.compress("order_id\né".encode("latin-1")), ("UTF-8 text",)
    ),
    "missing_column": Refusal(
        "i/orders.csv",
        orders("o,c,2024-01-01", header="order_id,customer_id,ordered_at"),
        ("lacks the column status of orders", "_sources.yml"),
    ),
    "renamed_column": Refusal(
        "j/orders.csv",
        orders("o,c,2024-01-01,placed", header="Order ID,customer_id,ordered_at,state"),
        (
            "lacks columns order_id, status",
            "has 'order id', 'state'",
            "rename 'order id' to order_id",
        ),
    ),
    "semicolons": Refusal(
        "k/orders.csv", orders(header=HEADER.replace(",", ";")), ("separated by semicolons",)
    ),
    "duplicate_column": Refusal(
        "l/orders.csv", orders(header=HEADER + ",Status"), ("more than one column named 'status'",)
    ),
    "duplicate_parquet_column": Refusal(
        "l/orders.parquet", parquet('select 1 as a, 2 as "A "'), ("more than one column named 'a'",)
    ),
    "all_rejected": Refusal(
        "m/orders.csv",
        orders("o1,c1,yesterday,placed", "o2,,2024-01-01,placed"),
        (
            "None of the 2 rows",
            "line 2",
            "ordered_at: 'yesterday' is not a time",
            "nothing was loaded",
        ),
    ),
    "never_closed": Refusal(
        "n/orders.csv",
        orders(*order_rows(2), 'o9,"c,2024-01-01,placed', *order_rows(2)),
        ("row that starts on line 4", "never closed"),
    ),
    "never_closed_gzip": Refusal(
        "n/orders.csv.gz",
        gzip.compress(orders(*order_rows(2), "", 'o8,"c\nd",2024-01-01,x', 'o9,c,2024-01-01,"x')),
        ("opens a quoted field that is never closed",),
    ),
    "never_closed_header": Refusal(
        "r/orders.csv",
        orders(*order_rows(2), header=HEADER.replace("status", '"status')),
        ("row that starts on line 1 ", "never closed"),
    ),
    "broken_header": Refusal(
        "w/orders.csv",
        orders(*order_rows(2), header=HEADER.replace("order_id", '"order"_id')),
        ("The header line", "goes on after its closing quote"),
    ),
    "mixed_line_ends": Refusal(
        "s/orders.csv", orders(*order_rows(2)) + b"o9,c,2024-01-01,x\r\n", ("one kind of line end",)
    ),
    "hostile_header": Refusal(
        "o/orders.csv",
        orders(header='"{{ 1 / 0 }}","x\'); drop schema raw cascade; --","""a"""'),
        ("lacks columns order_id", "{{ 1 / 0 }}", "drop schema raw"),
    ),
    "second_file_of_folder": Refusal(
        "both",
        folder({"customers.csv": b"customer_id,signed_up_on\nk1,2024-01-01\n", "orders.csv": b""}),
        ("is empty (0 bytes)",),
    ),
    "backslash_pattern": Refusal("a\\[1].csv", orders(), ("has a backslash beside a *",)),
    "too_large": Refusal("huge/orders.csv", huge, ("larger than 4 GB", "smaller files")),
}


@pytest.fixture(scope="module")
def refused(module_dbt_project: DbtProject) -> dict[str, DbtResult]:
    """A shop with orders and rejects, then every refusal, in one process."""
    inputs = module_dbt_project.folder / "inputs"
    good = inputs / "good.csv"
    inputs.mkdir()
    good.write_bytes(orders(*order_rows(5), "bad,c1,never,placed"))
    calls = [load(good, "orders")]
    for refusal in REFUSALS.values():
        path = inputs / refusal.name
        path.parent.mkdir(exist_ok=True)
        if isinstance(refusal.content, bytes):
            path.write_bytes(refusal.content)
        else:
            refusal.content(path)
        calls.append(load(path, refusal.table))
    calls[1 + list(REFUSALS).index("remote")] = load("https://example.com/orders.csv", "orders")
    calls.append(load(good, "orders", raw_schema="raw; drop table raw.orders"))
    calls.append(["run-operation", "load_files"])
    results = module_dbt_project.run_many(calls)
    return dict(zip(["good", *REFUSALS, "bad_setting", "no_path"], results, strict=True))


@pytest.mark.parametrize("name", [*REFUSALS, "bad_setting", "no_path"])
def test_refusal_is_one_sentence_and_changes_nothing(
    refused: dict[str, DbtResult], name: str
) -> None:
    words = {
        "bad_setting": ("Setting 'raw_schema' is", "it must be"),
        "no_path": ("load_files needs a path",),
    }
    before = refused["good"].row_counts
    result = refused[name]
    assert before == {"raw.load_manifest": 1, "raw.load_rejects": 1, "raw.orders": 5}
    assert result.exit_code != 0, result.output
    assert result.row_counts == before, "the load left something behind"
    # The sentence is one line of our own error, never an error of the engine.
    sentence = next(
        line for line in result.output.splitlines() if line.startswith("  ") and line.strip()
    )
    assert re.search("(Compilation|FailFast) Error in macro load_files", result.output)
    for word in REFUSALS[name].words if name in REFUSALS else words[name]:
        assert word in sentence
    assert sentence.rstrip().endswith(".")


def test_nothing_refused_is_left_after_the_process(
    refused: dict[str, DbtResult], module_dbt_project: DbtProject
) -> None:
    assert refused
    assert module_dbt_project.query(
        "select count(*), count(distinct loaded_at) from raw.orders"
    ) == [(5, 1)]
    tables = module_dbt_project.query("select table_name from information_schema.tables order by 1")
    assert tables == [("load_manifest",), ("load_rejects",), ("orders",)]


def test_command_line_ends_with_an_exit_code(dbt_project: DbtProject) -> None:
    path = dbt_project.folder / "orders.csv.gz"
    path.write_bytes(GZIP[:-9])
    result = dbt_project.run_dbt(*load(path), check=False)
    assert result.exit_code == 1
    assert "damaged or breaks off before its end" in result.output
    assert "Traceback" not in result.output
    assert not dbt_project.query("select table_name from information_schema.tables")


@dataclass(frozen=True)
class Loads:
    """What a series of loads printed and left."""

    results: dict[str, DbtResult]
    project: DbtProject
    inputs: Path

    def rejects(self, file: str) -> list[tuple[int, str]]:
        """Line and reason of each row of a file that was rejected."""
        return self.project.query(
            "select line, reason from raw.load_rejects "
            f"where file = '{self.inputs / file}' order by line"
        )

    def manifest(self, file: str) -> list[tuple[str, int, int, int]]:
        """The loads of a file: table, rows in it, loaded, rejected."""
        return self.project.query(
            "select table_name, rows_in_file, rows_loaded, rows_rejected from raw.load_manifest "
            f"where file = '{self.inputs / file}' order by loaded_at"
        )


BAD_ROWS = [
    "o1,c1,2024-01-01 10:00:00,placed,,1.50",
    "o2,c2,2024-13-01,placed,,",
    "o3,,2024-01-01,placed,,",
    "o4,c4,2024-01-01,placed,,ten",
    "o5,c5,2024-01-01,placed,,99999999999999999999",
    "o6,c6,2024-01-01",
    "o7,c7,2024-01-01,placed,,1,extra",
    'o8,"c8",2024-01-01,"pla"ced,,',
    '"o9","c ""9"", x\r\ny",2024-01-01,placed,,',
    "o10,c10,infinity,placed,2024-02-30,",
    "o1,c1,2024-01-01 10:00:00,placed,,2.50",
    'o11,5" wide,2024-01-01T10:00:00+02:00,placed,2024-06-30 12:00:00Z,-0.5',
    "'); drop table raw.orders; --,{{ 1 / 0 }},2024-01-01,placed,,",
]
BAD_HEADER = "order_id,customer_id,ordered_at,status,status_changed_at,discount_amount"

ODD_FILES = ("linux.csv", "windows.csv", "linux.csv.gz", "windows.csv.gz")


def odd_rows(name: str) -> list[list[str]]:
    """Rows whose texts are made of what a CSV file treats in a special way."""
    generator = random.Random(name)  # text seeds are stable
    line_end = "\r\n" if name.startswith("windows") else "\n"
    pieces = ["a", '"', '""', ",", line_end, " ", "é", "'", "\t", "\\", "#", ";"]

    def text() -> str:
        return "".join(generator.choices(pieces, k=generator.randint(1, 6)))

    return [[f"{name}{n}", text(), "2024-01-01", text()] for n in range(500)]


def odd_file(name: str) -> bytes:
    """Those rows as Python writes them."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n" if name.startswith("windows") else "\n")
    writer.writerows([HEADER.split(","), *odd_rows(name)])
    content = buffer.getvalue().encode()
    return gzip.compress(content) if name.endswith("gz") else content


PRODUCTS = (
    "select range as product_id, 'n' as name, 'c' as category, "
    "case when range < 3 then 1.5 when range = 3 then 'nan'::double else 1e300 end as price_amount "
    "from range(5)"
)


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> Loads:
    """Loads that succeed, in one process and one database."""
    project = create_dbt_project(tmp_path_factory.mktemp("loads"))
    inputs = project.folder / "in"
    inputs.mkdir()

    def put(name: str, content: bytes) -> Path:
        path = inputs / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    calls = {}
    bad = put("bad_rows.csv", orders(*BAD_ROWS, header=BAD_HEADER))
    calls["bad_rows"] = load(bad, "orders")
    calls["again"] = load(bad, "orders")
    calls["other_name"] = load(put("copy.csv", bad.read_bytes()), "orders")
    calls["bad_rows_gz"] = load(
        put(
            "c/orders.csv.gz",
            gzip.compress(orders(*BAD_ROWS[:2], "", *BAD_ROWS[2:5], header=BAD_HEADER)),
        )
    )
    calls["header_only"] = load(put("h/reviews.csv", b"review_id,created_at,text"))
    calls["crlf"] = load(
        put(
            "crlf.csv",
            b"\xef\xbb\xbf"
            + orders(
                'w1,"c\r\nd",2024-01-01,placed',
                "w2,c,2024-01-01,bad\x0b,x",
                header=HEADER.replace("order_id", '"order_id"'),
                end="\r\n",
            ),
        ),
        "orders",
    )
    calls["extra"] = load(
        put(
            "x/orders.csv",
            orders("e1,c,2024-01-01,placed,9,1999-01-01", header=HEADER + ",Zip Code,loaded_at"),
        ),
    )
    calls["old_mac"] = load(put("mac.csv", orders("m1,c,2024-01-01,placed", end="\r")), "orders")
    parquet(PRODUCTS)(inputs / "products.parquet")
    calls["parquet"] = load(inputs / "products.parquet")
    names = [
        "it's.csv",
        "a b.csv",
        "a*.csv",
        "a[1].csv",
        "a?.csv",
        "{{ 1 / 0 }}.csv",
        "%s %20.csv",
        "a\\b.csv",
    ]
    for number, name in enumerate(names):
        calls[name] = load(put(f"n/{name}", orders(f"n{number},c,2024-01-01,placed")), "orders")
    put("a1.csv", b"never read")
    shutil.copytree(PROJECT_DIR / "seeds" / "sample", inputs / "shop")
    put("shop/truth/orders.csv", b"never read")
    calls["folder"] = load(f"{inputs / 'shop'}/")
    calls["folder_again"] = load(inputs / "shop")
    (inputs / "parts").mkdir()
    put("parts/1.csv", orders(*order_rows(3, 100)))
    put("parts/2.csv", orders(*order_rows(4, 200), "z,z,z,z"))
    put("parts/3.csv", orders(*order_rows(3, 100)))
    calls["parts"] = load(inputs / "parts", "orders")
    (inputs / "odd").mkdir()
    for name in ODD_FILES:
        put(f"odd/{name}", odd_file(name))
    calls["odd"] = load(inputs / "odd", "orders")
    put("v/orders.csv", orders("v1,c,2024-01-01,placed"))
    calls["version_1"] = load(inputs / "v/orders.csv")
    calls["relative"] = load("in/shop/sample_orders.csv")
    results = project.run_many(list(calls.values()))
    put("v/orders.csv", orders("v1,c,2024-01-01,shipped"))
    results += project.run_many([load(inputs / "v/orders.csv")])
    return Loads(dict(zip([*calls, "version_2"], results, strict=True)), project, inputs)


def test_all_loads_succeed(loads: Loads) -> None:
    assert [name for name, result in loads.results.items() if result.exit_code] == []


def test_bad_rows_are_rejected_with_line_and_reason(loads: Loads) -> None:
    assert loads.rejects("bad_rows.csv") == [
        (3, "ordered_at: '2024-13-01' is not a time like 2024-06-30 12:00:00"),
        (4, "customer_id: value is missing"),
        (5, "discount_amount: 'ten' is not a number"),
        (6, "discount_amount: '99999999999999999999' is too large for decimal(18, 2)"),
        (7, "the row has 3 fields, the header 6"),
        (8, "the row has 7 fields, the header 6"),
        (9, "a quoted field goes on after its closing quote"),
        (
            12,
            "ordered_at: 'infinity' is not a time like 2024-06-30 12:00:00; "
            "status_changed_at: '2024-02-30' is not a time like 2024-06-30 12:00:00",
        ),
    ]
    assert loads.manifest("bad_rows.csv") == [("orders", 13, 5, 8)]
    lines = loads.results["bad_rows"].info_lines()
    assert len(lines) == 1
    assert lines[0].startswith(
        "Loaded 5 rows of orders from bad_rows.csv, 8 rejected: see raw.load_rejects"
    )
    records = loads.project.query("select record from raw.load_rejects where line = 7")
    assert ("o6,c6,2024-01-01",) in records


def test_good_rows_beside_bad_ones_are_loaded_as_they_are(loads: Loads) -> None:
    rows = loads.project.query(
        "select order_id, customer_id, ordered_at::varchar, status_changed_at::varchar, "
        "discount_amount::varchar "
        "from raw.orders join raw.load_manifest using (loaded_at) "
        f"where file = '{loads.inputs / 'bad_rows.csv'}' order by discount_amount, order_id"
    )
    assert rows == [
        ("o11", '5" wide', "2024-01-01 08:00:00", "2024-06-30 12:00:00", "-0.50"),
        ("o1", "c1", "2024-01-01 10:00:00", None, "1.50"),
        ("o1", "c1", "2024-01-01 10:00:00", None, "2.50"),
        ("'); drop table raw.orders; --", "{{ 1 / 0 }}", "2024-01-01 00:00:00", None, None),
        ("o9", 'c "9", x\r\ny', "2024-01-01 00:00:00", None, None),
    ]


def test_counts_always_add_up(loads: Loads) -> None:
    wrong = loads.project.query(
        "select * from raw.load_manifest "
        "where rows_in_file != rows_loaded + rows_rejected or loaded_at is null"
    )
    assert wrong == []
    loaded = loads.project.query(
        "select table_name, sum(rows_loaded) from raw.load_manifest group by all order by all"
    )
    for table, rows in loaded:
        assert loads.project.query(f"select count(*) from raw.{table}") == [(rows,)]
    assert loads.project.query(
        "select sum(rows_rejected) from raw.load_manifest"
    ) == loads.project.query("select count(*) from raw.load_rejects")


@pytest.mark.parametrize("name", ["again", "other_name"])
def test_same_content_is_never_loaded_twice(loads: Loads, name: str) -> None:
    assert loads.results[name].row_counts == loads.results["bad_rows"].row_counts
    file = "copy.csv" if name == "other_name" else "bad_rows.csv"
    assert loads.results[name].info_lines() == [f"Already loaded {file} into orders, nothing to do"]


def test_changed_file_comes_beside_the_old_one(loads: Loads) -> None:
    assert loads.manifest("v/orders.csv") == [("orders", 1, 1, 0), ("orders", 1, 1, 0)]
    rows = loads.project.query(
        "select status from raw.orders where order_id = 'v1' order by loaded_at"
    )
    assert rows == [("placed",), ("shipped",)]


def test_gzip_keeps_line_numbers(loads: Loads) -> None:
    assert [line for line, _ in loads.rejects("c/orders.csv.gz")] == [3, 5, 6, 7]
    assert loads.manifest("c/orders.csv.gz") == [("orders", 5, 1, 4)]


def test_header_only_file_is_a_load_of_no_rows(loads: Loads) -> None:
    assert loads.manifest("h/reviews.csv") == [("reviews", 0, 0, 0)]
    assert loads.results["header_only"].info_lines() == [
        "Loaded 0 rows of reviews from reviews.csv, 0 rejected"
    ]
    types = loads.project.query(
        "select data_type from information_schema.columns where table_schema = 'raw' "
        "and table_name = 'reviews' and column_name in ('rating', 'created_at', 'text') order by 1"
    )
    assert types == [("INTEGER",), ("TIMESTAMP",), ("VARCHAR",)]


@pytest.mark.parametrize("name", ODD_FILES)
def test_any_text_survives_quoting(loads: Loads, name: str) -> None:
    rows = loads.project.query(
        "select order_id, customer_id, status from raw.orders "
        f"where starts_with(order_id, '{name}')"
    )
    expected = {(key, first, second) for key, first, _, second in odd_rows(name)}
    number = re.compile(re.escape(name) + "[0-9]+")  # linux.csv also starts linux.csv.gz
    assert {row for row in rows if number.fullmatch(row[0])} == expected


def test_byte_order_mark_and_windows_line_ends(loads: Loads) -> None:
    assert loads.project.query("select customer_id from raw.orders where order_id = 'w1'") == [
        ("c\r\nd",)
    ]
    assert loads.rejects("crlf.csv") == [(4, "the row has 5 fields, the header 4")]
    assert loads.manifest("mac.csv") == [("orders", 1, 1, 0)]


def test_extra_columns_are_named_and_loaded_at_is_ours(loads: Loads) -> None:
    assert (
        "Ignored columns of orders.csv that orders does not have: 'zip code'"
        in loads.results["extra"].output
    )
    assert (
        loads.project.query(
            "select order_id from raw.orders "
            "where year(loaded_at) < 2020 or loaded_at > now()::timestamp"
        )
        == []
    )


def test_parquet_rows_are_numbered_and_nan_is_missing(loads: Loads) -> None:
    assert loads.rejects("products.parquet") == [
        (4, "price_amount: value is missing"),
        (5, "price_amount: '1e+300' is too large for decimal(18, 2)"),
    ]
    [(record,)] = loads.project.query(
        "select record from raw.load_rejects where line = 5 and table_name = 'products'"
    )
    assert json.loads(record)["product_id"] == 4


def test_path_is_read_literally(loads: Loads) -> None:
    rows = loads.project.query(
        "select order_id from raw.orders where order_id similar to 'n[0-9]' order by 1"
    )
    assert [row[0] for row in rows] == [f"n{number}" for number in range(8)]


def test_folder_loads_one_file_per_table_and_no_subfolder(loads: Loads) -> None:
    seeds = sorted((PROJECT_DIR / "seeds" / "sample").glob("*.csv"))
    for seed in seeds:
        table = seed.stem.removeprefix("sample_")
        [(found, rows, loaded, rejected)] = loads.manifest(f"shop/{seed.name}")
        assert (found, rejected) == (table, 0)
        assert rows == loaded > 0
    assert len(seeds) == len(
        loads.project.query("select 1 from raw.load_manifest where file like '%/in/shop/%'")
    )
    assert loads.results["folder_again"].row_counts == loads.results["folder"].row_counts
    assert loads.results["folder_again"].output.count("nothing to do") == len(seeds)


def test_folder_of_one_table_skips_a_copy(loads: Loads) -> None:
    assert [loads.manifest(f"parts/{name}.csv") for name in "123"] == [
        [("orders", 3, 3, 0)],
        [("orders", 5, 4, 1)],
        [],
    ]
    assert "Already loaded 3.csv into orders" in loads.results["parts"].output


def test_relative_path_starts_where_dbt_runs(loads: Loads) -> None:
    assert loads.results["relative"].info_lines() == [
        "Already loaded sample_orders.csv into orders, nothing to do"
    ]


@pytest.fixture(scope="module")
def online_shoppers(
    tmp_path_factory: pytest.TempPathFactory, shared_data: Path
) -> list[DbtProject]:
    """The UCI file in two databases: under its own name, and under another with a bad row."""
    original = shared_data / "online_shoppers_intention.csv"
    projects = []
    for number in range(2):
        project = create_dbt_project(tmp_path_factory.mktemp(f"uci{number}"))
        path, table = (
            (original, None) if number == 0 else (project.folder / "orders.csv", "sessions")
        )
        if number:
            header, *lines = original.read_text().splitlines()
            assert header == UCI_HEADER
            bad = lines[0].replace("Feb", "Smarch")
            odd = lines[0].replace(",FALSE,FALSE", ",maybe,FALSE")
            path.write_text(
                "\n".join([header.upper(), *lines, bad, odd, lines[0].replace("Feb", "Jun")]) + "\n"
            )
        [result] = project.run_many([load(path, table)])
        assert result.exit_code == 0, result.output
        projects.append(project)
    return projects


def test_online_shoppers_counts(online_shoppers: list[DbtProject]) -> None:
    assert online_shoppers[0].query(
        "select count(*), count(distinct session_id), count(case when is_purchase then 1 end) "
        "from raw.sessions"
    ) == [(12330, 12330, 1908)]


def test_online_shoppers_dates_agree_with_month_and_weekend(
    online_shoppers: list[DbtProject],
) -> None:
    wrong = online_shoppers[0].query(
        "select * from raw.sessions "
        "where (isodow(started_at) >= 6) != weekend or year(started_at) != 2017 "
        "or left(monthname(started_at), 3) != left(month, 3) or customer_id is not null"
    )
    assert wrong == []
    [(days, hours)] = online_shoppers[0].query(
        "select count(distinct started_at::date), count(distinct hour(started_at)) "
        "from raw.sessions"
    )
    assert days > 290
    assert hours == 24


def test_online_shoppers_rows_are_a_function_of_the_file(online_shoppers: list[DbtProject]) -> None:
    first, second = (
        project.query("select * exclude (loaded_at) from raw.sessions order by session_id")
        for project in online_shoppers
    )
    assert set(first) <= set(second)
    assert len(second) == len(first) + 1


def test_online_shoppers_bad_rows_are_rejected(online_shoppers: list[DbtProject]) -> None:
    assert online_shoppers[1].query("select line, reason from raw.load_rejects order by line") == [
        (12332, "month: 'Smarch' is no month like Feb or June"),
        (12333, "weekend: 'maybe' is neither true nor false"),
    ]
