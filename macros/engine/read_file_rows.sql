{#
  Reads a file (format csv, csv.gz or parquet) as texts into the temporary table `loading_rows`, one
  row per row of the file: file_row_number (from 1), file_line (where the row starts: a CSV's header
  is line 1, a Parquet's row is its number), file_record (the row as text), file_problem (why it can
  not be taken apart, or null) and its fields (see file_field). Returns the names of the file's
  columns, trimmed and in lower case; empty where it has no header.
#}
{% macro read_file_rows(path, format) %}
    {{ return(adapter.dispatch('read_file_rows')(path, format)) }}
{% endmacro %}

{% macro default__read_file_rows(path, format) %}
    {{ exceptions.raise_compiler_error('load_files is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__read_file_rows(path, format) %}
    {% do return(duckdb__read_parquet_rows(path) if format == 'parquet' else duckdb__read_csv_rows(path, format)) %}
{% endmacro %}

{# SQL: the text of a file's column, by its position from 0, in a query on `loading_rows`. #}
{% macro file_field(position) %}
    {{ return(adapter.dispatch('file_field')(position)) }}
{% endmacro %}

{% macro default__file_field(position) %}
    {{ exceptions.raise_compiler_error('load_files is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__file_field(position) %}
    {% do return('fields[' ~ (position + 1) ~ ']') %}
{% endmacro %}

{#
  DuckDB's own CSV reader numbers no rows and stops with its own words at what it can not parse, so
  that lines, quotes and fields are taken apart here, by RFC 4180. A quote opens a quoted field only
  at the field's start; anywhere else it is a character like others.
#}
{% macro duckdb__read_csv_rows(path, format) %}
    {% do duckdb__read_lines(path, format) %}
    {% do duckdb__join_lines() %}

    {% set open = run_query('select first_line from loading_records where is_open') %}
    {% if open.rows %}
        {% do stop(
            'In the file ' ~ path ~ ' the row that starts on line ' ~ open.rows[0][0]
            ~ ' opens a quoted field that is never closed, so that the rows after it can not be told apart; '
            ~ 'close the quote (a quote inside a quoted field is written twice).'
        ) %}
    {% endif %}

    {% set field = '"(?:[^"]|"")*"(?:[^",][^,]*)?|[^",][^,]*|' %}
    {% set raw_fields = "regexp_extract_all(',' || record, ',(" ~ field ~ ")', 1)" %}
    {% set fields -%}
        case
            when not contains(record, '"') then string_split(record, ',')
            else [
                case
                    when regexp_full_match(part, '"(?:[^"]|"")*"') then replace(part[2:-2], '""', '"')
                    else part
                end
                for part in {{ raw_fields }}
            ]
        end
    {%- endset %}
    {% set header = run_query(
        'select cast(to_json([lower(trim(part)) for part in ' ~ fields
        ~ ']) as varchar) from loading_records order by first_line limit 1'
    ) %}
    {% set columns = fromjson(header.rows[0][0]) if header.rows else [] %}
    {% set sql %}
        create or replace temporary table loading_rows as
        with

        numbered as (

            select
                *,
                row_number() over (order by first_line) - 1 as file_row_number
            from loading_records

        ),

        split as (

            select
                *,
                {{ fields }} as fields,
                contains(record, '"')
                and len([
                    part for part in {{ raw_fields }}
                    if starts_with(part, '"') and not regexp_full_match(part, '"(?:[^"]|"")*"')
                ]) > 0 as has_text_after_quote
            from numbered
            where file_row_number > 0

        )

        select
            file_row_number,
            first_line as file_line,
            record as file_record,
            fields,
            case
                when has_text_after_quote then 'a quoted field goes on after its closing quote'
                when len(fields) != {{ columns | length }}
                    then 'the row has ' || len(fields) || ' fields, the header {{ columns | length }}'
            end
            || case
                when last_line > first_line
                    then ' (it goes on to line ' || last_line || ': a quote may be missing)'
                else ''
            end as file_problem
        from split
    {% endset %}
    {% do run_query(sql) %}
    {% do return(columns) %}
{% endmacro %}

{#
  Fills `loading_lines`. A plain file is split at its line feeds, so that a carriage return inside a
  quoted field stays. Only read_csv can unzip: it is given a separator that no text holds, and splits
  at every kind of line end.
#}
{% macro duckdb__read_lines(path, format) %}
    {% set columns_sql = "columns = {'line': 'varchar'}, header = false, auto_detect = false, delim = '\U0010ffff', "
        ~ "quote = '', escape = '', strict_mode = false, max_line_size = 16777216, compression = 'gzip'" %}
    {% if format == 'csv.gz' %}
        {% do try_or_compiler_error(
            'The gzip file ' ~ path ~ ' is damaged or breaks off before its end; copy or compress it again.',
            run_query,
            'select count(line) from read_csv(' ~ path_literal(path) ~ ', ' ~ columns_sql ~ ", encoding = 'latin-1')"
        ) %}
        {% set lines -%}
            select
                row_number() over () as line_number,
                coalesce(line, '') as line
            from read_csv({{ path_literal(path) }}, {{ columns_sql }})
        {%- endset %}
    {% else %}
        {% set lines -%}
            select
                generate_subscripts(lines, 1) as line_number,
                unnest(lines) as line
            from (
                select
                    string_split(content, case when contains(content, chr(10)) then chr(10) else chr(13) end) as lines
                from (select decode(content) as content from read_blob({{ path_literal(path) }})) as whole
            )
        {%- endset %}
    {% endif %}
    {% do try_or_compiler_error(
        'The file ' ~ path ~ ' can not be read as UTF-8 text with lines of at most 16 MB; export it as '
        ~ 'comma-separated UTF-8 text.',
        run_query,
        'create or replace temporary table loading_lines as select line_number, case when line_number = 1 '
        ~ 'then ltrim(line, chr(65279)) else line end as line from (' ~ lines ~ ')'
    ) %}
    {% set binary = run_query('select min(line_number) from loading_lines where contains(line, chr(0))').rows[0][0] %}
    {% if binary is not none %}
        {% do stop(
            'The file ' ~ path ~ ' is not a CSV file: it holds binary data (line ' ~ binary
            ~ '); export it as comma-separated UTF-8 text.'
        ) %}
    {% endif %}
{% endmacro %}

{#
  Fills `loading_records` from `loading_lines`: the rows of a CSV file, blank ones left out, each with
  its first and last line, and whether it ends inside a quoted field.

  A line either leaves the state (inside a quoted field or not) as it was, flips it, or sets it. So the
  state after a line is that after the last line that set it, flipped as often as lines since then do.
#}
{% macro duckdb__join_lines() %}
    {% set field = '"(?:[^"]|"")*"(?:[^",][^,]*)?|[^",][^,]*|' %}
    {% set ends_open = "'^(?:(?:" ~ field ~ "),)*\"(?:[^\"]|\"\")*$'" %}
    {% set sql %}
        create or replace temporary table loading_records as
        with

        lines as (

            select
                line_number,
                line,
                contains(line, '"') and regexp_matches(line, {{ ends_open }}) as opens,
                not contains(line, '"') or regexp_matches('"' || line, {{ ends_open }}) as stays_open
            from loading_lines

        ),

        blocks as (

            select
                *,
                count(case when opens = stays_open then 1 end) over (order by line_number) as block
            from lines

        ),

        states as (

            select
                line_number,
                line,
                coalesce(bool_or(opens and stays_open) over (partition by block), false)
                != (
                    count(case when opens and not stays_open then 1 end)
                        over (partition by block order by line_number) % 2 = 1
                ) as is_open
            from blocks

        ),

        starts as (

            select
                *,
                not coalesce(lag(is_open) over (order by line_number), false) as is_start
            from states

        ),

        numbered as (

            select
                *,
                count(case when is_start then 1 end) over (order by line_number) as record_number
            from starts

        )

        select
            min(line_number) as first_line,
            max(line_number) as last_line,
            rtrim(string_agg(line, chr(10) order by line_number), chr(13)) as record,
            arg_max(is_open, line_number) as is_open
        from numbered
        group by record_number
        having trim(rtrim(string_agg(line, chr(10) order by line_number), chr(13))) != ''
    {% endset %}
    {% do run_query(sql) %}
{% endmacro %}

{# The file's names appear as literals only: the columns are read by position. #}
{% macro duckdb__read_parquet_rows(path) %}
    {% set damaged = 'The Parquet file ' ~ path ~ ' is damaged and can not be read; copy or export it again.' %}
    {% set found = try_or_compiler_error(
        damaged,
        run_query,
        'select cast(to_json(list([column_name, column_type])) as varchar) from (describe select * from read_parquet('
        ~ path_literal(path) ~ ', hive_partitioning = false))'
    ) %}
    {% set types = fromjson(found.rows[0][0]) %}
    {% set written = fromjson(run_query(
        'select cast(to_json(list(lower(trim(name)))) as varchar) from parquet_schema(' ~ path_literal(path) ~ ')'
    ).rows[0][0]) %}
    {% set aliases = [] %}
    {% set texts = [] %}
    {% set pairs = [] %}
    {% set columns = [] %}
    {% for name, type in types %}
        {% set alias = 'c' ~ loop.index %}
        {% do aliases.append(alias) %}
        {#- A float has no null of its own in pandas: NaN stands for it. -#}
        {% set value = 'case when not isnan(' ~ alias ~ ') then ' ~ alias ~ ' end'
            if type in ('FLOAT', 'DOUBLE') else alias %}
        {% do texts.append('cast(' ~ value ~ ' as varchar)') %}
        {% do pairs.append(text_literal(name) ~ ', ' ~ alias) %}
        {#- DuckDB calls the second of two columns named `a` `a_1`: give it its name back. -#}
        {% set own = name | lower | trim %}
        {% do columns.append(
            own if own in written else modules.re.sub('_[0-9]+$', '', own)
        ) %}
    {% endfor %}
    {% do try_or_compiler_error(
        damaged,
        run_query,
        'create or replace temporary table loading_rows as select file_row_number + 1 as file_row_number, '
        ~ 'file_row_number + 1 as file_line, cast(json_object(' ~ (pairs | join(', '))
        ~ ') as varchar) as file_record, cast(null as varchar) as file_problem, ['
        ~ (texts | join(', ')) ~ '] as fields from read_parquet('
        ~ path_literal(path) ~ ', hive_partitioning = false) as file (' ~ (aliases | join(', ')) ~ ')'
    ) %}
    {% do return(columns) %}
{% endmacro %}
