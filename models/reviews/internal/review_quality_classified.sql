select
    content_hash,
    {{ ai_classify('masked_text', quality_categories().values() | map(attribute='category') | list) }} as quality_answer,
    cast(attempt_count + 1 as integer) as attempt_count,
    -- Cortex does not version its model; the number is that of what is asked of it here.
    cast('ai_classify-quality-1' as {{ api.Column.translate_type('string') }}) as model_version,
    (select run_started_at from {{ ref('run_context') }}) as scored_at
from ({{ texts_to_send('quality_answer') }}) as chosen
