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
  Reads a CSV file in DuckDB's strict mode, which rejects what its lenient mode would cut or pad, and
  by position: the names of the file never become SQL. The rows that DuckDB can not take apart come
  from its table of rejects (`loading_errors`).

  A row's line is exact; where quoted fields hold line ends, blank lines before the row are not counted.
#}
{% macro duckdb__read_csv_rows(path, format) %}
    {% set unreadable = 'The file ' ~ path ~ ' can not be read as UTF-8 text with lines of at most 16 MB and one kind '
        ~ 'of line end; export it as comma-separated UTF-8 text.' %}
    {% do duckdb__scan_lines(path, format, unreadable) %}
    {% set columns = duckdb__read_header(path, unreadable) %}
    {% if not columns %}{% do return([]) %}{% endif %}

    {% for table in ['loading_errors', 'loading_scans'] %}
        {% do run_query('drop table if exists temp.' ~ table) %}
    {% endfor %}
    {% set names = duckdb__positional_names(columns | length) %}
    {% set sql %}
        create or replace temporary table loading_records as
        select
            row_number() over () as record_number,
            [{{ names | join(', ') }}] as fields
        from {{ duckdb__read_csv(path, names) }}, strict_mode = true, store_rejects = true, rejects_limit = 0,
            rejects_table = 'loading_errors', rejects_scan = 'loading_scans')
    {% endset %}
    {% do try_or_compiler_error(unreadable, run_query, sql) %}
    {% if run_query(
        "select count(*) from temp.loading_errors where error_type not in ('MISSING COLUMNS', 'TOO MANY COLUMNS', "
        ~ "'UNQUOTED VALUE')"
    ).rows[0][0] %}
        {{ exceptions.raise_compiler_error(unreadable) }}
    {% endif %}
    {% do duckdb__number_rows(path, columns | length) %}

    {% set problem = run_query('select file_problem from loading_rows where file_row_number = 0').rows[0][0] %}
    {% if problem is not none %}
        {% do stop('The header line of the file ' ~ path ~ ' can not be taken apart: ' ~ problem ~ '; correct it.') %}
    {% endif %}
    {% do run_query('delete from loading_rows where file_row_number = 0') %}
    {% do return(columns) %}
{% endmacro %}

