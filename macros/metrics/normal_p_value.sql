{#
  Two-sided p-value of a normal deviate: the chance of one at least as far from 0. By the approximation of
  Abramowitz and Stegun (1964, 7.1.26) of the error function, to 1.5e-7; neither engine has that function.
#}
{% macro normal_p_value(deviate) -%}
{%- set t = '(1e0 / (1e0 + 0.3275911e0 * abs(' ~ deviate ~ ') / sqrt(2e0)))' -%}
(
    {{ t }} * (
        0.254829592e0 + {{ t }} * (
            -0.284496736e0 + {{ t }} * (1.421413741e0 + {{ t }} * (-1.453152027e0 + {{ t }} * 1.061405429e0))
        )
    ) * exp(-power({{ deviate }}, 2) / 2e0)
)
{%- endmacro %}
