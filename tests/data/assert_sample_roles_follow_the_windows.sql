with

trained as (

    select * from {{ ref('model_runs') }}
    where artifact_sha256 is not null

)

select
    scores.model_name,
    scores.model_version,
    scores.as_of_on,
    scores.sample_role,
    count(*) as scores
from {{ ref('scored_rows') }} as scores
inner join trained
    on scores.model_name = trained.model_name and scores.model_version = trained.model_version
where
    scores.sample_role is distinct from case
        when scores.as_of_on <= trained.train_to_on then 'in_sample'
        when scores.as_of_on < trained.validation_from_on then 'purged'
        when scores.as_of_on <= trained.validation_to_on then 'validation'
        when scores.as_of_on < trained.test_from_on then 'purged'
        when scores.as_of_on <= trained.test_to_on then 'test'
        else 'new'
    end
group by scores.model_name, scores.model_version, scores.as_of_on, scores.sample_role
