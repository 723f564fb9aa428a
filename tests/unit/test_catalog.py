"""Models and their features, as the catalogs resolve them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from customer_insights.catalog import Feature, read_specs

if TYPE_CHECKING:
    from conftest import Shop


def catalog(rows: list[tuple[str, str, str, str, bool, str | None, bool]]) -> pa.Table:
    names = ("task", "model_name", "feature", "kind", "is_calendar", "leak_reason", "is_baseline")
    columns: dict[str, pa.Array] = {
        name: pa.array(values, pa.bool_() if name.startswith("is_") else pa.string())
        for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }
    label = {
        "label_name": "won",
        "primary_metric": "f1",
        "label_settings": "random_seed|leak_roc_auc",
    }
    return pa.table(columns | {name: [value] * len(rows) for name, value in label.items()})


ROWS = catalog(
    [
        ("intent", "late", "pages", "number", False, None, False),
        ("intent", "early", "visitor", "category", False, None, False),
        ("churn", "churn", "orders", "number", False, None, True),
        ("intent", "late", "page_values", "number", False, "computed from purchases", False),
        ("intent", "early", "month", "category", True, None, False),
    ]
)


def test_a_task_has_its_own_models_in_the_order_of_their_names(shop: Shop) -> None:
    specs = read_specs(shop.relate(ROWS), "intent", shop.run_context())
    assert [spec.model_name for spec in specs] == ["early", "late"]
    assert {(spec.label_name, spec.primary_metric) for spec in specs} == {("won", "f1")}


def test_features_are_in_the_order_of_their_names_whatever_the_order_of_the_catalog(
    shop: Shop,
) -> None:
    backwards = ROWS.take(pa.array(range(ROWS.num_rows - 1, -1, -1)))
    for rows in (ROWS, backwards):
        early, late = read_specs(shop.relate(rows), "intent", shop.run_context())
        assert early.feature_names == ("month", "visitor")
        assert late.feature_names == ("page_values", "pages")


def test_a_model_carries_the_values_of_the_settings_that_its_label_depends_on(shop: Shop) -> None:
    (churn,) = read_specs(shop.relate(ROWS), "churn", shop.run_context(random_seed=3))
    assert churn.label_settings == (("leak_roc_auc", 0.85), ("random_seed", 3))


def test_a_feature_may_stand_as_a_baseline(shop: Shop) -> None:
    (churn,) = read_specs(shop.relate(ROWS), "churn", shop.run_context())
    assert churn.features == (Feature("orders", "number", is_baseline=True),)


def test_a_feature_carries_its_kind_its_calendar_mark_and_whether_it_may_leak(shop: Shop) -> None:
    early, late = read_specs(shop.relate(ROWS), "intent", shop.run_context())
    assert early.features[0] == Feature("month", "category", is_calendar=True)
    assert late.features == (
        Feature("page_values", "number", may_leak=True),
        Feature("pages", "number"),
    )


def test_a_task_without_models_has_none(shop: Shop) -> None:
    assert read_specs(shop.relate(ROWS), "recommendations", shop.run_context()) == []
