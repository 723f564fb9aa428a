{#
  What is counted of a raw table for its checks, as CTEs: one scan of the checked rows gives a row for each
  window and reason, from which each check takes its own. Reads the CTE `newest`, of which today is a column;
  the last CTE is `measured_` and the table's name.
#}
{% macro quality_measures(name) %}
{% set times = {
    'sessions': 'checked.started_at',
    'customers': 'cast(checked.signed_up_on as timestamp)',
    'products': 'cast(null as timestamp)',
    'orders': 'checked.ordered_at',
    'order_items': 'placed.ordered_at',
    'reviews': 'checked.created_at',
} %}
{% set string_type = api.Column.translate_type('string') %}
{% set columns = watched_columns(name) %}
-- The time of a row is that of its event, or of its loading where the event has none or a later one.
known_{{ name }} as (

    select
        checked.*,
        {{ times[name] }} as event_at,
        coalesce(
            case when {{ times[name] }} > checked.loaded_at then checked.loaded_at else {{ times[name] }} end,
            checked.loaded_at
        ) as known_at
    from {{ ref('checked_' ~ name) }} as checked
    {% if name == 'order_items' %}
    left join {{ ref('checked_orders') }} as placed
        on checked.order_id = placed.order_id and placed.duplicate_rank = 1
    {% endif %}
    -- Later than today is not known yet.
    where checked.reject_reason is distinct from 'later_than_as_of'

),

timed_{{ name }} as (

    select
        known.*,
        case when known.known_at > newest.today_at then newest.today_at else known.known_at end as counted_at
    from known_{{ name }} as known
    cross join newest

),

-- The one scan of the table: a row for each window and reason.
counted_{{ name }} as (

    select
        {{ window_start('counted_at') }} as window_start_on,
        reject_reason,
        {% for column in columns %}
        count({{ column.name }}) as {{ column.name }}_count,
        {% endfor %}
        count(*) as row_count,
        max(case when reject_reason is null then event_at end) as newest_at
    from timed_{{ name }}
    where counted_at is not null
    group by {{ window_start('counted_at') }}, reject_reason

),

checks_{{ name }} as (

    {% for check_name in ['uniqueness', 'validity', 'rejected'] + ([] if name == 'products' else ['volume'])
        + (['freshness'] if name in ('sessions', 'orders', 'reviews') else []) %}
    select
        '{{ check_name }}' as check_name,
        cast(null as {{ string_type }}) as column_name,
        cast(null as boolean) as is_required
    union all
    {% endfor %}
    {% for column in columns %}
    select
        'completeness' as check_name,
        '{{ column.name }}' as column_name,
        {{ 'false' if column.config.meta.get('is_nullable') else 'true' }} as is_required
    {{ 'union all' if not loop.last }}
    {% else %}
    select
        'completeness' as check_name,
        '' as column_name,
        true as is_required
    {% endfor %}

),

measured_{{ name }} as (

    select
        '{{ name }}' as table_name,
        checks.check_name,
        checks.column_name,
        checks.is_required,
        counted.window_start_on,
        counted.newest_at,
        counted.row_count,
        case when checks.check_name = 'rejected' then counted.reject_reason end as reject_reason,
        case checks.check_name
            when 'uniqueness' then case when counted.reject_reason = 'duplicate_key' then 0 else counted.row_count end
            when 'validity' then case when counted.reject_reason is null then counted.row_count else 0 end
            when 'completeness' then case checks.column_name
                {% for column in columns %}
                when '{{ column.name }}' then counted.{{ column.name }}_count
                {% else %}
                when '' then 0
                {% endfor %}
            end
        end as passing_count
    from counted_{{ name }} as counted
    cross join checks_{{ name }} as checks
    -- The reasons of rejected rows only.
    where checks.check_name <> 'rejected' or counted.reject_reason is not null

)
{% endmacro %}
