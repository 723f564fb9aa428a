{#
  The columns of a feature table and the rows of the feature catalog are the same names: fails with
  each name that stands on one side only.

  catalog: relation with `feature_table` and `feature`;
  except_columns: columns that are no features (keys, times, bookkeeping), a list.
#}
{% test columns_in_catalog(model, catalog, except_columns=[]) %}
    {%- set columns = [] if not execute
        else adapter.get_columns_in_relation(model) | map(attribute='name') | map('lower')
        | reject('in', except_columns) | list %}
    with

    present as (

        {%- for column in columns %}
        select cast('{{ column }}' as {{ api.Column.translate_type('string') }}) as feature
        {{ 'union all' if not loop.last }}
        {%- else %}
        select * from (select cast(null as {{ api.Column.translate_type('string') }}) as feature) as nothing
        where false
        {%- endfor %}

    ),

    listed as (

        select feature
        from {{ catalog }}
        where feature_table = '{{ model.identifier }}'

    )

    select
        coalesce(present.feature, listed.feature) as feature,
        case
            when listed.feature is null then 'column that the catalog does not list'
            else 'row of the catalog without a column'
        end as problem
    from present
    full outer join listed on present.feature = listed.feature
    where present.feature is null or listed.feature is null
{% endtest %}
