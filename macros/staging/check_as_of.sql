{#
  Before anything is built: stops where `as_of` lies before the first session of the shop. Every row
  would be rejected, and the build would end, green and empty, for a mistyped year.
#}
{% macro check_as_of_at_start() %}
    {% if is_building() %}
        {% set node = contract_table('sessions') if setting_value('shop_source') == 'raw'
            else graph.nodes['seed.' ~ project_name ~ '.sample_sessions'] %}
        {% set sessions = load_relation(
            api.Relation.create(
                database=node.database, schema=node.schema, identifier=node.identifier or node.alias
            )
        ) %}
        {% if sessions is not none %}{% do check_as_of(sessions) %}{% endif %}
    {% endif %}
{% endmacro %}

{# The same of a relation of sessions: the sample is not there yet when its first build starts. #}
{% macro check_as_of(sessions) %}
    {% if is_building() and setting_value('as_of') is not none %}
        {% set first_session %}
            select min(cast(started_at as timestamp)) as first_at
            from {{ sessions }}
            having min(cast(started_at as timestamp)) > {{ setting('as_of') }}
        {% endset %}
        {% for row in run_query(first_session).rows %}
            {% do stop(
                "Setting 'as_of' is " ~ setting_value('as_of') ~ ', before the first session of the shop ('
                ~ row[0] ~ '); give a later time, or null to use the newest data.'
            ) %}
        {% endfor %}
    {% endif %}
{% endmacro %}

{# Whether this is the moment at which a model is built, when queries against its parents may run. #}
{% macro is_building() %}
    {% do return(execute and flags.WHICH in ('run', 'build')) %}
{% endmacro %}
