{{ config(group='reviews') }}

-- A text that is scored again has the time of the later run, so that the earlier one has lost it. Who is
-- erased is taken out of earlier runs, too: only runs since the last erasure are looked at.
with

erased as (

    select max(erased_at) as erased_at
    from {{ ref('erasures') }}

)

select
    runs.invocation_id,
    runs.run_started_at,
    runs.scored_count,
    count(texts.content_hash) as kept_count
from {{ ref('text_scoring_runs') }} as runs
cross join erased
left join {{ ref('review_sentiment_stored') }} as texts on runs.run_started_at = texts.scored_at
where
    runs.text_engine = {{ setting('text_engine') }}
    and (erased.erased_at is null or runs.run_started_at > erased.erased_at)
group by runs.invocation_id, runs.run_started_at, runs.scored_count
having count(texts.content_hash) < runs.scored_count
