"""Where a function of the warehouse begins: a staged step over batches of rows.

Snowflake imports this module in a process of its own, which can read no table. What a step needs
is in a file that the function imports:
https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-creating#reading-files-statically-specified-with-imports
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from customer_insights.engine.protocol import Input, RowStep
from customer_insights.explaining import ExplainStep
from customer_insights.scoring import ScoreStep
from customer_insights.text.aspects import AspectStep
from customer_insights.text.details import DetailStep
from customer_insights.text.language import LanguageStep
from customer_insights.text.scoring import SentimentStep
from customer_insights.topics.assigning import TopicStep

STEP_FILE = "step.json"
STEPS: Mapping[str, Callable[[dict[str, Any]], RowStep]] = {
    "aspects": AspectStep.from_json,
    "details": DetailStep.from_json,
    "explain": ExplainStep.from_json,
    "language": LanguageStep.from_json,
    "score": ScoreStep.from_json,
    "sentiment": SentimentStep.from_json,
    "topics": TopicStep.from_json,
}


def made_as_json(rows: pd.DataFrame) -> list[str]:
    """What the step makes of each row: a JSON list of rows, each the list of its values.

    Args:
        rows: one column for each of the step's inputs, in their order.

    """
    step = _step()
    columns = [_column(rows[place], column) for place, column in enumerate(step.inputs)]
    names = [column.name for column in step.inputs]
    made = step.apply(pa.RecordBatch.from_arrays(columns, names=names))
    values = list(zip(*(column.to_pylist() for column in made.columns), strict=True))
    each = step.rows_each
    return [json.dumps(values[place * each : (place + 1) * each]) for place in range(len(rows))]


# Set on the function, as Snowflake documents it for a handler in a staged file; mypy knows no
# attributes of functions: https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-batch
made_as_json._sf_vectorized_input = pd.DataFrame  # type: ignore[attr-defined]


@cache
def _step() -> RowStep:
    """The step that this function was made for; read once in each process."""
    folder = Path(str(sys._xoptions["snowflake_import_directory"]))
    written = json.loads((folder / STEP_FILE).read_text(encoding="utf-8"))
    return STEPS[written["step"]](written)


def _column(values: pd.Series[Any], column: Input) -> pa.Array:
    kind = pa.float64() if column.kind in ("number", "boolean") else pa.string()
    return pa.array(values, kind, from_pandas=True)
