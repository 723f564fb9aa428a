{%- set keys = ['session_id', 'session_on'] %}
{%- set label_table = ref('session_labels') %}
{%- set feature_table = ref('session_features') %}
{%- set labels = [] if not execute
    else adapter.get_columns_in_relation(label_table) | map(attribute='name') | map('lower')
    | reject('in', keys) | list %}
{%- set columns = [] if not execute
    else adapter.get_columns_in_relation(feature_table) | map(attribute='name') | map('lower') | list %}
select
    feature_table,
    feature
from {{ ref('feature_catalog') }}
where feature in ('{{ labels | join("', '") }}')

{%- for label in labels if label in columns %}
union all
select
    'session_features' as feature_table,
    '{{ label }}' as feature
{%- endfor %}
