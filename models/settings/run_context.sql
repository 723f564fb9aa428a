-- One row that carries this run and every resolved setting to Python models, which see no vars.
select
    {% for name in settings_catalog() %}
    {{ setting(name) }} as {{ name }},
    {% endfor %}
    cast('{{ invocation_id }}' as {{ api.Column.translate_type('string') }}) as invocation_id,
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}' as timestamp) as run_started_at
