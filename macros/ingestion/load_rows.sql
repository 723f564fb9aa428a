{#
  Fills the temporary table `loading_typed` from `loading_rows`: each row cast to the contract of
  `table`, or to the columns that an importer names in `mapping.types`, with `load_reason` where it
  does not fit. One reason per column, in the order of the contract; a row that could not be taken
  apart, or that the importer refuses, has that reason alone.
#}
{% macro type_loading_rows(table, mapping) %}
    {% set columns = (mapping.types or contract_columns(table)) | rejectattr('name', 'equalto', 'loaded_at') | list %}
    {% set string_type = api.Column.translate_type('string') %}
    {% set problems = [] %}
    {% for column in columns if column.name in mapping.columns %}
        {% set text = 'text_' ~ column.name %}
        {% do problems.append(
            "case"
            ~ ("" if column.config.meta.get('is_nullable')
                else " when " ~ text ~ " is null then '" ~ column.name ~ ": value is missing'")
            ~ " when " ~ text ~ " is not null and " ~ column.name ~ " is null then '" ~ column.name ~ ": ''' || left("
            ~ text ~ ", 60) || ''' ' || " ~ text_problem(text, column.data_type) ~ " end"
        ) %}
    {% endfor %}
    {% set sql %}
        create or replace temporary table loading_typed as
        with

        texts as (

            select
                file_row_number,
                file_line,
                file_record,
                file_problem,
                {%- for column in columns %}
                {{ "nullif(" ~ mapping.columns[column.name] ~ ", '')" if column.name in mapping.columns
                    else 'cast(null as ' ~ string_type ~ ')' }} as text_{{ column.name }},
                {%- endfor %}
                {{ mapping.problem or 'cast(null as ' ~ string_type ~ ')' }} as importer_problem
            from loading_rows

        ),

        typed as (

            select
                *
                {%- for column in columns %},
                {{ text_as('text_' ~ column.name, column.data_type) }} as {{ column.name }}
                {%- endfor %}
            from texts

        )

        select
            file_row_number,
            file_line,
            file_record,
            coalesce(
                file_problem, importer_problem, nullif(concat_ws('; ', {{ problems | join(', ') }}), '')
            ) as load_reason
            {%- for column in columns %},
            {{ column.name }}
            {%- endfor %}
        from typed
    {% endset %}
    {% do run_query(sql) %}
{% endmacro %}

{# How many rows of `loading_typed` fit and do not, and where and why the first one does not. #}
{% macro count_loading_rows() %}
    {% set sql %}
        select
            count(*) as rows_in_file,
            count(case when load_reason is null then 1 end) as rows_loaded,
            (
                select record_line.file_line from loading_typed as record_line
                where record_line.load_reason is not null order by record_line.file_row_number limit 1
            ) as first_line,
            (
                select record_reason.load_reason from loading_typed as record_reason
                where record_reason.load_reason is not null order by record_reason.file_row_number limit 1
            ) as first_reason
        from loading_typed
    {% endset %}
    {% set row = run_query(sql).rows[0] %}
    {% do return({
        'rows_in_file': row[0] | int,
        'rows_loaded': row[1] | int,
        'rows_rejected': (row[0] | int) - (row[1] | int),
        'first_line': row[2],
        'first_reason': row[3],
    }) %}
{% endmacro %}

{# How many rows SQL makes of the rows that fit: none of them is rejected. #}
{% macro count_made_rows(made_of) %}
    {% set rows = run_query('select count(*) from (' ~ made_of ~ ') as made').rows[0][0] | int %}
    {% do return({'rows_in_file': rows, 'rows_loaded': rows, 'rows_rejected': 0}) %}
{% endmacro %}
