{#
  Fails a test with a sentence for each alert of severity error: dbt says of a test's rows only how many
  there are. Not exceptions.raise_fail_fast_error, which would end the run.
#}
{% macro name_severe_alerts() %}
    {% if execute and flags.WHICH in ('build', 'test') %}
        {% set severe %}
            select
                message,
                remedy
            from {{ ref('alerts') }}
            where severity = 'error'
            order by alert_id
        {% endset %}
        {% set sentences = [] %}
        {% for row in run_query(severe).rows %}{% do sentences.append(row[0] ~ ' ' ~ row[1]) %}{% endfor %}
        {% if sentences %}{{ exceptions.raise_compiler_error(sentences | join('\n')) }}{% endif %}
    {% endif %}
{% endmacro %}
