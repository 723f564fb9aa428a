"""Command line: `python -m customer_insights.sample --out DIR`."""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NoReturn

from customer_insights.sample.config import ShopConfig, ShopConfigError
from customer_insights.sample.scenarios import SCENARIOS
from customer_insights.sample.writers import write_csv, write_parquet

WRITERS = {"csv": write_csv, "parquet": write_parquet}


class _Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong, without the usage text before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{written!r} is no day like 2024-06-30.") from None


def _parser() -> argparse.ArgumentParser:
    default = ShopConfig()
    parser = _Parser(
        prog="python -m customer_insights.sample",
        description="Write the tables of a sample shop to files and print their row counts.",
        epilog="Scenarios: "
        + " ".join(f"{name}: {scenario.description}" for name, scenario in SCENARIOS.items()),
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write to")
    parser.add_argument("--prefix", default="", help="what file names start with")
    parser.add_argument("--format", choices=WRITERS, default="csv", help="default: csv")
    parser.add_argument("--scale", type=float, default=default.scale, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=default.seed, help="default: %(default)s")
    parser.add_argument("--days", type=int, default=default.days, help="default: %(default)s")
    parser.add_argument("--scenario", default=default.scenario, help="default: %(default)s")
    parser.add_argument(
        "--start-on",
        type=_day,
        default=default.start_on,
        metavar="DAY",
        help="default: %(default)s",
    )
    parser.add_argument(
        "--changes-on",
        type=_day,
        metavar="DAY",
        help="when a scenario begins to change visits; default: after two thirds of the days",
    )
    parser.add_argument(
        "--with-truth", action="store_true", help="also write what is true of sessions and reviews"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; the exit code is 2 where an argument cannot be used."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        config = ShopConfig(
            seed=given.seed,
            scale=given.scale,
            start_on=given.start_on,
            days=given.days,
            scenario=given.scenario,
            changes_on=given.changes_on,
        )
        rows = WRITERS[given.format](config, given.out, given.prefix, given.with_truth)
    except ShopConfigError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"{given.out} cannot be written ({error.strerror}).")
    for name, count in rows.items():
        print(f"{name} {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
