"""A card says what the tables say, no more, and nothing in them is markup or code."""

from __future__ import annotations

import datetime as dt
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from dbt.clients.jinja import get_rendered

from customer_insights.cards.card import Card, cards
from customer_insights.cards.markup import escaped, interval
from customer_insights.cards.pictures import (
    Bin,
    Point,
    calibration_picture,
    importance_picture,
    interval_picture,
)
from customer_insights.cards.site import site_page
from customer_insights.cards.writing import write_cards
from customer_insights.errors import CustomerInsightsError

HOSTILE = (
    "{{ env_var('HOME') }} {% enddocs %} {# | <script>x</script> ![a](b) `c` _d_ **e**\n# f \x07"
)
VERSION = "2024-10-01-f3017cad"


def run(**changes: Any) -> dict[str, Any]:
    """A row of the decision log: only what is never null has a value."""
    return {
        "model_run_id": "churn-1",
        "model_name": "churn",
        "decision_number": 1,
        "model_version": VERSION,
        "decided_at": dt.datetime(2024, 11, 2, 5, 42),
        "decision": "trained_promoted",
        "reason": "no model serves yet",
        "is_champion": True,
        "primary_metric": "roc_auc",
        "label_definition_version": 1,
        "parameters": json.dumps({"max_depth": 4, "label_settings": {"churn_window_days": 90}}),
        "feature_names": json.dumps(["order_count", "page_values"]),
        "library_versions": "{}",
        **changes,
    }


MEASURED = run(
    test_rows=376, test_positives=188, roc_auc=0.887, roc_auc_low=0.853, roc_auc_high=0.914,
    best_single_feature="order_count", best_single_feature_roc_auc=0.801, constant_pr_auc=0.5,
    lead_over_best_single_feature=0.086, lead_over_best_single_feature_low=0.061,
    lead_over_best_single_feature_high=0.116,
)  # fmt: skip
CATALOG = {
    "model_name": "churn",
    "feature_table": "customer_features",
    "label_name": "is_churned",
    "known_when": "as_of",
    "description": "Who will stay away.",
}
FEATURES = [
    {
        "feature_table": table,
        "feature": feature,
        "known_when": known_when,
        "source_table": "orders",
        "is_outcome_derived": is_derived,
        "is_protected": False,
        "description": f"What {feature} is.",
        "leak_reason": reason,
    }
    for table, feature, known_when, is_derived, reason in (
        ("customer_features", "order_count", "as_of", False, None),
        ("customer_features", "page_values", "after_session", True, "Computed from purchases."),
        ("other_features", "order_count", "never", False, None),
    )
]


def card_of(**tables: Any) -> Card:
    (card,) = cards({"model_runs": [MEASURED], "model_catalog": [CATALOG], **tables})
    return card


def section(card: Card, title: str) -> str:
    return card.markdown.split(f"## {title}\n")[1].split("\n## ")[0]


def test_a_measured_number_stands_with_its_interval_beside_the_baselines() -> None:
    said = section(card_of(), "How good it is")
    assert "| metric | this version | a constant | order_count alone |" in said
    assert "| ROC-AUC | 0.887 [0.853, 0.914] | 0.5 by definition | 0.801 |" in said
    assert "| PR-AUC | not measured | 0.500 | not measured |" in said
    assert "| order_count alone | 0.086 [0.061, 0.116] |" in said
    assert "| the champion before it (there was none) | not measured |" in said


def test_without_figures_a_card_has_none_and_says_so() -> None:
    (card,) = cards({"model_runs": [run()]})
    known = {"2024", "11", "02", "05", "42", "10", "01", "4", "90", "1", "95", "0.5"}
    words = re.sub(f"{VERSION}|F1|sha256", "", unescape(card.markdown))
    assert set(re.findall(r"\d+(?:\.\d+)?", words)) <= known
    assert not card.pictures
    for title in ("How it has done since", "Calibration", "What moves its scores"):
        assert re.search("issing|nothing is measured", section(card, title))
    for title in ("Slices of new rows", "Gender, age and location"):
        assert "Missing:" in section(card, title)


def test_each_feature_stands_with_what_its_own_catalog_says_of_it() -> None:
    card = card_of(feature_catalog=FEATURES)
    said = section(card, "Features")
    assert "| order_count | as_of | orders | no | no | What order_count is. |  |" in said
    assert "| yes | no | What page_values is. | Computed from purchases. |" in said
    assert "never" not in said
    assert "- page_values: derived from the outcome" in section(card, "Limits")


