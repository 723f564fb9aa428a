{#
  Erases one customer everywhere, on request (GDPR, article 17):

    dbt --log-level-file none run-operation forget_customer --args '{customer_id: "C-1021"}'

  customer_id: as the shop writes it, in quotes: YAML reads 0012 as the number 10.
  mode: `delete` (default) takes the rows away. `pseudonymise` keeps orders and sessions in raw under random
  keys that are stored nowhere else, without attributes and reviews; what is left is still of a person, as
  times and amounts may tell of whom, so it is for shops that must keep their books.

  What was built from raw is deleted in both modes and made again by the next build. erasure_catalog says
  which tables there are; a table in no list that holds the customer stops the call. One transaction:
  a call that stops or is killed has changed nothing. docs/erasure.md says what this does not reach.
#}
{% macro forget_customer(customer_id=none, mode='delete') %}
    {% if execute %}
        {% do check_settings() %}
        {% do check_forget_arguments(customer_id, mode) %}
        {% do prepare_erasure() %}
        {% set tables = stored_tables() %}
        {% set present = present_tables(tables) %}
        {% do fill_forget_keys(customer_id, present) %}
        {% do check_unlisted_tables(tables, customer_id) %}
        {% set held = tables_with_forget_keys(tables) %}
        {% if not held %}
            {% do stop_erasure(
                'No table holds customer ' ~ customer_id ~ ', so nothing was erased'
                ~ ('; the log of erasures says that this was done before' if is_logged(customer_id, present) else '')
                ~ '. Ids are compared letter by letter.'
            ) %}
        {% endif %}
        {% set views = held | selectattr('is_view') | map(attribute='name') | list %}
        {% if views %}
            {% do stop_erasure(
                setting_value('raw_schema') ~ '.' ~ (views | join(', ')) ~ ' holds the customer and is a view, so '
                ~ 'nothing was erased; erase the rows where it reads them, then call this again for what was built from them.'
            ) %}
        {% endif %}
        {% do create_erasure_log() %}
        {% do begin_erasure() %}
        {% set marked = log_erasure(customer_id, mode, held, present) %}
        {% for table in held if not table.is_dynamic %}
            {% do erase_rows(table, mode, present) %}
        {% endfor %}
        {% set left = tables_with_forget_keys(held) | rejectattr('is_dynamic') | list %}
        {% if left %}
            {% do stop_erasure(
                'Rows were left in ' ~ (left | map(attribute='relation') | join(', ')) ~ ', so nothing was erased.',
                is_begun=true
            ) %}
        {% endif %}
        {% do commit_erasure(in_order_of_reading(
            tables | selectattr('is_dynamic') | selectattr('name', 'in', erasure_catalog()) | list
        )) %}
        {% do print_erasure(held, mode, marked) %}
    {% endif %}
{% endmacro %}

{#
  The relations of some tables, those that others read first: a dynamic table without a schedule of its own
  is not refreshed for the sake of one that reads it
  (https://docs.snowflake.com/en/sql-reference/sql/alter-dynamic-table).
#}
{% macro in_order_of_reading(tables) %}
    {% set depths = {} %}
    {% set placed = [] %}
    {% for node in graph.nodes.values() if node.resource_type == 'model' %}
        {% for table in tables if table.name == node.name %}
            {% do placed.append((reading_depth(node.unique_id, depths), table.relation | string, table.relation)) %}
        {% endfor %}
    {% endfor %}
    {% do return(placed | sort | map(attribute=2) | list) %}
{% endmacro %}

{# How many steps a node is from what no model makes. `known`: depths that were found before. #}
{% macro reading_depth(node_id, known) %}
    {% if node_id not in known %}
        {% set depths = [0] %}
        {% for parent_id in (graph.nodes[node_id].depends_on.nodes if node_id in graph.nodes else []) %}
            {% do depths.append(reading_depth(parent_id, known) + 1) %}
        {% endfor %}
        {% do known.update({node_id: depths | max}) %}
    {% endif %}
    {% do return(known[node_id]) %}
{% endmacro %}

{# Stops with a sentence where the arguments, or the shop, leave nobody to forget. #}
{% macro check_forget_arguments(customer_id, mode) %}
    {% set example = "--args '{customer_id: \"C-1021\", mode: delete}'" %}
    {% if customer_id is not string or customer_id | trim == '' %}
        {% do stop('forget_customer needs a customer_id in quotes, or YAML may read another one: ' ~ example ~ '.') %}
    {% endif %}
    {% if mode not in ('delete', 'pseudonymise') %}
        {% do stop("There is no mode '" ~ mode ~ "'; give delete or pseudonymise: " ~ example ~ '.') %}
    {% endif %}
    {% if setting_value('shop_source') == 'sample' %}
        {% do stop(
            'The sample shop is made up and comes from files in git, so there is nobody to forget and the next build '
            ~ 'would bring the rows back; set SHOP_SOURCE=raw for your own.'
        ) %}
    {% endif %}
{% endmacro %}

{# A table that no list names and that holds the customer: nobody has said what to do with it. #}
{% macro check_unlisted_tables(tables, customer_id) %}
    {% set listed = erasure_catalog().keys() | list + holds_nobody() + ['load_rejects'] %}
    {% set counts = [] %}
    {% for table in tables if table.name not in listed and not table.is_view %}
        {% for column in table.columns if column.is_text %}
            {% do counts.append(
                'select ' ~ quoted_text(table.relation.schema ~ '.' ~ table.relation.identifier ~ ', column ' ~ column.name)
                ~ ' as place, count(*) as row_count from ' ~ table.relation ~ ' where ' ~ adapter.quote(column.name) ~ ' = '
                ~ quoted_text(customer_id)
            ) %}
        {% endfor %}
    {% endfor %}
    {% if counts %}
        {% set found = run_query(
            'select place from (' ~ (counts | join(' union all ')) ~ ') as counted where row_count > 0 order by place'
        ).columns[0].values() %}
        {% if found %}
            {% do stop_erasure(
                'The customer is in ' ~ (found | join('; ')) ~ ', which macros/erasure/erasure_catalog.sql does not '
                ~ 'name, so nothing was erased; add the table there, or erase those rows yourself first.'
            ) %}
        {% endif %}
    {% endif %}
{% endmacro %}

{# Those of the tables that hold one of the keys, each with the number of such rows. #}
{% macro tables_with_forget_keys(tables) %}
    {% set counts = [] %}
    {% for table in tables if table.name in erasure_catalog() or table.name == 'load_rejects' %}
        {% do counts.append(
            'select ' ~ loop.index0 ~ ' as place, count(*) as row_count from ' ~ table.relation ~ ' where '
            ~ rows_with_forget_keys(table)
        ) %}
    {% endfor %}
    {% set held = [] %}
    {% if counts %}
        {% set rows = {} %}
        {% for row in run_query(counts | join(' union all ')).rows %}
            {% do rows.update({row[0] | int: row[1] | int}) %}
        {% endfor %}
        {% for table in tables if table.name in erasure_catalog() or table.name == 'load_rejects' %}
            {% if rows[loop.index0] %}{% do held.append(dict(table, rows=rows[loop.index0])) %}{% endif %}
        {% endfor %}
    {% endif %}
    {# Raw last: the keys come from there. #}
    {% do return(held | sort(attribute='is_raw')) %}
{% endmacro %}

{# SQL: the condition that a row of a table holds one of the keys. #}
{% macro rows_with_forget_keys(table) %}
    {% if table.name == 'load_rejects' %}
        {% do return('record in (' ~ records_with_forget_keys(table.relation) ~ ')') %}
    {% endif %}
    {% do return(holds_forget_keys(erasure_catalog()[table.name])) %}
{% endmacro %}

{#
  Takes the rows with one of the keys from a table, or the person from them. A reject stays as a count:
  it may not add up with load_manifest otherwise.
#}
{% macro erase_rows(table, mode, present) %}
    {% if table.name == 'load_rejects' %}
        {% do run_query(
            'update ' ~ table.relation ~ " set record = 'erased', reason = 'erased' where "
            ~ rows_with_forget_keys(table)
        ) %}
    {% elif mode == 'pseudonymise' and table.is_raw and table.name != 'reviews' %}
        {% do pseudonymise_rows(table) %}
    {% else %}
        {% do run_query('delete from ' ~ table.relation ~ ' where ' ~ rows_with_forget_keys(table)) %}
        {% do forget_computed(table.relation, present) %}
    {% endif %}
{% endmacro %}

{#
  Gives raw rows other keys. Attributes of the customer are emptied, and so is every column that the
  contract does not know: nobody has said what is in it. The day of signing up is rounded to its month.
#}
{% macro pseudonymise_rows(table) %}
    {% set columns = erasure_catalog()[table.name] %}
    {% set known = contract_columns(table.name) | map(attribute='name') | list %}
    {% set emptied = [] %}
    {% for column in table.columns if column.name | lower not in known %}
        {% do emptied.append(adapter.quote(column.name) ~ ' = null') %}
    {% endfor %}
    {% if table.name == 'customers' %}
        {% do emptied.extend(['gender = null', 'age = null', 'location = null', 'plan = null']) %}
        {% do emptied.append("signed_up_on = cast(date_trunc('month', signed_up_on) as date)") %}
    {% endif %}
    {% if emptied %}
        {% do run_query(
            'update ' ~ table.relation ~ ' set ' ~ (emptied | join(', ')) ~ ' where ' ~ rows_with_forget_keys(table)
        ) %}
    {% endif %}
    {% for column, kinds in columns.items() %}
        {% do run_query(
            'update ' ~ table.relation ~ ' set ' ~ column ~ ' = known.pseudonym from ' ~ erasure_scratch('forget_keys')
            ~ " as known where known.kind = '" ~ kinds[0] ~ "' and " ~ column ~ ' = known.key_value'
        ) %}
    {% endfor %}
{% endmacro %}

{# Says what was done, without the id: what a run prints is often kept. #}
{% macro print_erasure(held, mode, marked) %}
    {% for table in held %}
        {% do print('  %9s  %s.%s' | format(thousands(table.rows), table.relation.schema, table.relation.identifier)) %}
    {% endfor %}
    {% do print(
        ('Deleted ' if mode == 'delete' else 'Pseudonymised or deleted ') ~ counted_rows(held | sum(attribute='rows'))
        ~ ' of ' ~ (held | length) ~ ' tables. ' ~ marked ~ ' model version' ~ ('s' if marked != 1 else '')
        ~ ' may have learned from them: see ' ~ generate_schema_name(none, none) ~ '.model_erasures.'
    ) %}
    {% if erasure_key() is none %}
        {% do print(
            'ERASURE_KEY is not set, so a later file that holds this customer will not be recognised (docs/erasure.md).'
        ) %}
    {% endif %}
{% endmacro %}
