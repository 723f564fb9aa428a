{% set engine = setting_value('text_engine') %}

with

run as (

    select * from {{ ref('run_context') }}
    where text_engine is not null

),

texts as (

    select content_hash from {{ ref('review_distinct_texts') }}

),

scored as (

    {% if engine == 'cortex' -%}
    select
        content_hash,
        nullif(sentiment_answer, 'unknown') as sentiment_label,
        sentiment_answer is null and attempt_count < {{ setting('max_text_attempts') }} as is_tried_again,
        scored_at
    from {{ ref('review_sentiment_scored') }}
    {%- elif engine in ('embedded', 'huggingface') -%}
    select
        content_hash,
        sentiment_label,
        false as is_tried_again,
        scored_at
    from {{ ref('review_sentiment_predicted' if engine == 'embedded' else 'review_sentiment_classified') }}
    {%- else -%}
    select
        content_hash,
        cast(null as {{ api.Column.translate_type('string') }}) as sentiment_label,
        false as is_tried_again,
        cast(null as timestamp) as scored_at
    from texts
    where false
    {%- endif %}

),

scorable as (

    select content_hash
    from {{ ref('review_sentiment_texts') if engine == 'embedded' else 'texts' }}

),

judged as (

    select
        scored.sentiment_label,
        scored.scored_at,
        case
            when scored.content_hash is null then scorable.content_hash is not null
            else scored.sentiment_label is null and scored.is_tried_again
        end as is_waiting
    from texts
    left join scored on texts.content_hash = scored.content_hash
    left join scorable on texts.content_hash = scorable.content_hash

)

select
    run.invocation_id,
    run.run_started_at,
    run.text_engine,
    count(judged.is_waiting) as text_count,
    count(case when judged.scored_at = run.run_started_at then judged.sentiment_label end) as scored_count,
    count(
        case when judged.scored_at = run.run_started_at and judged.sentiment_label is null then 1 end
    ) as failed_count,
    count(case when judged.is_waiting then 1 end) as waiting_count,
    count(case when judged.sentiment_label is null and not judged.is_waiting then 1 end) as unscorable_count
from run
left join judged on true
group by run.invocation_id, run.run_started_at, run.text_engine
