{{ config(materialized='table') }}

{%- for name in ['sessions', 'orders'] %}
{{ rejected_from(name) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