{# SQL: the start of a call of read_csv, its columns named c1, c2 ... One thread: it keeps the order. #}
{% macro duckdb__read_csv(path, names) %}
    {% do return(
        'read_csv(' ~ path_literal(path) ~ ", columns = {'" ~ (names | join("': 'varchar', '")) ~ "': 'varchar'}, "
        ~ "delim = ',', quote = '\"', escape = '\"', nullstr = '\U0010ffff', header = false, auto_detect = false, "
        ~ 'hive_partitioning = false, parallel = false, max_line_size = 16777216, buffer_size = 67108864'
    ) %}
{% endmacro %}

{% macro duckdb__positional_names(count) %}
    {% set names = [] %}
    {% for number in range(1, count + 1) %}{% do names.append('c' ~ number) %}{% endfor %}
    {% do return(names) %}
{% endmacro %}

{#
  SQL: the lines of a file. The separator is one that no text holds, so that each line is one field. A
  line that is not UTF-8 or too long is left out here; the rows are not read then.
#}
{% macro duckdb__lines(path) %}
    {% do return(
        "(select row_number() over () as line_number, coalesce(line, '') as line from read_csv(" ~ path_literal(path)
        ~ ", columns = {'line': 'varchar'}, header = false, auto_detect = false, delim = '\U0010ffff', quote = '', "
        ~ "escape = '', strict_mode = false, hive_partitioning = false, "
        ~ 'max_line_size = 16777216, ignore_errors = true))'
    ) %}
{% endmacro %}

{#
  Fills `loading_lines`: how many lines a file has, and which are blank. Stops at a gzip file that
  ends too early, and at binary data.
#}
{% macro duckdb__scan_lines(path, format, unreadable) %}
    {% do try_or_compiler_error(
        'The gzip file ' ~ path ~ ' is damaged or breaks off before its end; copy or compress it again.'
            if format == 'csv.gz' else unreadable,
        run_query,
        'create or replace temporary table loading_lines as select count(*) as line_count, coalesce(list(line_number) '
        ~ "filter (trim(line, chr(13) || ' ') = ''), []) as blank_lines, min(line_number) "
        ~ 'filter (contains(line, chr(0))) as binary_line from ' ~ duckdb__lines(path)
    ) %}
    {% set binary = run_query('select binary_line from loading_lines').rows[0][0] %}
    {% if binary is not none %}
        {% do stop(
            'The file ' ~ path ~ ' is not a CSV file: it holds binary data (line ' ~ binary
            ~ '); export it as comma-separated UTF-8 text.'
        ) %}
    {% endif %}
{% endmacro %}

{# The names in the first row that is not blank. Its fields are counted by padding the row with nulls. #}
{% macro duckdb__read_header(path, unreadable) %}
    {% set names = duckdb__positional_names(1000) %}
    {% set header = try_or_compiler_error(
        unreadable,
        run_query,
        'select cast(to_json([lower(trim(field)) for field in [' ~ (names | join(', '))
        ~ '] if field is not null]) as varchar) from ' ~ duckdb__read_csv(path, names)
        ~ ", strict_mode = false, null_padding = true, ignore_errors = true) where c2 is not null or trim(c1) != '' "
        ~ 'limit 1'
    ) %}
    {% do return(fromjson(header.rows[0][0]) if header.rows else []) %}
{% endmacro %}

{#
  Fills `loading_rows` from `loading_records` (what DuckDB could take apart, in its order) and
  `loading_errors` (the other rows, by their number among all), with the header as row 0.
#}
{% macro duckdb__number_rows(path, column_count) %}
    {% set has_line_ends = run_query(
        "select exists (from loading_records where regexp_matches(array_to_string(fields, ''), '[\r\n]')) or exists ("
        ~ "from temp.loading_errors where regexp_matches(trim(csv_line, chr(10) || chr(13)), '[\r\n]'))"
    ).rows[0][0] %}
    {% set line_ends = "len(file_record) - len(replace(file_record, chr(10), ''))" %}
    {% set sql %}
        create or replace temporary table loading_rows as
        with

        rejected as (

            select
                line as record_number,
                trim(max_by(csv_line, len(csv_line)), chr(10) || chr(13)) as file_record,
                case when bool_or(error_type = 'TOO MANY COLUMNS') then max(column_idx) else min(column_idx) end
                    as field_count,
                bool_or(error_type = 'UNQUOTED VALUE') as is_quote_problem
            from temp.loading_errors
            group by line

        ),

        errors as (

            select
                *,
                is_quote_problem or trim(file_record) != '' as is_row
            from rejected

        ),

        skipped as (

            {% if has_line_ends -%}
            select record_number, is_row from errors
            {%- else -%}
            select record_number, is_row from errors where is_row
            union all
            select unnest(blank_lines), false from loading_lines
            {%- endif %}

        ),

        ranked as (

            select
                record_number,
                row_number() over (order by record_number) as skipped_records,
                count(case when is_row then 1 end) over (order by record_number) as skipped_rows
            from skipped

        ),

        gaps as (

            select
                record_number - skipped_records as records_before,
                max(skipped_records) as skipped_records,
                max(skipped_rows) as skipped_rows
            from ranked
            group by record_number - skipped_records

        ),

        numbered as (

            select
                record.record_number + coalesce(gap.skipped_records, 0) as record_number,
                record.record_number + coalesce(gap.skipped_rows, 0) - 1 as file_row_number,
                case
                    when regexp_matches(array_to_string(record.fields, ''), '[",\r\n]')
                        then array_to_string([
                            case
                                when regexp_matches(field, '[",\r\n]') then '"' || replace(field, '"', '""') || '"'
                                else field
                            end
                            for field in record.fields
                        ], ',')
                    else array_to_string(record.fields, ',')
                end as file_record,
                record.fields,
                cast(null as varchar) as problem
            from loading_records as record
            asof left join gaps as gap
                on record.record_number > gap.records_before

            union all

            select
                error.record_number,
                error.record_number - ranked.skipped_records + ranked.skipped_rows - 1 as file_row_number,
                {{ 'error.file_record' if has_line_ends else 'line.line' }} as file_record,
                cast(null as varchar[]) as fields,
                case
                    when error.is_quote_problem then 'a quoted field goes on after its closing quote'
                    else 'the row has ' || error.field_count || ' fields, the header {{ column_count }}'
                end as problem
            from errors as error
            inner join ranked
                on error.record_number = ranked.record_number
            {%- if not has_line_ends %}
            inner join {{ duckdb__lines(path) }} as line
                on error.record_number = line.line_number
            {%- endif %}
            where error.is_row

        ),

        placed as (

            select
                *,
                record_number
                {%- if has_line_ends %}
                + coalesce(
                    sum({{ line_ends }}) over (
                        order by record_number rows between unbounded preceding and 1 preceding
                    ), 0
                )
                {%- endif %} as file_line
            from numbered

        )

        select
            file_row_number,
            file_line,
            file_record,
            fields,
            problem || case
                when contains(file_record, chr(10)) then ' (it goes on to line ' || (file_line + {{ line_ends }})
                    || ': a quote may be missing)'
                else ''
            end as file_problem
        from placed
    {% endset %}
    {% do run_query(sql) %}
    {% do run_query('drop table temp.loading_records') %}
    {% do duckdb__check_all_lines_read(path) %}
{% endmacro %}

{#
  Stops where a line that is not blank is in no row: DuckDB says nothing of a last row whose quoted
  field is never closed.
#}
{% macro duckdb__check_all_lines_read(path) %}
    {% set sql %}
        select max(file_line + len(lines))
        from (
            select
                file_line,
                case
                    when regexp_matches(file_record, '[\r\n]') then regexp_split_to_array(file_record, '\r\n|\r|\n')
                    else [file_record]
                end as lines
            from loading_rows
        )
        having
            coalesce(sum(case when len(lines) = 1 then 1 else len([line for line in lines if trim(line) != '']) end), 0)
            != (select line_count - len(blank_lines) from loading_lines)
    {% endset %}
    {% set after = run_query(sql).rows %}
    {% if after %}
        {% do stop(
            'In the file ' ~ path ~ ' the row that starts on line ' ~ (after[0][0] or 1)
            ~ ' opens a quoted field that is never closed, so that the rows after it can not be told apart; '
            ~ 'close the quote (a quote inside a quoted field is written twice).'
        ) %}
    {% endif %}
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
