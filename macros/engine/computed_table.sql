{#
  DuckDB's side of what is a dynamic table on Snowflake: a table that is made again only where its
  query or one of its inputs has changed since it was made, and with `--full-refresh`. What it is made
  from stands as a fingerprint in the table `computed_fingerprints` of the internal schema.
#}
{% materialization computed_table, adapter='duckdb' %}
    {% set fingerprint = input_fingerprint(model, compiled_code) %}
    {% set existing = load_cached_relation(this) %}
    {% if existing is not none and existing.is_table and not should_full_refresh()
        and stored_fingerprint(this) == fingerprint %}
        {% do log(this ~ ' is up to date.') %}
        {% call noop_statement('main', 'UP TO DATE', 'UP TO DATE', 0) %}{{ compiled_code }}{% endcall %}
        {% do return({'relations': [this.incorporate(type='table')]}) %}
    {% endif %}
    {# Forgotten first: what is killed between the table and its fingerprint is made again. #}
    {% do forget_fingerprint(this) %}
    {% set made = materialization_table_duckdb() %}
    {% do store_fingerprint(this, fingerprint) %}
    {% do return(made) %}
{% endmaterialization %}

{#
  On Snowflake for what a dynamic table can not be, as it reads tables that Python writes in the same
  build: a table.
#}
{% materialization computed_table, adapter='snowflake' %}
    {% do return(materialization_table_snowflake()) %}
{% endmaterialization %}

{# The first hook of a run that builds: makes the place for the fingerprints. #}
{% macro prepare_computed_tables() %}
    {% if is_building() %}{{ return(adapter.dispatch('prepare_computed_tables')()) }}{% endif %}
{% endmacro %}

{% macro default__prepare_computed_tables() %}{% endmacro %}

{% macro duckdb__prepare_computed_tables() %}
    {% do run_query('create schema if not exists ' ~ computed_fingerprints().without_identifier()) %}
    {% do run_query(
        'create table if not exists ' ~ computed_fingerprints() ~ ' (relation_name varchar, fingerprint varchar)'
    ) %}
    {# An earlier hook may have begun a transaction, which dbt rolls back after the last one. #}
    {% do adapter.commit() %}
{% endmacro %}

{# The table of the fingerprints: one row for each computed table. #}
{% macro computed_fingerprints() %}
    {% do return(api.Relation.create(
        database=target.database, schema=generate_schema_name('internal', none), identifier='computed_fingerprints'
    )) %}
{% endmacro %}

{% macro stored_fingerprint(relation) %}
    {% set found = run_query(
        'select fingerprint from ' ~ computed_fingerprints() ~ ' where relation_name = '
        ~ dbt.string_literal(relation.render())
    ).rows %}
    {% do return(found[0][0] if found else none) %}
{% endmacro %}

{% macro forget_fingerprint(relation) %}
    {% do run_query(
        'delete from ' ~ computed_fingerprints() ~ ' where relation_name = ' ~ dbt.string_literal(relation.render())
    ) %}
{% endmacro %}

{% macro store_fingerprint(relation, fingerprint) %}
    {% do run_query(
        'insert into ' ~ computed_fingerprints() ~ ' values (' ~ dbt.string_literal(relation.render()) ~ ', '
        ~ dbt.string_literal(fingerprint) ~ ')'
    ) %}
    {% do adapter.commit() %}
{% endmacro %}

{#
  What a table is made from: its query, its texts and grants, all that it reads, and DuckDB's version,
  which may compute otherwise. A computed table that is read stands with its own fingerprint; a view
  with its query and what that reads; any other table with its columns and a hash over its rows, in
  whatever order.
#}
{% macro input_fingerprint(node, query) %}
    {% set asked = [query, node.description, node.columns, node.config.grants] %}
    {% set parts = ['version()', dbt.string_literal(local_md5(tojson(asked)))] %}
    {% for input_id in node.depends_on.nodes %}
        {% do parts.extend(input_identity(input_id)) %}
    {% endfor %}
    {% do return(run_query("select md5(concat_ws('|', " ~ parts | join(', ') ~ '))').rows[0][0]) %}
{% endmacro %}

{# SQL expressions that change where what a node holds changes. #}
{% macro input_identity(input_id) %}
    {% set node = graph.nodes.get(input_id) or graph.sources[input_id] %}
    {% set relation = api.Relation.create(
        database=node.database, schema=node.schema, identifier=node.alias or node.identifier
    ) %}
    {% set name = dbt.string_literal(relation.render()) %}
    {% if node.config.materialized == 'computed_table' %}
        {% do return([
            'coalesce((select max(fingerprint) from ' ~ computed_fingerprints() ~ ' where relation_name = ' ~ name
            ~ '), cast(uuid() as varchar))'
        ]) %}
    {% endif %}
    {% set existing = adapter.get_relation(relation.database, relation.schema, relation.identifier) %}
    {% if existing is none %}
        {% do return([dbt.string_literal('no ' ~ relation.render())]) %}
    {% endif %}
    {% set parts = [name] %}
    {% if existing.is_view and node.resource_type == 'model' %}
        {% do parts.append(
            '(select max(sql) from duckdb_views() where schema_name = ' ~ dbt.string_literal(relation.schema)
            ~ ' and view_name = ' ~ dbt.string_literal(relation.identifier) ~ ')'
        ) %}
        {% for inner_id in node.depends_on.nodes %}{% do parts.extend(input_identity(inner_id)) %}{% endfor %}
    {% else %}
        {% for column in adapter.get_columns_in_relation(existing) %}
            {% do parts.append(dbt.string_literal(column.name ~ ' ' ~ column.data_type)) %}
        {% endfor %}
        {% do parts.append(
            "(select count(*) || ':' || coalesce(sum(hash(input_rows)), 0) from " ~ existing ~ ' as input_rows)'
        ) %}
    {% endif %}
    {% do return(parts) %}
{% endmacro %}
