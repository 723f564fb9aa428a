with

rated as (

    select
        *,
        row_number() over (partition by content_hash order by created_at, review_id) as copy_number
    from {{ ref('review_texts') }}
    where rating is not null

),

languages as (

    select
        content_hash,
        language as detected_language
    from {{ ref('review_languages_detected') }}

),

definition as (

    select max(label_definition_version) as label_definition_version
    from {{ ref('label_definitions') }}
    where label_name = 'is_positive'

)

select
    rated.review_id,
    rated.created_at,
    cast(rated.created_at as date) as created_on,
    rated.content_hash,
    rated.copy_number = 1 as is_first_copy,
    rated.rating,
    -- Three stars are neither; no fake class for them.
    case when rated.rating >= 4 then true when rated.rating <= 2 then false end as is_positive,
    cast(definition.label_definition_version as integer) as label_definition_version,
    rated.masked_text,
    length(rated.masked_text) as character_count,
    length(rated.masked_text) - length(replace(replace(rated.masked_text, '!', ''), '！', '')) as exclamation_count,
    length(rated.masked_text) - length(replace(replace(rated.masked_text, '?', ''), '？', '')) as question_count,
    -- As it was recognised, whatever `review_language` states: what is stated of all texts could not drift.
    languages.detected_language
from rated
cross join definition
left join languages on rated.content_hash = languages.content_hash
