-- Which labels did each version learn from, as they were known then? Of each the definition and the source row,
-- since when and until when it held, and what it is now.
{% for name in label_histories() %}
select * from (
    {{ label_lineage(name) }}
) as {{ name }}_labels
{{ 'union all' if not loop.last }}
{% endfor %}
order by
    model_name,
    decision_number,
    as_of_on,
    entity_id
