{#
  Query of an incremental model: the texts that Cortex has not answered yet, and how often each was sent. Texts
  that were never sent go first, so that one that Cortex cannot read holds up no other; of these the
  oldest. However many reviews have a text, it is sent once, in the place of the oldest of them.
  `answer` is the model's column of answers: null where Cortex gave none.
#}
{% macro texts_to_send(answer) %}
    with

    texts as (

        select * from {{ ref('review_distinct_texts') }}

    ),

    past as (

        {% if is_incremental() -%}
        select
            content_hash,
            {{ answer }},
            attempt_count
        from {{ this }}
        {%- else -%}
        select
            cast(null as {{ api.Column.translate_type('string') }}) as content_hash,
            cast(null as {{ api.Column.translate_type('string') }}) as {{ answer }},
            cast(null as integer) as attempt_count
        from texts
        where false
        {%- endif %}

    ),

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
            past.{{ answer }} is null
            and coalesce(past.attempt_count, 0) < {{ setting('max_text_attempts') }}

    )

    select *
    from waiting
    where place <= {{ setting('max_texts_per_run') }}
{% endmacro %}
