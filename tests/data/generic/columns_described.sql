{#
  The columns of a table and those that its `.yml` describes are the same: fails with each column
  that has no description, or has one but does not exist. Where a contract is enforced it says this
  already.
#}
{% test columns_described(model) %}
    {%- set problems = [] %}
    {%- if execute %}
        {%- set present = adapter.get_columns_in_relation(model)
            | map(attribute='name') | map('lower') | list %}
        {%- for node in graph.nodes.values() if node.get('relation_name') == model | string %}
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
        {%- endfor %}
    {%- endif %}
    {%- for column, problem in problems %}
    select
        '{{ column }}' as column_name,
        '{{ problem }}' as problem
    {{ 'union all' if not loop.last }}
    {%- else %}
    select * from (select 1 as column_name, 1 as problem) as nothing
    where false
    {%- endfor %}
{% endtest %}
