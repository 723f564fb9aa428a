{{ config(group='recommendations') }}

with

ids as (

    {% for name in [
        'product_recommendations_training_set', 'product_recommendations_scored', 'product_recommendations',
    ] %}
    select distinct
        '{{ name }}' as found_in,
        product_id
    from {{ ref(name) }}
    {% if not loop.last -%}
    union all
    {%- endif %}
    {% endfor %}

)

select
    ids.found_in,
    ids.product_id
from ids
left join {{ ref('stg_products') }} as products on ids.product_id = products.product_id
where products.product_id is null
