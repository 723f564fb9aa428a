-- The answer is named once: Cortex keeps no answer of this function to give it again
-- (https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-caching).
select
    content_hash,
    {{ ai_sentiment('masked_text') }} as sentiment_answer,
    cast(attempt_count + 1 as integer) as attempt_count,
    -- Cortex does not version its model; the number is that of what is asked of it here.
    cast('ai_sentiment-1' as {{ api.Column.translate_type('string') }}) as model_version,
    (select run_started_at from {{ ref('run_context') }}) as scored_at
from ({{ texts_to_send('sentiment_answer') }}) as chosen
