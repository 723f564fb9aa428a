{# The tasks whose labels have a history, and where it is. #}
{% macro label_histories() %}
    {% do return({
        'churn': {
            'history': ref('churn_label_history'), 'rows': ref('churn_labels'), 'keys': ['customer_id', 'as_of_on'],
            'entity': 'customer_id', 'as_of': 'as_of_on', 'label': 'is_churned',
        },
        'purchase_intent': {
            'history': ref('session_label_history'), 'rows': ref('session_labels'), 'keys': ['session_id'],
            'entity': 'session_id', 'as_of': 'session_on', 'label': 'is_purchase',
        },
    }) %}
{% endmacro %}

{#
  Query: each label that each version of a task's models learned from or was tested on, as it was when that was
  decided: a row of the snapshot that was valid then, in the windows that the decision names, whatever is gone since.
  `is_positive_now` is what the label is today, null where it is not final or its row is gone.
#}
{% macro label_lineage(name) %}
    {% set task = label_histories()[name] %}
    with

    trained as (

        select runs.*
        from {{ ref('model_runs') }} as runs
        inner join {{ ref('model_catalog') }} as catalog on runs.model_name = catalog.model_name
        where catalog.task = '{{ name }}' and runs.artifact_sha256 is not null

    ),

    labels as (

        select
            history.{{ task.entity }} as entity_id,
            -- A history of sessions from before it held their days has them from the labels, as far as these are there.
            coalesce(history.{{ task.as_of }}, labels.{{ task.as_of }}) as as_of_on,
            labels.{{ task.label }} as is_positive_now,
            history.{{ task.label }} as is_positive,
            history.label_definition_version,
            history.matured_on,
            history.source_row_key,
            history.dbt_valid_from,
            history.dbt_valid_to
        from {{ task.history }} as history
        left join {{ task.rows }} as labels
            on
                {% for key in task['keys'] %}
                {{ 'and ' if not loop.first }}history.{{ key }} = labels.{{ key }}
                {% endfor %}

    ),

    placed as (

        select
            trained.model_name,
            trained.model_version,
            trained.decision_number,
            trained.decided_at,
            trained.training_set_hash,
            case
                when labels.as_of_on between trained.train_from_on and trained.train_to_on then 'train'
                when labels.as_of_on between trained.validation_from_on and trained.validation_to_on then 'validation'
                when labels.as_of_on between trained.test_from_on and trained.test_to_on then 'test'
            end as split,
            labels.*
        from trained
        inner join labels
            on
                trained.decided_at >= labels.dbt_valid_from
                and (trained.decided_at < labels.dbt_valid_to or labels.dbt_valid_to is null)

    )

    select
        model_name,
        model_version,
        decision_number,
        decided_at,
        training_set_hash,
        split,
        entity_id,
        as_of_on,
        is_positive,
        label_definition_version,
        matured_on,
        source_row_key,
        dbt_valid_from as since_at,
        dbt_valid_to as until_at,
        is_positive_now,
        coalesce(is_positive <> is_positive_now, true) as is_changed
    from placed
    where split is not null
{% endmacro %}
