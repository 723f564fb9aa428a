{{ config(access='protected') }}
{{ check_as_of(ref('checked_sessions')) }}

{% set events = {'sessions': 'started_at', 'orders': 'ordered_at', 'reviews': 'created_at'} %}

with

-- Events later than `as_of` are no input, but they show that the data up to `as_of` is complete.
arrived as (

    {% for name, event_at in events.items() %}
    select
        cast('{{ name }}' as {{ api.Column.translate_type('string') }}) as table_name,
        max({{ event_at }}) as newest_at,
        count(case when reject_reason is null then 1 end) as accepted_rows
    from {{ ref('checked_' ~ name) }}
    where reject_reason is null or reject_reason = 'later_than_as_of'
    {% if not loop.last -%}
    union all
    {%- endif %}
    {% endfor %}

)

-- `as_of` only ever moves a watermark back: a later one would call labels mature whose data has not
-- arrived.
select
    table_name,
    case
        when {{ setting('as_of') }} < newest_at then {{ setting('as_of') }}
        else newest_at
    end as watermark_at,
    accepted_rows
from arrived
