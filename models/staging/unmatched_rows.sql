{% set relationships = [
    ('orders', 'customer_id', 'customers'),
    ('orders', 'session_id', 'sessions'),
    ('order_items', 'order_id', 'orders'),
    ('order_items', 'product_id', 'products'),
    ('reviews', 'customer_id', 'customers'),
    ('reviews', 'product_id', 'products'),
] %}

with

-- An order later than `as_of` is no input, but its items refer to something that is there.
{% for name, key in {
    'customers': 'customer_id', 'sessions': 'session_id', 'orders': 'order_id', 'products': 'product_id'
}.items() %}
known_{{ name }} as (

    select {{ key }}
    from {{ ref('checked_' ~ name) }}
    where reject_reason is null or reject_reason = 'later_than_as_of'

),

known_{{ name }}_counted as (

    select count(*) as referred_rows
    from known_{{ name }}

),

{% endfor %}
{% for name, key, referred in relationships %}
{{ name }}_by_{{ key }} as (

    select
        count(*) as referring_rows,
        count(case when referred.{{ key }} is null then 1 end) as unmatched_rows
    from {{ ref('stg_' ~ name) }} as referring
    left join known_{{ referred }} as referred on referring.{{ key }} = referred.{{ key }}
    where referring.{{ key }} is not null

){{ ',' if not loop.last }}

{% endfor %}
{% for name, key, referred in relationships %}
select
    cast('{{ name }}' as {{ api.Column.translate_type('string') }}) as table_name,
    cast('{{ key }}' as {{ api.Column.translate_type('string') }}) as column_name,
    cast('{{ referred }}' as {{ api.Column.translate_type('string') }}) as refers_to,
    counted.referring_rows,
    counted.unmatched_rows,
    referred.referred_rows
from {{ name }}_by_{{ key }} as counted
cross join known_{{ referred }}_counted as referred
{% if not loop.last -%}
union all
{%- endif %}
{% endfor %}