def test_the_upper_bound_is_named_of_a_model_that_is_asked_in_session() -> None:
    assert "upper bound" not in section(card_of(), "Limits")
    asked = card_of(model_catalog=[{**CATALOG, "known_when": "in_session"}])
    assert "upper bound" in section(asked, "Limits")


def test_the_champion_is_the_newest_version_that_a_decision_let_serve() -> None:
    better = run(decision_number=3, model_version="better", reason="it is better")
    log = [
        run(
            decision_number=5, model_version="worse", decision="trained_rejected", is_champion=False
        ),
        run(decision_number=4, model_version="better", decision="kept", reason="kept: older"),
        run(decision_number=6, model_version="better", decision="kept", reason="kept: newest"),
        better,
        MEASURED,
    ]
    (card,) = cards({"model_runs": log})
    assert card.model_version == "better"
    assert f"the champion before it ({VERSION})" in card.markdown
    said = section(card, "Decisions")
    assert "kept: newest" in said
    assert "kept: older" not in said
    assert said.index("| 6 |") < said.index("| 5 |") < said.index("| 3 |") < said.index("| 1 |")
    nobody = run(is_champion=False, model_version=None, decision="not_enough_labels")
    assert cards({"model_runs": [nobody]}) == []


RATES = {
    "model_name": "churn", "model_version": VERSION, "expected_rate": 0.2, "observed_rate": 0.25,
    "observed_rate_low": 0.1, "observed_rate_high": 0.5,
}  # fmt: skip
DECEMBER, NOVEMBER = dt.date(2024, 12, 1), dt.date(2024, 11, 1)


def performance(window: dt.date, observed_rate: float | None) -> dict[str, Any]:
    return {
        **RATES, "observed_rate": observed_rate, "window_start_on": window, "window_end_on": window,
        "scored_rows": 400, "matured_rows": 300, "positives": 100,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("november", "source"), [(0.25, "score_calibration"), (None, "test_row_calibration")]
)
def test_calibration_is_of_new_rows_where_enough_are_final_else_of_test_rows(
    november: float | None, source: str
) -> None:
    bins = [
        {**RATES, "window_start_on": day, "score_bin": 0, "matured_rows": 30, "positives": 8}
        for day in (NOVEMBER, DECEMBER)
    ]
    card = card_of(
        model_performance=[performance(NOVEMBER, november), performance(DECEMBER, None)],
        score_calibration=bins,
        test_row_calibration=[{**RATES, "score_decile": 1, "test_rows": 32, "positives": 8}],
    )
    said = section(card, "Calibration")
    assert f"From {source}: " in said
    assert said.count("0.250 [0.100, 0.500]") == 1
    assert f"{source}: observed rate" in card.pictures["churn_calibration.svg"]


def test_slices_are_of_the_newest_window_with_what_was_wrong_before() -> None:
    def slice_of(window: dt.date, name: str, is_wrong: bool | None) -> dict[str, Any]:
        return {
            **RATES, "window_start_on": window, "slice": name, "matured_rows": 120,
            "is_miscalibrated": is_wrong, "adjusted_p_value": None if is_wrong is None else 0.5,
        }  # fmt: skip

    rows = [
        slice_of(dt.date(2025, 1, 1), "immature", None),
        slice_of(NOVEMBER, "wrong", True),
        slice_of(NOVEMBER, "right", False),
        slice_of(DECEMBER, "x <= 1", False),
        slice_of(DECEMBER, "rare", None),
    ]
    said = section(card_of(slice_performance=rows), "Slices of new rows")
    assert [line.split(" | ")[:2] for line in unescape(said).splitlines() if "| 120 |" in line] == [
        ["| 2024-12-01", "x <= 1"],
        ["| 2024-11-01", "wrong"],
    ]


def test_a_group_with_too_few_rows_is_not_measured() -> None:
    group = {**RATES, "column_name": "gender", "slice": "female", "test_rows": 190}
    small = {
        **group,
        "slice": "other",
        "test_rows": 8,
        "expected_rate": None,
        "observed_rate": None,
    }
    said = section(card_of(protected_slices=[small, group]), "Gender, age and location")
    assert "| gender | female | 190 | 0.200 | 0.250 [0.100, 0.500] |" in said
    assert "| gender | other | 8 | not measured | not measured |" in said


def measured(name: str, value: float | None) -> dict[str, float | None]:
    ends = (0.0, -0.1, 0.1)
    return {
        f"{name}{end}": None if value is None else value + away
        for end, away in zip(("", "_low", "_high"), ends, strict=True)
    }


