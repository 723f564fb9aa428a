{%- for name in staged_tables() %}
{{ rejected_from(name) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
