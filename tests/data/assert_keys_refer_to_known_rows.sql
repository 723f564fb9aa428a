{{ config(severity='warn') }}

-- A table without rows is one that the shop does not load, or not yet.
select
    {{ unmatched_sentence() }} as problem,
    table_name,
    column_name,
    refers_to,
    referring_rows,
    unmatched_rows
from {{ ref('unmatched_rows') }}
where unmatched_rows > 0 and referred_rows > 0