def ranked(ranker: str, segment: str, ndcg: float | None, version: str) -> dict[str, Any]:
    """A row of recommendation_quality."""
    leads = ("ndcg_lead_over_own_history", "ndcg_lead_over_popularity")
    return {
        "as_of_on": NOVEMBER, "ranker": ranker, "model_version": version, "item_kind": "all",
        "segment": segment, "customers": 40, "is_served": ranker == "popularity",
        **measured("ndcg_10", ndcg), **measured("hit_rate_10", ndcg),
        **{name: value for lead in leads for name, value in measured(lead, 0.05).items()},
    }  # fmt: skip


RANKINGS = [
    ranked(ranker, segment, None if segment == "EMPTY" else ndcg, version)
    for segment in ("ALL", "EMPTY", "REGULAR")
    for ranker, ndcg, version in (
        ("model", 0.3, VERSION),
        ("own_history", 0.25, "own_history"),
        ("popularity", 0.2, "popularity"),
        ("item_lift", 0.9, "item_lift"),
    )
]


def test_a_ranker_is_shown_beside_rules_by_segment() -> None:
    card = card_of(recommendation_quality=RANKINGS)
    said = section(card, "What its order is worth")
    assert "ranked by: popularity." in said
    assert "| any product | ALL | 40 | 0.300 [0.200, 0.400] | 0.300 [0.200, 0.400] | 0.050" in said
    assert "| REGULAR |" in said
    assert "EMPTY" not in said
    assert "an order, which is looked at below" in section(card, "Calibration")
    drawing = card.pictures["churn_ranking.svg"]
    # A mark of each series for each of two groups, and one in the legend.
    assert drawing.count("<circle") == 3
    assert drawing.count('width="7"') == 6
    assert "item_lift" not in drawing
    assert "REGULAR (40)" in drawing


def test_of_another_version_a_ranking_is_not_shown() -> None:
    other = [{**row, "model_version": "other"} for row in RANKINGS]
    lists = {"ranker": "model", "model_version": "other", "segment": "ALL"}
    card = card_of(recommendation_quality=other, recommendation_performance=[lists])
    assert "What its order is worth" not in card.markdown
    assert "nothing is measured" in section(card, "How it has done since")
    assert not card.pictures


def test_lists_that_were_served_are_shown_newest_first() -> None:
    def lists(day: dt.date, segment: str, *, has_fallen: bool | None) -> dict[str, Any]:
        return {
            "as_of_on": day, "ranker": "model", "model_version": VERSION, "segment": segment,
            "customers": 50, "has_fallen": has_fallen, **measured("ndcg_10", 0.3),
            **measured("hit_rate_10", 0.5),
        }  # fmt: skip

    rows = [
        lists(NOVEMBER, "ALL", has_fallen=None),
        lists(DECEMBER, "ALL", has_fallen=True),
        lists(DECEMBER, "REGULAR", has_fallen=False),
    ]
    said = section(card_of(recommendation_performance=rows), "How it has done since")
    figures = "50 | 0.300 [0.200, 0.400] | 0.500 [0.400, 0.600]"
    assert [line for line in said.splitlines() if line.startswith("| 2024")] == [
        f"| 2024-12-01 | {figures} | yes |",
        f"| 2024-11-01 | {figures} | not measured |",
    ]


def test_sentiment_is_shown_by_language_of_the_texts_that_it_scored() -> None:
    def quality(language: str, texts: int, period: str, value: float | None) -> dict[str, Any]:
        counts = {f"{what}_count": texts for what in ("text", "negative", "neutral", "positive")}
        figures = measured("macro_f1", value) | measured("roc_auc", value)
        return {"period": period, "language": language, **counts, **figures}

    rows = [
        quality("en", 30, "newest", 0.8),
        quality("ja", 4, "newest", None),
        quality("all", 34, "newest", 0.7),
        quality("de", 99, "all", 0.6),
    ]
    sentiment = {**CATALOG, "task": "review_sentiment"}
    card = card_of(model_catalog=[sentiment], review_sentiment_quality=rows)
    lines = [
        line
        for line in section(card, "By language").splitlines()
        if "| 4 |" in line or "0." in line
    ]
    assert [line.split(" | ")[0] for line in lines] == ["| all", "| en", "| ja"]
    assert lines[2].endswith("| not measured | not measured |")
    drawing = card.pictures["churn_languages.svg"]
    assert "ja (4)" not in drawing
    assert drawing.count("<circle") == 3
    assert "By language" not in card_of(review_sentiment_quality=rows).markdown


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("score_explanations", "so a mean is a lower bound"),
        ("training", "7 of the test rows with high scores"),
    ],
)
def test_importance_says_which_rows_it_is_of(source: str, words: str) -> None:
    rows = [
        {
            "model_name": "churn", "model_version": VERSION, "feature": feature,
            "explained_rows": 7, "named_rows": 7, "mean_absolute_contribution": size,
            "explained_by": source,
        }
        for feature, size in (("order_count", 0.25), ("page_values", 1.5))
    ]  # fmt: skip
    card = card_of(feature_importance=rows)
    said = section(card, "What moves its scores")
    assert words in said
    assert said.index("| page_values | 1.500 | 7 |") < said.index("| order_count | 0.250 | 7 |")
    assert "churn_importance.svg" in card.pictures


