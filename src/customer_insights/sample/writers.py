"""Write the shop to files, one a table, with one block of people in memory at a time."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from customer_insights.sample.config import ShopConfig
from customer_insights.sample.contract import RAW_SCHEMAS, SCHEMAS, TRUTH_SCHEMAS
from customer_insights.sample.generator import generate_blocks

TRUTH_FOLDER = "truth"

CENT_SCALE = 2


def write_csv(
    config: ShopConfig, folder: Path, prefix: str = "", with_truth: bool = False
) -> dict[str, int]:
    """Write `<prefix><table>.csv` files in key order.

    Booleans are true or false, times `YYYY-MM-DD HH:MM:SS`, a null is empty.

    Args:
        config: what to generate.
        folder: where to, made if it does not exist; files of the same name are replaced.
        prefix: what file names start with.
        with_truth: also write what is true of sessions and reviews, to the folder `truth` below.

    Returns:
        Number of rows by table.

    Raises:
        OSError: the folder cannot be written.
        ShopConfigError: the scenario needs more rows than the shop has.

    """
    return _write(config, _paths(folder, prefix, ".csv", with_truth), _CsvWriter)


def write_parquet(
    config: ShopConfig, folder: Path, prefix: str = "", with_truth: bool = False
) -> dict[str, int]:
    """Write `<prefix><table>.parquet` files in key order, a row group for each block of people.

    Arguments, result and errors are those of `write_csv`.
    """
    return _write(config, _paths(folder, prefix, ".parquet", with_truth), parquet.ParquetWriter)


def _paths(folder: Path, prefix: str, suffix: str, with_truth: bool) -> dict[str, Path]:
    paths = {name: folder / f"{prefix}{name}{suffix}" for name in RAW_SCHEMAS}
    if with_truth:
        paths |= {name: folder / TRUTH_FOLDER / f"{prefix}{name}{suffix}" for name in TRUTH_SCHEMAS}
    return paths


def _write(
    config: ShopConfig,
    paths: dict[str, Path],
    open_file: Callable[[Path, pa.Schema], Any],
) -> dict[str, int]:
    rows = dict.fromkeys(paths, 0)
    with ExitStack() as files:
        writers = {}
        for name, path in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            writers[name] = files.enter_context(open_file(path, SCHEMAS[name]))
        for tables in generate_blocks(config):
            for name, writer in writers.items():
                if tables[name].num_rows:
                    writer.write_table(tables[name])
                    rows[name] += tables[name].num_rows
    return rows


class _CsvWriter:
    """Writes tables as lines of text, with quotes only where a value needs them."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = path.open("w", encoding="utf-8", newline="\n")
        self._file.write(",".join(schema.names) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write_table(self, table: pa.Table) -> None:
        """Append the rows of a table."""
        fields = [_as_text(column) for column in table.columns]
        lines = pc.binary_join_element_wise(
            *fields, ",", null_handling="replace", null_replacement=""
        )
        self._file.writelines(f"{line}\n" for line in lines.to_pylist())


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Spell the values of a column the way the CSV files do."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("s")).cast(pa.string())
    text = column.cast(pa.string())
    if pa.types.is_decimal(column.type) and column.type.scale > CENT_SCALE:
        # Durations are measured in tenths: zeros after them would only make the file longer.
        return pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")
    if pa.types.is_string(column.type):
        quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
        return pc.if_else(pc.match_substring_regex(text, '[",\r\n]'), quoted, text)
    return text
