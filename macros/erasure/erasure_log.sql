{# Columns and types of the log of erasures, by table. #}
{% macro erasure_log_columns() %}
    {% set string_type = api.Column.translate_type('string') %}
    {% do return({
        'erasures': {
            'erasure_id': string_type,
            'erased_at': 'timestamp',
            'erasure_mode': string_type,
            'customer_digest': string_type,
            'table_count': 'integer',
            'row_count': 'bigint',
        },
        'erased_training_rows': {
            'erasure_id': string_type,
            'model_name': string_type,
            'model_version': string_type,
            'training_set_hash': string_type,
        },
    }) %}
{% endmacro %}

{# Query of a table of the log: its columns, no row. forget_customer writes the rows. #}
{% macro empty_erasure_log(table) %}
    select
    {%- for name, type in erasure_log_columns()[table].items() %}
        cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
    where false
{% endmacro %}

{# A table of the log. #}
{% macro erasure_log(table) %}
    {% do return(api.Relation.create(
        database=target.database, schema=generate_schema_name('internal', none), identifier=table
    )) %}
{% endmacro %}

{# For a database that was built before there was such a log. #}
{% macro create_erasure_log() %}
    {% do run_query('create schema if not exists ' ~ erasure_log('erasures').without_identifier()) %}
    {% for table, columns in erasure_log_columns().items() %}
        {% set definitions = [] %}
        {% for name, type in columns.items() %}{% do definitions.append(name ~ ' ' ~ type) %}{% endfor %}
        {% do run_query('create table if not exists ' ~ erasure_log(table) ~ ' (' ~ (definitions | join(', ')) ~ ')') %}
    {% endfor %}
{% endmacro %}

{#
  The secret of ERASURE_KEY, or none. With it the log holds a digest of each erased id, by which a file that
  brings the customer back is recognised; without it nothing can be told from the digest. It is not a
  setting: those are stored in run_context.
#}
{% macro erasure_key() %}
    {% set key = env_var('ERASURE_KEY', '') %}
    {% if key and key | length < 16 %}
        {% do stop('ERASURE_KEY is shorter than 16 characters, so it could be guessed; give a longer one.') %}
    {% endif %}
    {% do return(key or none) %}
{% endmacro %}

{#
  SQL: the digest of an id under the key; null without one. Hashed twice, as a single hash of key and
  text can be continued by who does not know the key (NMAC, Bellare, Canetti and Krawczyk 1996).
#}
{% macro customer_digest(id) %}
    {% set key = erasure_key() %}
    {% if key is none %}{% do return('cast(null as ' ~ api.Column.translate_type('string') ~ ')') %}{% endif %}
    {% set inner = sha256_text(quoted_text(key ~ '/inner/') ~ ' || ' ~ id) %}
    {% do return(sha256_text(quoted_text(key ~ '/outer/') ~ ' || ' ~ inner)) %}
{% endmacro %}

{# Whether the log holds an erasure of this id; false where that can not be known. #}
{% macro is_logged(customer_id, present) %}
    {% if 'erasures' not in present or erasure_key() is none %}{% do return(false) %}{% endif %}
    {% do return(run_query(
        'select count(*) from ' ~ present['erasures'] ~ ' where customer_digest = '
        ~ customer_digest(quoted_text(customer_id))
    ).rows[0][0] | int > 0) %}
{% endmacro %}

{#
  Logs an erasure and marks the model versions that may have learned from one of the rows; returns how
  many. Where the exact rows of a training set are not stored, every version counts whose time they lie in:
  rather one too many.
#}
{% macro log_erasure(customer_id, mode, held, present) %}
    {% set erasure_id = run_query('select ' ~ random_text()).rows[0][0] %}
    {% set learned = learned_versions(customer_id, present) %}
    {% if learned %}
        {% do run_query(
            'insert into ' ~ erasure_log('erased_training_rows')
            ~ ' (erasure_id, model_name, model_version, training_set_hash) select distinct ' ~ quoted_text(erasure_id)
            ~ ', model_name, model_version, training_set_hash from (' ~ (learned | join(' union all ')) ~ ') as learned'
        ) %}
    {% endif %}
    {% do run_query(
        'insert into ' ~ erasure_log('erasures')
        ~ ' (erasure_id, erased_at, erasure_mode, customer_digest, table_count, row_count) select '
        ~ quoted_text(erasure_id) ~ ', ' ~ load_started_at() ~ ", '" ~ mode ~ "', "
        ~ customer_digest(quoted_text(customer_id)) ~ ', ' ~ (held | length) ~ ', ' ~ (held | sum(attribute='rows'))
    ) %}
    {% do return(run_query(
        'select count(*) from ' ~ erasure_log('erased_training_rows') ~ ' where erasure_id = ' ~ quoted_text(erasure_id)
    ).rows[0][0] | int) %}
{% endmacro %}

{# Queries of the versions that may have learned from the customer, one for each log of decisions that exists. #}
{% macro learned_versions(customer_id, present) %}
    {% set id = quoted_text(customer_id) %}
    {% set keys = erasure_scratch('forget_keys') %}
    {% set trained = "logs.decision in ('trained_promoted', 'trained_rejected', 'trained')" %}
    {% set within = trained ~ ' and seen.seen_on between logs.train_from_on and logs.test_to_on' %}
    {% set reviews = 'select cast(created_at as date) as seen_on from %s where customer_id = ' ~ id %}
    {% set sources = [
        {
            'log': 'purchase_intent_trained', 'rows': 'sessions', 'condition': within,
            'seen': "select cast(started_at as date) as seen_on from %s where session_id in (select key_value from "
                ~ keys ~ " where kind = 'session')",
        },
        {
            'log': 'churn_trained', 'rows': 'churn_label_history', 'condition': within,
            'seen': 'select as_of_on as seen_on from %s where customer_id = ' ~ id,
        },
        {
            'log': 'product_recommendations_trained', 'rows': 'orders',
            'condition': trained ~ ' and seen.seen_on <= logs.test_to_on',
            'seen': 'select cast(ordered_at as date) as seen_on from %s where customer_id = ' ~ id,
        },
        {
            'log': 'review_sentiment_trained', 'rows': 'reviews', 'condition': within,
            'seen': reviews ~ ' and rating is not null',
        },
        {
            'log': 'review_sentiment_folds', 'rows': 'reviews', 'name': "'review_sentiment'", 'hash': 'null',
            'condition': 'seen.seen_on < logs.trained_before_at', 'seen': reviews ~ ' and rating is not null',
        },
        {
            'log': 'topics_trained', 'rows': 'reviews', 'name': "'topics'", 'hash': 'logs.texts_hash',
            'condition': trained ~ ' and seen.seen_on <= logs.decided_at', 'seen': reviews,
        },
    ] %}
    {% set queries = [] %}
    {% for source in sources if source.log in present and source.rows in present %}
        {% do queries.append(
            'select distinct ' ~ (source.name or 'logs.model_name') ~ ' as model_name, logs.model_version, cast('
            ~ (source.hash or 'logs.training_set_hash') ~ ' as ' ~ api.Column.translate_type('string')
            ~ ') as training_set_hash from ' ~ present[source.log] ~ ' as logs inner join ('
            ~ source.seen % present[source.rows] ~ ') as seen on ' ~ source.condition
        ) %}
    {% endfor %}
    {% do return(queries) %}
{% endmacro %}
