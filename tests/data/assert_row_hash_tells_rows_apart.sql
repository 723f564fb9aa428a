{{ config(group='purchase_intent') }}

-- Pairs of rows that a careless fingerprint would call the same, and one pair that is the same.
{% set pairs = [
    ("'a|b'", "'c'", "'a'", "'b|c'", false),
    ("'a, b'", "'c'", "'a'", "'b, c'", false),
    ("'a'", "'b'')'", "'a'')'", "'b'", false),
    ("'NULL'", "'a'", 'null', "'a'", false),
    ('null', "'a'", "''", "'a'", false),
    ("'null'", 'null', 'null', 'null', false),
    ("'a'", "'b'", "'a'", "'b'", true),
] %}

with

sides as (

    {% for pair in pairs %}
    {% for side in [0, 2] %}
    select
        {{ loop.index }} as side,
        cast('{{ pair | join(' ') | replace("'", '') }}' as {{ api.Column.translate_type('string') }}) as pair,
        {{ pair[side] }} as one,
        {{ pair[side + 1] }} as other,
        {{ pair[4] | lower }} as is_same
    {% if not loop.last -%}
    union all
    {%- endif %}
    {% endfor %}
    {% if not loop.last -%}
    union all
    {%- endif %}
    {% endfor %}

),

hashed as (

    select
        pair,
        is_same,
        {{ row_hash(['one', 'other']) }} as row_hash
    from sides

)

select
    pair,
    is_same as is_expected_same,
    count(distinct row_hash) = 1 as is_found_same
from hashed
group by pair, is_same
having (count(distinct row_hash) = 1) is distinct from is_same
