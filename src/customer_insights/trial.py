"""One trial of the training recipe: fit on train, choose on validation, measure on test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from customer_insights.catalog import ModelSpec
from customer_insights.evaluation import (
    Baselines,
    Comparison,
    Scored,
    compare,
    fit_baselines,
    model_scored,
    single_feature_scored,
)
from customer_insights.metrics import RankedScores
from customer_insights.model import Examples
from customer_insights.recipe import TREES, Model, Recipe
from customer_insights.settings import Settings


@dataclass(frozen=True)
class Trial:
    """A model, its baselines, and how they compare on the same test rows and resamples."""

    model: Model
    baselines: Baselines
    comparison: Comparison
    test: Examples
    scored: Scored
    constant: Scored
    single: Scored
    named: dict[str, Scored]

    def baseline_columns(self) -> dict[str, Any]:
        """How good the baselines are, by the names of their columns."""
        constant = RankedScores(self.test.labels, self.constant.scores)
        single = RankedScores(self.test.labels, self.single.scores)
        return {
            "constant_f1": constant.f1(threshold=self.baselines.constant.rate),
            "constant_pr_auc": constant.pr_auc(),
            "constant_brier": self.baselines.constant.brier(self.test.labels),
            "best_single_feature": self.baselines.best_single_feature.name,
            "best_single_feature_roc_auc": single.roc_auc(),
            "best_single_feature_pr_auc": single.pr_auc(),
        }


def run_trial(
    spec: ModelSpec,
    train: Examples,
    validation: Examples,
    test: Examples,
    settings: Settings,
    recipe: Recipe = TREES,
) -> Trial:
    """Fit a model and its baselines, and measure them; test rows are scored once."""
    baselines = fit_baselines(
        train,
        validation,
        recipe.measured_alone(spec.features),
        primary_metric=spec.primary_metric,
        leak_roc_auc=settings.leak_roc_auc,
    )
    model = recipe.fit(train, validation, spec.features, settings)
    constant = baselines.constant.scored(len(test.labels))
    single = single_feature_scored(baselines.best_single_feature, validation, test.rows)
    scored = model_scored(model, test.rows, settings)
    named = {
        feature.name: single_feature_scored(feature, validation, test.rows)
        for feature in baselines.named_features
    }
    comparison = compare(
        test.labels,
        scored,
        {"constant": constant, "best_single_feature": single} | named,
        primary_metric=spec.primary_metric,
        replicates=settings.bootstrap_replicates,
        seed=settings.random_seed,
        subjects=test.subjects,
    )
    return Trial(model, baselines, comparison, test, scored, constant, single, named)
