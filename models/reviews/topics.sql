{% set top_terms = 10 %}

with

listed as (

    select listed.*
    from {{ ref('topic_terms_listed') }} as listed
    inner join {{ ref('topics_in_force') }} as in_force on listed.model_version = in_force.model_version
    where listed.rank <= {{ top_terms }}

),

described as (

    select
        topic_id,
        {{ dbt.listagg('term', "', '", 'order by rank') }} as terms,
        min(first_seen_on) as first_seen_on,
        min(coherence_npmi) as coherence_npmi,
        min(language) as language,
        min(model_version) as model_version
    from listed
    group by topic_id
    union all
    select
        0 as topic_id,
        cast(null as {{ api.Column.translate_type('string') }}) as terms,
        cast(null as date) as first_seen_on,
        cast(null as double) as coherence_npmi,
        cast(null as {{ api.Column.translate_type('string') }}) as language,
        cast(null as {{ api.Column.translate_type('string') }}) as model_version

),

counted as (

    select
        topic_id,
        count(*) as review_count
    from {{ ref('review_topics') }}
    group by topic_id

)

select
    described.topic_id,
    described.terms,
    described.first_seen_on,
    coalesce(counted.review_count, 0) as review_count,
    described.coherence_npmi,
    described.language,
    described.model_version
from described
left join counted on described.topic_id = counted.topic_id
