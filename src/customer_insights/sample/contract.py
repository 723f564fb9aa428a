"""The raw contract: columns, order and types of each table, and its key."""

import pyarrow as pa

AMOUNT = pa.decimal128(18, 2)
DURATION = pa.decimal128(18, 6)
TIMESTAMP = pa.timestamp("us")

KEYS: dict[str, tuple[str, ...]] = {
    "sessions": ("session_id",),
    "customers": ("customer_id",),
    "products": ("product_id",),
    "orders": ("order_id",),
    "order_items": ("order_id", "line_number"),
    "reviews": ("review_id",),
}


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


def _optional(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=True)


RAW_SCHEMAS: dict[str, pa.Schema] = {
    "sessions": pa.schema(
        [
            _required("session_id", pa.string()),
            _required("visitor_id", pa.string()),
            _optional("customer_id", pa.string()),
            _required("started_at", TIMESTAMP),
            _required("administrative", pa.int32()),
            _required("administrative_duration", DURATION),
            _required("informational", pa.int32()),
            _required("informational_duration", DURATION),
            _required("product_related", pa.int32()),
            _required("product_related_duration", DURATION),
            _required("bounce_rates", pa.float64()),
            _required("exit_rates", pa.float64()),
            _required("page_values", pa.float64()),
            _required("special_day", pa.float64()),
            _required("month", pa.string()),
            _required("operating_systems", pa.int32()),
            _required("browser", pa.int32()),
            _required("region", pa.int32()),
            _required("traffic_type", pa.int32()),
            _required("visitor_type", pa.string()),
            _required("weekend", pa.bool_()),
            _optional("page_load_time_ms", pa.int32()),
            _optional("product_type", pa.string()),
            _optional("product_layout", pa.string()),
            _optional("product_rating", pa.decimal128(3, 2)),
            _optional("is_purchase", pa.bool_()),
            _required("loaded_at", TIMESTAMP),
        ]
    ),
    "customers": pa.schema(
        [
            _required("customer_id", pa.string()),
            _required("signed_up_on", pa.date32()),
            _optional("gender", pa.string()),
            _optional("age", pa.int32()),
            _optional("location", pa.string()),
            _optional("plan", pa.string()),
            _required("loaded_at", TIMESTAMP),
        ]
    ),
    "products": pa.schema(
        [
            _required("product_id", pa.string()),
            _required("name", pa.string()),
            _required("category", pa.string()),
            _required("price_amount", AMOUNT),
            _required("loaded_at", TIMESTAMP),
        ]
    ),
    "orders": pa.schema(
        [
            _required("order_id", pa.string()),
            _required("customer_id", pa.string()),
            _optional("session_id", pa.string()),
            _required("ordered_at", TIMESTAMP),
            _required("status", pa.string()),
            _optional("status_changed_at", TIMESTAMP),
            _optional("discount_amount", AMOUNT),
            _optional("payment_method", pa.string()),
            _required("loaded_at", TIMESTAMP),
        ]
    ),
    "order_items": pa.schema(
        [
            _required("order_id", pa.string()),
            _required("line_number", pa.int32()),
            _required("product_id", pa.string()),
            _required("quantity", pa.int32()),
            _required("unit_price_amount", AMOUNT),
            _required("loaded_at", TIMESTAMP),
        ]
    ),
    "reviews": pa.schema(
        [
            _required("review_id", pa.string()),
            _optional("customer_id", pa.string()),
            _optional("product_id", pa.string()),
            _required("created_at", TIMESTAMP),
            _optional("rating", pa.int32()),
            _optional("title", pa.string()),
            _required("text", pa.string()),
            _optional("reply_at", TIMESTAMP),
            _required("loaded_at", TIMESTAMP),
        ]
    ),
}

TRUTH = "session_truth"

TRUTH_SCHEMA: pa.Schema = pa.schema(
    [
        _required("session_id", pa.string()),
        _required("purchase_probability", pa.float64()),
    ]
)

REVIEW_TRUTH = "review_truth"

# What a text was written to say. Sentiments are negative, neutral or positive; that of an aspect is
# null where the text does not mention it. `quality` is generic, basic or detailed; `topic` the
# aspect that the text speaks of first, or general.
REVIEW_TRUTH_SCHEMA: pa.Schema = pa.schema(
    [
        _required("review_id", pa.string()),
        _required("language", pa.string()),
        _required("sentiment", pa.string()),
        _required("quality", pa.string()),
        _required("topic", pa.string()),
        _optional("delivery_sentiment", pa.string()),
        _optional("price_sentiment", pa.string()),
        _optional("product_quality_sentiment", pa.string()),
        _optional("service_sentiment", pa.string()),
        _optional("returns_sentiment", pa.string()),
    ]
)

# What comes with the raw tables, and is written beside them where it is asked for.
TRUTH_SCHEMAS: dict[str, pa.Schema] = {TRUTH: TRUTH_SCHEMA, REVIEW_TRUTH: REVIEW_TRUTH_SCHEMA}

CHURN_TRUTH = "churn_truth"

CHURN_TRUTH_SCHEMA: pa.Schema = pa.schema(
    [
        _required("customer_id", pa.string()),
        _required("as_of_on", pa.date32()),
        _required("no_purchase_probability", pa.float64()),
    ]
)

PRODUCT_TRUTH = "product_truth"

PRODUCT_TRUTH_SCHEMA: pa.Schema = pa.schema(
    [
        _required("customer_id", pa.string()),
        _required("as_of_on", pa.date32()),
        _required("product_id", pa.string()),
        _required("probability", pa.float64()),
    ]
)

SCHEMAS: dict[str, pa.Schema] = {
    **RAW_SCHEMAS,
    **TRUTH_SCHEMAS,
    CHURN_TRUTH: CHURN_TRUTH_SCHEMA,
    PRODUCT_TRUTH: PRODUCT_TRUTH_SCHEMA,
}
