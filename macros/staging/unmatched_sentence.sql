{# SQL text: what a row of `unmatched_rows` says, in a sentence. #}
{% macro unmatched_sentence() %}
    {%- set text = api.Column.translate_type('string') -%}
    {{ dbt.concat([
        'cast(unmatched_rows as ' ~ text ~ ')', "' of '", 'cast(referring_rows as ' ~ text ~ ')', "' rows of '",
        'table_name', "' have a '", 'column_name', "' that '", 'refers_to', "' lacks'"
    ]) }}
{%- endmacro %}
