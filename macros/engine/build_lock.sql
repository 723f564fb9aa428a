{#
  Two builds of the same schemas at once would number decisions alike and write over one another. The
  first hook of a run that builds takes the lock, the last one gives it back, also of a failed run.
#}
{% macro take_build_lock() %}
    {% if is_building() %}{{ return(adapter.dispatch('take_build_lock')()) }}{% endif %}
{% endmacro %}

{% macro default__take_build_lock() %}
    {{ exceptions.raise_compiler_error('take_build_lock is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{# A DuckDB file has one writer at a time. #}
{% macro duckdb__take_build_lock() %}{% endmacro %}

{#
  The lock is a table: of two statements that create it one succeeds. Its comment names the run. A run
  that was killed leaves it behind; it is taken over after `build_lock_hours`.
#}
{% macro snowflake__take_build_lock() %}
    {% set held = held_build_lock() %}
    {% if held is not none and held['hours'] < setting_value('build_lock_hours') %}
        {% do stop(
            'Another build of these schemas (' ~ held['invocation_id'] ~ ') has been running for '
            ~ '%.1f' % held['hours'] ~ ' hours; wait for its end. If it was killed, type: '
            ~ 'dbt run-operation release_build_lock'
        ) %}
    {% elif held is not none %}
        {% do run_query('drop table if exists ' ~ build_lock()) %}
    {% endif %}
    {% do run_query('create schema if not exists ' ~ build_lock().without_identifier()) %}
    {% do try_or_compiler_error(
        'This build could not lock its schemas: another one has just begun (wait for its end), or role '
        ~ target.role ~ ' may not create tables in ' ~ build_lock().without_identifier() ~ '.',
        run_query,
        'create table ' ~ build_lock() ~ " (locked boolean) comment = '" ~ invocation_id ~ "'"
    ) %}
{% endmacro %}

{# The last hook of a run: gives back the lock that this run holds. #}
{% macro give_back_build_lock() %}
    {% if is_building() %}{{ return(adapter.dispatch('give_back_build_lock')()) }}{% endif %}
{% endmacro %}

{% macro default__give_back_build_lock() %}{% endmacro %}

{% macro snowflake__give_back_build_lock() %}
    {% set held = held_build_lock() %}
    {% if held is not none and held['invocation_id'] == invocation_id %}
        {% do run_query('drop table if exists ' ~ build_lock()) %}
    {% endif %}
{% endmacro %}

{# Around what a person changes between builds: a build holds the same lock. #}
{% macro lock_between_builds() %}
    {{ return(adapter.dispatch('take_build_lock')()) }}
{% endmacro %}

{% macro unlock_between_builds() %}
    {{ return(adapter.dispatch('give_back_build_lock')()) }}
{% endmacro %}

{# For a person, after a build was killed. #}
{% macro release_build_lock() %}
    {% do run_query('drop table if exists ' ~ build_lock()) %}
    {% do print('No build holds ' ~ build_lock() ~ ' any more.') %}
{% endmacro %}

{# The table that is the lock. #}
{% macro build_lock() %}
    {% do return(api.Relation.create(
        database=target.database, schema=generate_schema_name('internal', none), identifier='build_in_progress'
    )) %}
{% endmacro %}

{#
  Which run holds the lock and for how many hours; none where it is free. SHOW needs no warehouse:
  https://docs.snowflake.com/en/sql-reference/sql/show-tables
#}
{% macro held_build_lock() %}
    {% set lock = build_lock() %}
    {% for row in run_query(
        "show tables like '" ~ lock.identifier ~ "' in database " ~ target.database
    ).rows if row['schema_name'] | lower == lock.schema | lower %}
        {% set age = modules.datetime.datetime.now(modules.pytz.utc) - row['created_on'] %}
        {% do return({'invocation_id': row['comment'], 'hours': age.total_seconds() / 3600}) %}
    {% endfor %}
    {% do return(none) %}
{% endmacro %}
