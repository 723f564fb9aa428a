with

texts as (

    select * from {{ ref('review_distinct_texts') }}

),

past as (

    {% if is_incremental() -%}
    select
        content_hash,
        quality_answer,
        attempt_count
    from {{ this }}
    {%- else -%}
    select
        cast(null as {{ api.Column.translate_type('string') }}) as content_hash,
        cast(null as {{ api.Column.translate_type('string') }}) as quality_answer,
        cast(null as integer) as attempt_count
    from texts
    where false
    {%- endif %}

),

-- Texts that were never sent go first, so that one that Cortex cannot read holds up no other.
waiting as (

    select
        texts.content_hash,
        texts.masked_text,
        coalesce(past.attempt_count, 0) as attempt_count,
        row_number() over (
            order by coalesce(past.attempt_count, 0), texts.first_created_at, texts.first_review_id
        ) as place
    from texts
    left join past on texts.content_hash = past.content_hash
    where
        past.quality_answer is null
        and coalesce(past.attempt_count, 0) < {{ setting('max_text_attempts') }}

),

chosen as (

    select *
    from waiting
    where place <= {{ setting('max_texts_per_run') }}

)

select
    content_hash,
    {{ ai_classify('masked_text', quality_categories().values() | list) }} as quality_answer,
    cast(attempt_count + 1 as integer) as attempt_count,
    -- Cortex does not version its model; the number is that of what is asked of it here.
    cast('ai_classify-quality-1' as {{ api.Column.translate_type('string') }}) as model_version,
    (select run_started_at from {{ ref('run_context') }}) as scored_at
from chosen
