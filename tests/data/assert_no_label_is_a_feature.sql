{%- set tables = [
    {'labels': ref('session_labels'), 'features': ref('session_features'), 'keys': ['session_id', 'session_on']},
    {'labels': ref('churn_labels'), 'features': ref('customer_features'), 'keys': ['customer_id', 'as_of_on']},
] %}
{%- for table in tables %}
    {%- set labels = [] if not execute
        else adapter.get_columns_in_relation(table.labels) | map(attribute='name') | map('lower')
        | reject('in', table['keys']) | list %}
    {%- set columns = [] if not execute
        else adapter.get_columns_in_relation(table.features) | map(attribute='name') | map('lower') | list %}
select
    feature_table,
    feature
from {{ ref('feature_catalog') }}
where feature in ('{{ labels | join("', '") }}')

{%- for label in labels if label in columns %}
union all
select
    '{{ table.features.identifier }}' as feature_table,
    '{{ label }}' as feature
{%- endfor %}
{{ 'union all' if not loop.last }}
{%- endfor %}
