"""INFORMATION_SCHEMA: fakesnow's views leave out views, and types that DuckDB names otherwise.

https://docs.snowflake.com/en/sql-reference/info-schema/tables and .../columns
"""

from __future__ import annotations

import re

# A query of the views for it: of a table that was written in parts, DuckDB's estimate is too high.
ASKS_FOR_COUNTS = re.compile(r"(?is)(?=.*\b_fs_tables\b).*(\brow_count\b|\bbytes\b|select \*)")
# Of each stored table by its full name, in a variable of the session that asks: no other session
# sees what its transaction has changed.
COUNTS = "cast(getvariable('row_counts') as map(varchar, bigint))"
LIST_TABLES = """
select concat_ws('.', database_name, schema_name, table_name), format(
    '"{}"."{}"."{}"',
    replace(database_name, '"', '""'), replace(schema_name, '"', '""'),
    replace(table_name, '"', '""')
)
from duckdb_tables() where not internal and not temporary and database_name <> '_fs_global'
"""

GLOBAL_SQL = """
create schema if not exists _fs_global.emulator;
create table if not exists _fs_global.emulator.objects (
    database varchar, schema varchar, name varchar,
    is_dynamic boolean, is_transient boolean, created_at timestamptz
);
create or replace macro _fs_global.emulator.as_binary(given) as
    case when typeof(given) = 'BLOB' then cast(given as blob)
    else unhex(cast(given as varchar)) end;
create or replace macro _fs_global.emulator.nonzero(divisor) as
    case when divisor = 0 then error('Division by zero') else divisor end;
"""

TYPE_SQL = """case
        when {type} like 'DECIMAL%'
            or {type} similar to 'U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER'
            then 'NUMBER'
        when {type} in ('DOUBLE', 'FLOAT') then 'FLOAT'
        when {type} = 'BLOB' then 'BINARY'
        when {type} = 'TIMESTAMP WITH TIME ZONE' then 'TIMESTAMP_TZ'
        when {type} like 'TIMESTAMP%' then 'TIMESTAMP_NTZ'
        when {type} in ('DATE', 'TIME', 'BOOLEAN') then {type}
        when {type} = 'JSON' then 'VARIANT'
        else 'TEXT'
    end"""


def counting_sql(tables: list[tuple[str, str]]) -> str:
    """Count the rows of tables, given as `LIST_TABLES` has them."""
    counts = " union all ".join(
        f"select '{name.replace(chr(39), 2 * chr(39))}' as name, count(*) as counted from {table}"
        for name, table in tables
    )
    made = f"(select map(list(name), list(counted)) from ({counts}))" if tables else "map()"
    return f"set variable row_counts = {made}"


