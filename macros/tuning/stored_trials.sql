{# The tasks whose models can be tuned: each has a model `<task>_tuned`. #}
{% macro tuned_tasks() %}
    {% do return(['churn', 'product_recommendations', 'purchase_intent']) %}
{% endmacro %}

{#
  The trials of a task, wherever they are. Searches are made on demand, so their table may be disabled and
  there all the same, or not be there yet: then it reads as an empty table of the right types.
#}
{% macro stored_trials(task) %}
    {%- if setting_value('tuning_model') is not none -%}
        {%- set relation = ref(task ~ '_tuned') -%}
    {%- else -%}
        {%- set relation = api.Relation.create(
            database=target.database, schema=generate_schema_name('internal', none), identifier=task ~ '_tuned'
        ) -%}
    {%- endif -%}
    {%- if execute and load_relation(relation) is not none -%}
        {{ relation }}
    {%- else -%}
        (
            select * from (
                select
                {%- for name, type in {
                    'model_name': 'varchar',
                    'study_number': 'integer',
                    'study_id': 'varchar',
                    'trial_number': 'integer',
                    'tuned_at': 'timestamp',
                    'state': 'varchar',
                    'is_best': 'boolean',
                    'parameters': 'varchar',
                    'primary_metric': 'varchar',
                    'value': 'double',
                    'fold_values': 'varchar',
                    'fold_rounds': 'varchar',
                    'folds': 'varchar',
                    'training_set_hash': 'varchar',
                    'library_versions': 'varchar'
                }.items() %}
                    cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
                {%- endfor %}
            ) as typed
            where false
        )
    {%- endif -%}
{% endmacro %}

{# Stops where the setting `tuning_model` names no model that can be tuned. #}
{% macro check_tuning_model() %}
    {% set tuning_model = setting_value('tuning_model') %}
    {% if is_building() and tuning_model is not none %}
        {% set known = run_query(
            'select model_name from ' ~ ref('model_catalog') ~ " where task in ('" ~ (tuned_tasks() | join("', '"))
            ~ "') order by model_name"
        ).columns[0].values() %}
        {% if tuning_model not in known %}
            {{ stop("There is no model '" ~ tuning_model ~ "' to tune (tuning_model); there are: " ~ (known | join(', ')) ~ '.') }}
        {% endif %}
    {% endif %}
{% endmacro %}
