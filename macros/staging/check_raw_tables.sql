{#
  Runs before anything else: a raw table that exists must have every column of the contract. Without
  this the first model that reads it would stop with the engine's words.
#}
{% macro check_raw_tables() %}
    {% if execute and flags.WHICH in ('run', 'build') and setting_value('shop_source') == 'raw' %}
        {% set problems = [] %}
        {% set found = [] %}
        {% for name in contract_tables() %}
            {% set relation = api.Relation.create(
                database=contract_table(name).database,
                schema=contract_table(name).schema,
                identifier=contract_table(name).identifier
            ) %}
            {% if load_relation(relation) is not none %}
                {% do found.append(name) %}
                {% set present = adapter.get_columns_in_relation(relation)
                    | map(attribute='name') | map('lower') | list %}
                {% set missing = contract_columns(name) | map(attribute='name')
                    | reject('in', present) | list %}
                {% if missing %}
                    {% do problems.append(
                        'Table ' ~ relation.schema ~ '.' ~ name ~ ' lacks the column'
                        ~ ('s ' if missing | length > 1 else ' ') ~ (missing | join(', '))
                        ~ '; add or rename it (models/staging/_sources.yml describes each column).'
                    ) %}
                {% endif %}
            {% endif %}
        {% endfor %}
        {% if problems %}{{ stop(problems | join('\n')) }}{% endif %}
        {% if not found %}
            {{ log(
                'No table of the shop exists in schema ' ~ setting_value('raw_schema')
                ~ ' yet; load_files fills it. Building empty tables.', info=true
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}
