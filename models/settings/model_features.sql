{{ config(materialized='table') }}
{{ check_model_catalog() }}

with

models as (

    select * from {{ ref('model_catalog') }}

),

labels as (

    select * from {{ ref('label_definitions') }}
    qualify
        row_number() over (
            partition by label_name
            order by label_definition_version desc nulls last
        ) = 1

),

features as (

    select * from {{ ref('feature_catalog') }}

)

select
    models.model_name,
    models.task,
    models.feature_table,
    models.label_name,
    labels.settings as label_settings,
    models.primary_metric,
    features.feature,
    features.source_table,
    features.kind,
    features.is_outcome_derived,
    features.is_calendar,
    features.leak_reason,
    coalesce({{ is_listed('features.feature', 'models.baseline_features') }}, false) as is_baseline
from models
inner join features on models.feature_table = features.feature_table
left join labels on models.label_name = labels.label_name
where
    not features.is_current_only
    and not features.is_protected
    and (features.known_when = models.known_when or features.known_when = 'in_session')
    and (models.is_outcome_derived_allowed or not features.is_outcome_derived)
    and (
        models.included_features is null
        or {{ is_listed('features.feature', 'models.included_features') }}
    )
    and not coalesce({{ is_listed('features.feature', 'models.excluded_features') }}, false)
