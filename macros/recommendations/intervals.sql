{#
  SQL of the bounds of a 95 % interval, from counts and from sums of decimals, which do not depend on
  the order of rows. `side` is -1 for the lower bound and 1 for the upper one.
#}
{% macro normal_quantile() %}{% do return(1.959964) %}{% endmacro %}

{#
  Of a share, after Wilson (1927, https://doi.org/10.1080/01621459.1927.10502953): it stays within 0 and
  1 and holds with few rows, too. Null without rows.
#}
{% macro wilson_bound(hits, rows, side) -%}
    {%- set z = normal_quantile() -%}
    (
        cast({{ hits }} as double) / nullif({{ rows }}, 0) + {{ z * z }} / (2 * nullif({{ rows }}, 0))
        + {{ side * z }} * sqrt(
            (cast({{ hits }} as double) * ({{ rows }} - {{ hits }}) / nullif({{ rows }}, 0) + {{ z * z }} / 4)
        ) / nullif({{ rows }}, 0)
    ) / (1 + {{ z * z }} / nullif({{ rows }}, 0))
{%- endmacro %}

{# Of a mean, by the normal approximation. Null with fewer than two rows. #}
{% macro mean_bound(total, total_of_squares, rows, side) -%}
    cast({{ total }} as double) / nullif({{ rows }}, 0)
    + {{ side * normal_quantile() }} * sqrt(
        greatest(
            cast({{ total_of_squares }} as double)
            - cast({{ total }} as double) * cast({{ total }} as double) / nullif({{ rows }}, 0),
            0
        ) / nullif({{ rows }} - 1, 0) / nullif({{ rows }}, 0)
    )
{%- endmacro %}
