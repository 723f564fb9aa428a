{{ config(enabled=target.type == 'snowflake') }}

-- A failure means that who asks the registry gets another model than the scores are of. Build the
-- `*_registered` tables again. (dbt warns of a description in YAML where the test is disabled.)
with

runs as (

    select * from {{ ref('model_runs') }}
    -- The registry holds models of columns; that of texts scores in the pipeline only.
    where model_name <> 'review_sentiment'

),

registered as (

    select * from {{ ref('churn_registered') }}
    union all
    select * from {{ ref('product_recommendations_registered') }}
    union all
    select * from {{ ref('purchase_intent_registered') }}

),

settings as (

    select registry_keep_versions from {{ ref('run_context') }}

),

champions as (

    select
        model_name,
        model_version
    from runs
    where is_champion
    qualify row_number() over (partition by model_name order by decision_number desc nulls last) = 1

),

trained as (

    select *
    from runs
    where artifact_sha256 is not null
    qualify row_number() over (partition by model_name, model_version order by decision_number desc nulls last) = 1

),

defaults as (

    select
        coalesce(champions.model_name, registered.model_name) as model_name,
        coalesce(champions.model_version, registered.registry_version_name) as model_version,
        'the default is not the version that serves' as problem
    from champions
    full outer join registered
        on
            champions.model_name = registered.model_name
            and champions.model_version = registered.model_version
    where coalesce(registered.is_default, false) <> (champions.model_name is not null)

),

versions as (

    select
        coalesce(trained.model_name, registered.model_name) as model_name,
        coalesce(trained.model_version, registered.registry_version_name) as model_version,
        'the registry and the decision log differ in a version or its hashes' as problem
    from trained
    full outer join registered
        on
            trained.model_name = registered.model_name
            and trained.model_version = registered.model_version
    where
        trained.training_set_hash is distinct from registered.training_set_hash
        or trained.artifact_sha256 is distinct from registered.artifact_sha256
        or (registered.model_version is null and registered.status <> 'unknown')

),

expired as (

    select
        registered.model_name,
        cast(null as varchar) as model_version,
        'more retired versions are kept than registry_keep_versions says' as problem
    from registered
    cross join settings
    where registered.status = 'retired' and not registered.is_in_use
    group by registered.model_name, settings.registry_keep_versions
    having count(*) > settings.registry_keep_versions

)

select * from defaults
union all
select * from versions
union all
select * from expired
