{{ config(materialized='table') }}

{% for name in ['sessions', 'orders'] %}
{{ rejected_from(name) }}
{{ 'union all' if not loop.last }}
{% endfor %}
