{{ config(group='purchase_intent') }}

-- Pairs of rows that a careless fingerprint would call the same, and one that is the same.
with

pairs as (

    select
        1 as pair_number,
        'a|b' as one,
        'c' as other,
        false as is_same
    union all
    select 1, 'a', 'b|c', false
    union all
    select 2, null, 'a', false
    union all
    select 2, '', 'a', false
    union all
    select 3, 'null', null, false
    union all
    select 3, null, null, false
    union all
    select 4, 'a', 'b', true
    union all
    select 4, 'a', 'b', true

),

hashed as (

    select
        pair_number,
        is_same,
        {{ row_hash(['one', 'other']) }} as row_hash
    from pairs

)

select
    pair_number,
    is_same as is_expected_same,
    count(distinct row_hash) = 1 as is_found_same
from hashed
group by pair_number, is_same
having (count(distinct row_hash) = 1) is distinct from is_same
