-- depends_on: {{ ref('protected_slices') }}
-- That is where it stands in a build: its failure keeps no table from being made.
select
    feature_table,
    feature
from {{ ref('feature_catalog') }}
where
    is_protected
    and feature not in (
        {% for name in protected_attributes() %}
        '{{ name }}'{{ ',' if not loop.last }}
        {% endfor %}
    )
