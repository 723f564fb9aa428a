{#
  A table is what its `.yml` says: fails with each column that has no description, that has one but
  does not exist, or that is null somewhere and must not be. All columns are looked at in one scan: a
  test for each would be a query for each. Where a contract is enforced it says already which columns
  there are.

  never_null: columns that have a value in every row, a list.
#}
{% test as_described(model, never_null=[]) %}
    {%- set problems = [] %}
    {%- if execute %}
        {%- for node in graph.nodes.values() if node.get('relation_name') == model | string %}
            {%- if not node.config.get('contract', {}).get('enforced') %}
                {%- set present = adapter.get_columns_in_relation(model)
                    | map(attribute='name') | map('lower') | list %}
                {%- set described = [] %}
                {%- for column in node.columns.values() if column.description %}
                    {%- do described.append(column.name | lower) %}
                {%- endfor %}
                {%- for name in present if name not in described %}
                    {%- do problems.append([name, 'not described']) %}
                {%- endfor %}
                {%- for name in described if name not in present %}
                    {%- do problems.append([name, 'does not exist']) %}
                {%- endfor %}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
    {%- set text = api.Column.translate_type('string') %}
    with

    known as (

        {%- for column, problem in problems %}
        select
            cast('{{ column }}' as {{ text }}) as column_name,
            cast('{{ problem }}' as {{ text }}) as problem,
            cast(null as bigint) as row_count
        {{ 'union all' if not loop.last }}
        {%- else %}
        select * from (
            select
                cast(null as {{ text }}) as column_name,
                cast(null as {{ text }}) as problem,
                cast(null as bigint) as row_count
        ) as nothing
        where false
        {%- endfor %}

    ){{ ',' if never_null }}

    {%- if never_null %}

    counted as (

        select
            {%- for column in never_null %}
            count(*) - count({{ column }}) as {{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ model }}

    )
    {%- endif %}

    select
        column_name,
        problem,
        row_count
    from known
    {%- for column in never_null %}
    union all
    select
        '{{ column }}' as column_name,
        'null' as problem,
        {{ column }} as row_count
    from counted
    where {{ column }} > 0
    {%- endfor %}
{% endtest %}