def test_intervals_are_drawn_to_scale_and_what_is_not_measured_is_left_out() -> None:
    points = [Point("a", 0.1, -0.5, 0.3), Point("b", None, None, None), Point("c", 0.2, None, 0.3)]
    drawing = interval_picture([(HOSTILE, points), ("x" * 99, [])], "title", "source")
    ElementTree.fromstring(drawing)
    # 0 lies at 260, and 340 on is two fifths, the least that holds 0.3.
    marks = r'<line x1="260.0" y1="[\d.]+" x2="515.0"'
    assert len(re.findall(marks, drawing)) == 1
    assert '<circle cx="345.0"' in drawing
    assert ">0.40<" in drawing
    assert drawing.count("<circle") == 2
    assert drawing.count('width="7"') == 3
    assert "…" in drawing


class Tags(HTMLParser):
    """What a browser would take for tags and for text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_hostile_text_is_shown_as_it_is_and_is_neither_markup_nor_code() -> None:
    parser = Tags()
    parser.feed(escaped(HOSTILE))
    assert parser.text == " ".join(HOSTILE.replace("\x07", "").split()) + " "
    assert not parser.tags
    assert not re.search(r"[{}<>|`*#\n\\]|\]\(", re.sub(r"&#\d+;", "", escaped(HOSTILE)))
    assert "_" not in escaped("_d_ __e__")
    assert escaped("page_values https://a.b www.c") == "page_values https&#58;//a.b www&#46;c"


def test_dbt_renders_a_page_of_the_site_as_it_was_written() -> None:
    card = card_of(model_runs=[{**MEASURED, "reason": HOSTILE, "parameters": '{"a": {"b": "}}"}}'}])
    page = site_page([card], "build/model_cards")
    blocks = re.split(r"\{% docs __(\w+)__ %\}\n(.*?)\{% enddocs %\}\n", page, flags=re.DOTALL)
    assert blocks[1::3] == ["model_cards", "churn"]
    for content in blocks[2::3]:
        assert not re.search("[{}]", content)
        assert get_rendered(content, {}) == content


def test_pictures_are_xml_whatever_a_feature_is_called() -> None:
    drawings = [
        calibration_picture([Bin(0.1, 0.0, 0.0, 0.2), Bin(0.9, 1.0, 0.8, 1.0)], HOSTILE, "t"),
        importance_picture([(HOSTILE, 0.5), ("nothing", 0.0)], "title", "unit"),
        importance_picture([("nothing", 0.0)], "title", "unit"),
    ]
    texts = [ElementTree.fromstring(drawing).itertext() for drawing in drawings]
    assert "<script>x</script>" in "".join(texts[0])
    assert drawings[0].count("<circle") == 2
    assert [re.findall(r'<rect x=.*? width="([\d.]+)"', drawing) for drawing in drawings[1:]] == [
        ["300.0", "0.0"],
        ["0.0"],
    ]


def test_half_an_interval_is_no_interval() -> None:
    assert interval(0.5, None, 0.6) == "0.500"
    assert interval(None, None, None) == "not measured"


class Shop:
    """A warehouse that holds nothing but the decision log."""

    def __init__(self, *runs: dict[str, Any]) -> None:
        self.runs = list(runs)

    def is_built(self, name: str) -> bool:
        return name == "model_runs"

    def read(self, name: str) -> list[dict[str, Any]]:
        assert name == "model_runs"
        return self.runs


def test_cards_take_the_place_of_those_of_before(tmp_path: Path) -> None:
    folder = tmp_path / "model_cards"
    assert write_cards(Shop(MEASURED, run(model_name="old")), folder) == ["churn", "old"]
    assert write_cards(Shop(MEASURED), folder) == ["churn"]
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "_site.md", "churn.md"]
    assert write_cards(Shop(), folder) == []
    assert not list(folder.iterdir())


def test_a_model_with_a_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CustomerInsightsError, match="No card can be written of the model"):
        write_cards(Shop(run(model_name="../churn")), tmp_path / "model_cards")
    assert not list(tmp_path.iterdir())
