{% for label, asked in quality_categories().items() %}
select
    cast('{{ label }}' as {{ api.Column.translate_type('string') }}) as quality_label,
    cast('{{ asked.category }}' as {{ api.Column.translate_type('string') }}) as category,
    cast({{ asked.score }} as double) as quality_score
{{ 'union all' if not loop.last }}
{% endfor %}
