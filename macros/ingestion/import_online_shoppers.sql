{# The columns of the file, in its order and in lower case. #}
{% macro online_shoppers_columns() %}
    {% do return([
        'administrative', 'administrative_duration', 'informational', 'informational_duration', 'productrelated',
        'productrelated_duration', 'bouncerates', 'exitrates', 'pagevalues', 'specialday', 'month', 'operatingsystems',
        'browser', 'region', 'traffictype', 'visitortype', 'weekend', 'revenue',
    ]) %}
{% endmacro %}

{#
  UCI Online Shoppers Purchasing Intention (https://archive.ics.uci.edu/dataset/468, CC BY 4.0): one
  row per session of a shop, with no key, no visitor, and of the time only month and weekend.

  Keys and the missing parts of the time are functions of the row's content and of its position in
  the file, so that the same file always gives the same rows: the year is `online_shoppers_year`, the
  day one of the month's days that are, or are not, a weekend, as the row says.
#}
{% macro import_online_shoppers(fields) %}
    {% set names = {
        'product_related': 'productrelated', 'product_related_duration': 'productrelated_duration',
        'bounce_rates': 'bouncerates', 'exit_rates': 'exitrates', 'page_values': 'pagevalues',
        'special_day': 'specialday', 'operating_systems': 'operatingsystems', 'traffic_type': 'traffictype',
        'visitor_type': 'visitortype', 'is_purchase': 'revenue',
    } %}
    {% set columns = {} %}
    {% for name in [
        'administrative', 'administrative_duration', 'informational', 'informational_duration', 'product_related',
        'product_related_duration', 'bounce_rates', 'exit_rates', 'page_values', 'special_day', 'month',
        'operating_systems', 'browser', 'region', 'traffic_type', 'visitor_type', 'weekend', 'is_purchase',
    ] %}
        {% do columns.update({name: fields[names.get(name, name)]}) %}
    {% endfor %}

    {% set parts = ['cast(file_row_number as ' ~ api.Column.translate_type('string') ~ ')'] %}
    {% for name in online_shoppers_columns() %}
        {% do parts.append("coalesce(" ~ fields[name] ~ ", '')") %}
    {% endfor %}
    {% set row_hash = "md5(" ~ (parts | join(" || '|' || ")) ~ ")" %}

    {% set month = "lower(trim(" ~ fields['month'] ~ "))" %}
    {% set is_weekend = text_as(fields['weekend'], 'boolean') %}
    {% set days = online_shoppers_days(month, is_weekend) %}
    {% set day_number = hash_number(row_hash, 1, 'length(' ~ days ~ ') / 2') %}
    {% do columns.update({
        'session_id': "'uci-' || substring(" ~ row_hash ~ ", 1, 16)",
        'visitor_id': "'uci-visitor-' || substring(" ~ row_hash ~ ", 17, 16)",
        'started_at': "'" ~ setting_value('online_shoppers_year') ~ "-' || "
            ~ online_shoppers_month_number(month) ~ " || '-' || substring(" ~ days ~ ", cast(2 * " ~ day_number
            ~ " + 1 as integer), 2) || ' ' || " ~ two_digits(hash_number(row_hash, 8, '24')) ~ " || ':' || "
            ~ two_digits(hash_number(row_hash, 15, '60')) ~ " || ':' || " ~ two_digits(hash_number(row_hash, 22, '60')),
    }) %}
    {% set problem %}
        case
            when {{ online_shoppers_month_number(month) }} is null
                then 'month: ''' || left(coalesce({{ fields['month'] }}, ''), 60) || ''' is no month like Feb or June'
            when {{ is_weekend }} is null
                then 'weekend: ''' || left(coalesce({{ fields['weekend'] }}, ''), 60) || ''' is neither true nor false'
        end
    {% endset %}
    {% do return({'columns': columns, 'problem': problem}) %}
{% endmacro %}

{# The months as the file spells them, and as other copies of it do: name -> number. #}
{% macro online_shoppers_months() %}
    {% do return({
        'jan': 1, 'feb': 2, 'mar': 3, 'apr': 4, 'may': 5, 'jun': 6, 'june': 6, 'jul': 7, 'aug': 8, 'sep': 9, 'oct': 10,
        'nov': 11, 'dec': 12,
    }) %}
{% endmacro %}

{# SQL: the number of a month as two digits; null for an unknown month. #}
{% macro online_shoppers_month_number(month) %}
    {%- set sql -%}
        case {{ month }}
        {%- for name, number in online_shoppers_months().items() %} when '{{ name }}' then '{{ '%02d' % number }}'
        {%- endfor %} end
    {%- endset -%}
    {% do return('(' ~ sql ~ ')') %}
{% endmacro %}

{# SQL: the days of a month that are, or are not, a weekend, as one text of two digits each: 0102... #}
{% macro online_shoppers_days(month, is_weekend) %}
    {% set year = setting_value('online_shoppers_year') %}
    {% set branches = [] %}
    {% for name, number in online_shoppers_months().items() %}
        {% set first = modules.datetime.date(year, number, 1) %}
        {% set after = modules.datetime.date(year + number // 12, number % 12 + 1, 1) %}
        {% for weekend in [true, false] %}
            {% set days = [] %}
            {% for offset in range((after - first).days) %}
                {% set day = first + modules.datetime.timedelta(days=offset) %}
                {% if (day.isoweekday() >= 6) == weekend %}{% do days.append('%02d' % day.day) %}{% endif %}
            {% endfor %}
            {% do branches.append(
                "when " ~ month ~ " = '" ~ name ~ "' and " ~ ('' if weekend else 'not ') ~ is_weekend ~ " then '"
                ~ (days | join) ~ "'"
            ) %}
        {% endfor %}
    {% endfor %}
    {% do return('(case ' ~ (branches | join(' ')) ~ ' end)') %}
{% endmacro %}

{# SQL: a number below 100 as two digits. #}
{% macro two_digits(number) %}
    {% do return("lpad(cast(" ~ number ~ " as " ~ api.Column.translate_type('string') ~ "), 2, '0')") %}
{% endmacro %}
