with

placed as (

    select
        *,
        row_number() over (
            partition by model_name, model_version, entity_id, as_of_on
            order by rank
        ) as place,
        lag(contribution) over (
            partition by model_name, model_version, entity_id, as_of_on
            order by rank
        ) as contribution_above
    from {{ ref('score_explanations') }}

)

select * from placed
where rank <> place or abs(contribution) > abs(contribution_above)
