{%- for name in ['sessions', 'orders', 'reviews'] %}
{{ rejected_from(name) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