def views_sql(database: str) -> str:
    """Replace fakesnow's views of one database.

    A temporary table is in DuckDB's `temp` under its full name; only its own session sees it there,
    as only its own session sees it in Snowflake
    (https://docs.snowflake.com/en/user-guide/tables-temp-transient).
    """
    text = database.replace("'", "''")
    scope = f'"{database}"._fs_information_schema'
    hidden = "schema_name not in ('main', '_fs_information_schema')"
    return f"""
create or replace view {scope}._fs_tables as
with relations as (
    select database_name, schema_name, table_name, 'BASE TABLE' as table_type, comment,
        {COUNTS}[concat_ws('.', database_name, schema_name, table_name)] as row_count,
        false as is_temporary
    from duckdb_tables() where database_name = '{text}' and {hidden}
    union all
    select database_name, schema_name, view_name, 'VIEW', comment, null, false
    from duckdb_views() where database_name = '{text}' and {hidden}
    union all
    select '{text}', split_part(table_name, '.', 2), split_part(table_name, '.', 3),
        'TEMPORARY TABLE', comment, estimated_size, true
    from duckdb_tables() where database_name = 'temp' and starts_with(table_name, '{text}.')
)
select
    database_name as "TABLE_CATALOG",
    schema_name as "TABLE_SCHEMA",
    table_name as "TABLE_NAME",
    'SYSADMIN' as "TABLE_OWNER",
    table_type as "TABLE_TYPE",
    if(objects.is_transient, 'YES', 'NO') as "IS_TRANSIENT",
    null::varchar as "CLUSTERING_KEY",
    row_count::bigint as "ROW_COUNT",
    if(table_type = 'VIEW', null, 1024 * row_count)::bigint as "BYTES",
    1 as "RETENTION_TIME",
    'YES' as "IS_INSERTABLE_INTO",
    'YES' as "IS_TYPED",
    coalesce(objects.created_at, '2024-01-01 00:00:00+00'::timestamptz) as "CREATED",
    coalesce(objects.created_at, '2024-01-01 00:00:00+00'::timestamptz) as "LAST_ALTERED",
    coalesce(objects.created_at, '2024-01-01 00:00:00+00'::timestamptz) as "LAST_DDL",
    'SYSADMIN' as "LAST_DDL_BY",
    'NO' as "AUTO_CLUSTERING_ON",
    comment as "COMMENT",
    if(is_temporary, 'YES', 'NO') as "IS_TEMPORARY",
    'NO' as "IS_ICEBERG",
    if(objects.is_dynamic, 'YES', 'NO') as "IS_DYNAMIC",
    'NO' as "IS_IMMUTABLE",
    'NO' as "IS_HYBRID"
from relations
left join _fs_global.emulator.objects as objects
    on objects.database = database_name and objects.schema = schema_name
    and objects.name = table_name and not is_temporary;

create or replace view {scope}._fs_columns as
with named as (
    select database_name, schema_name, table_name, column_name, column_index, data_type,
        is_nullable, column_default, numeric_precision, numeric_scale, comment
    from duckdb_columns() where database_name = '{text}' and {hidden}
    union all
    select '{text}', split_part(table_name, '.', 2), split_part(table_name, '.', 3), column_name,
        column_index, data_type, is_nullable, column_default, numeric_precision, numeric_scale,
        comment
    from duckdb_columns() where database_name = 'temp' and starts_with(table_name, '{text}.')
), typed as (
    select *, {TYPE_SQL.format(type="data_type")} as snowflake_type,
        data_type like 'DECIMAL%' as is_decimal
    from named
)
select
    database_name as "TABLE_CATALOG",
    schema_name as "TABLE_SCHEMA",
    table_name as "TABLE_NAME",
    column_name as "COLUMN_NAME",
    column_index as "ORDINAL_POSITION",
    column_default as "COLUMN_DEFAULT",
    if(is_nullable, 'YES', 'NO') as "IS_NULLABLE",
    snowflake_type as "DATA_TYPE",
    case snowflake_type when 'TEXT' then 16777216 when 'BINARY' then 8388608 end
        as "CHARACTER_MAXIMUM_LENGTH",
    case snowflake_type when 'TEXT' then 16777216 when 'BINARY' then 8388608 end
        as "CHARACTER_OCTET_LENGTH",
    case when snowflake_type = 'NUMBER' then if(is_decimal, numeric_precision, 38) end
        as "NUMERIC_PRECISION",
    case when snowflake_type = 'NUMBER' then 10 end as "NUMERIC_PRECISION_RADIX",
    case when snowflake_type = 'NUMBER' then if(is_decimal, numeric_scale, 0) end
        as "NUMERIC_SCALE",
    case when snowflake_type like 'TIME%' then 9 end as "DATETIME_PRECISION",
    'NO' as "IS_IDENTITY",
    comment as "COMMENT"
from typed;

create or replace view {scope}._fs_views as
select
    database_name as "TABLE_CATALOG",
    schema_name as "TABLE_SCHEMA",
    view_name as "TABLE_NAME",
    'SYSADMIN' as "TABLE_OWNER",
    sql as "VIEW_DEFINITION",
    'NONE' as "CHECK_OPTION",
    'NO' as "IS_UPDATABLE",
    'NO' as "INSERTABLE_INTO",
    'NO' as "IS_SECURE",
    comment as "COMMENT"
from duckdb_views() where database_name = '{text}' and {hidden};
"""
