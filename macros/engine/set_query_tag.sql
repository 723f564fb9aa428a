{#
  On Snowflake each statement carries a tag that says which project, run and node it is for, so that
  account_usage can tell what a model costs (analyses/cost_per_model_on_snowflake.sql). dbt-snowflake
  calls set_query_tag first in each materialization and unset_query_tag last; dbt documents both as
  open to override (https://docs.getdbt.com/reference/resource-configs/snowflake-configs#query-tags).
  Nothing here is dispatched to another engine: DuckDB never comes by.

  One statement per node, no more. dbt-snowflake's own macros send three: they read the old tag, set
  the new one and put the old one back. Reading costs a round trip and gives what the node before left
  behind; putting back never happens where a node fails, so the next node takes a stale tag for the
  original. Here every node sets a whole tag of its own, which is right whatever came before it.
  Statements before the first node have the profile's `query_tag`; on-run hooks that of tag_run(). Only
  what dbt sends for a node before its materialization has the tag of the node before in that session:
  what it looks up while it compiles (`describe` for a unit test's inputs, the queries of ours that a
  model is written from) and, for a model with a warehouse of its own, `select current_warehouse()` and
  `use warehouse` (pre_model_hook of dbt-snowflake). The way back is under the model's own tag.
#}
{% macro snowflake__set_query_tag() %}
    {% do run_query(alter_query_tag(node_query_tag(model))) %}
    {% do return(none) %}
{% endmacro %}

{# Nothing: the next node of this session sets its own tag before its first statement. #}
{% macro snowflake__unset_query_tag(original_query_tag) %}
{% endmacro %}

{#
  dbt-snowflake has no materialization of its own for unit tests, and dbt's default sets no tag: the
  tables that it makes would be put down to the node that the session ran before.
#}
{% materialization unit, adapter='snowflake' %}
    {% do set_query_tag() %}
    {{ return(materialization_unit_default()) }}
{% endmaterialization %}

{#
  First of on-run-start and of on-run-end, for the statements of the other hooks. Empty on engines
  without tags, which dbt skips.
#}
{% macro tag_run() %}
    {{ return(adapter.dispatch('tag_run')()) }}
{% endmacro %}

{% macro default__tag_run() %}{% endmacro %}

{% macro snowflake__tag_run() %}
    {{ return(alter_query_tag(run_query_tag('hook'))) }}
{% endmacro %}

{# What every tag has: which project, in which run, and what kind of statement. No secret, no name of a person. #}
{% macro run_query_tag(kind) %}
    {% do return({'project': project_name, 'invocation_id': invocation_id, 'kind': kind}) %}
{% endmacro %}

{#
  A node's tag. `kind` is a model's materialization (`dynamic_table`, `incremental`, ...), with
  `python_` before it where its body is Python; for the rest what it is: test, unit_test, seed, snapshot.
  A `query_tag` that somebody configures on a node is kept, as a label.
#}
{% macro node_query_tag(node) %}
    {% set kind = node.config.materialized if node.resource_type == 'model' else node.resource_type %}
    {% set tag = run_query_tag(('python_' if node.language == 'python' else '') ~ kind) %}
    {% do tag.update({'node_id': node.unique_id}) %}
    {% if config.get('query_tag') %}{% do tag.update({'label': config.get('query_tag')}) %}{% endif %}
    {% do return(tag) %}
{% endmacro %}

{#
  SQL: sets the session's tag. A tag has at most 2,000 characters
  (https://docs.snowflake.com/en/sql-reference/parameters#query-tag). In a literal Snowflake takes both
  the quote and the backslash for special, and JSON writes a backslash.
  (https://docs.snowflake.com/en/sql-reference/data-types-text#escape-sequences-in-single-quoted-string-constants)
#}
{% macro alter_query_tag(tag) %}
    {% set text = tojson(tag, sort_keys=true) | replace('\\', '\\\\') | replace("'", "''") %}
    {% do return("alter session set query_tag = '" ~ text ~ "'") %}
{% endmacro %}
