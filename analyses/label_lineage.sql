-- Which labels did each version learn from, as they were known then? Of each the definition and the source row,
-- since when and until when it held, and what it is now.
with

{% for name in label_histories() %}
{{ name }}_lineage as (

    {{ label_lineage(name) }}

),

{% endfor %}
lineage as (

    {% for name in label_histories() %}
    select * from {{ name }}_lineage
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from lineage
order by
    model_name,
    decision_number,
    as_of_on,
    entity_id
