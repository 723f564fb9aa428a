{#
  Fills `forget_keys`: every key that is the customer's alone, its kind, and the word that takes its place
  where rows are kept (`pseudonym`). `present`: the relations that exist, by name.

  Theirs are their orders; the sessions of their id, those that their orders came from, and those without
  an id of a visitor whom nobody else was; their reviews; and texts that nobody else has written.
  Keys of rows that raw no longer has are found in what was built from them.
#}
{% macro fill_forget_keys(customer_id, present) %}
    {% set keys = erasure_scratch('forget_keys') %}
    {% set string_type = api.Column.translate_type('string') %}
    {% set id = quoted_text(customer_id) %}
    {% do run_query(
        'create or replace temporary table ' ~ keys ~ ' (kind ' ~ string_type ~ ', key_value ' ~ string_type
        ~ ', pseudonym ' ~ string_type ~ ')'
    ) %}
    {% do add_forget_keys('customer', 'select ' ~ id ~ ' as key_value') %}

    {% for kind, tables in {
        'order': ['orders', 'checked_orders', 'customer_orders'],
        'session': ['sessions', 'checked_sessions', 'session_features_computed', 'purchase_intent_scored'],
        'review': ['reviews', 'checked_reviews', 'review_texts'],
    }.items() %}
        {% for table in tables if table in present %}
            {% do add_forget_keys(
                kind, 'select ' ~ kind ~ '_id as key_value from ' ~ present[table] ~ ' where customer_id = ' ~ id
            ) %}
        {% endfor %}
        {% if tables[0] in present %}
            {% do drop_forget_keys(
                kind, 'select ' ~ kind ~ '_id as key_value from ' ~ present[tables[0]] ~ ' where customer_id <> ' ~ id
            ) %}
        {% endif %}
    {% endfor %}

    {% if 'sessions' in present %}
        {% if 'orders' in present %}
            {% do add_forget_keys('session', sessions_of_orders(present, 'orders.customer_id = ' ~ id)) %}
        {% endif %}
        {% set visitors = 'select sessions.visitor_id as key_value from ' ~ present['sessions'] ~ ' as sessions' %}
        {% do add_forget_keys(
            'visitor', visitors ~ ' inner join ' ~ keys
            ~ " as known on known.kind = 'session' and sessions.session_id = known.key_value"
        ) %}
        {% do drop_forget_keys('visitor', visitors ~ ' where sessions.customer_id <> ' ~ id) %}
        {% if 'orders' in present %}
            {% do drop_forget_keys(
                'visitor', visitors ~ ' inner join (' ~ sessions_of_orders(present, 'orders.customer_id <> ' ~ id)
                ~ ') as ordered on sessions.session_id = ordered.key_value'
            ) %}
        {% endif %}
        {% do add_forget_keys(
            'session', 'select sessions.session_id as key_value from ' ~ present['sessions'] ~ ' as sessions inner join '
            ~ keys ~ " as known on known.kind = 'visitor' and sessions.visitor_id = known.key_value"
            ~ ' where sessions.customer_id is null'
        ) %}
    {% endif %}

    {% if 'reviews' in present %}
        {# Of every row that raw has of the review: an earlier text was read, too. #}
        {% do add_forget_keys(
            'content', 'select ' ~ text_fingerprint(stored_text("title_and_text")) ~ ' as key_value from (select '
            ~ title_and_text() ~ ' as title_and_text from ' ~ present['reviews'] ~ ' where customer_id = ' ~ id ~ ') as said'
        ) %}
    {% endif %}
    {% if 'review_texts' in present %}
        {% do add_forget_keys(
            'content',
            'select content_hash as key_value from ' ~ present['review_texts'] ~ ' where customer_id = ' ~ id
        ) %}
        {% do drop_forget_keys(
            'content', 'select content_hash as key_value from ' ~ present['review_texts']
            ~ ' where customer_id is null or customer_id <> ' ~ id
        ) %}
    {% endif %}
{% endmacro %}

{# Adds the keys of a query that are not known yet. #}
{% macro add_forget_keys(kind, query) %}
    {% set keys = erasure_scratch('forget_keys') %}
    {% do run_query(
        'insert into ' ~ keys ~ " (kind, key_value, pseudonym) select '" ~ kind ~ "', found.key_value, 'erased-' || "
        ~ random_text() ~ ' from (select distinct key_value from (' ~ query ~ ') as asked) as found left join ' ~ keys
        ~ " as known on known.kind = '" ~ kind ~ "' and known.key_value = found.key_value"
        ~ ' where known.key_value is null and found.key_value is not null'
    ) %}
{% endmacro %}

{# Takes away the keys of a query: somebody else has them, too. #}
{% macro drop_forget_keys(kind, query) %}
    {% do run_query(
        'delete from ' ~ erasure_scratch('forget_keys') ~ " where kind = '" ~ kind
        ~ "' and key_value in (select asked.key_value from (" ~ query ~ ') as asked where asked.key_value is not null)'
    ) %}
{% endmacro %}

{# SQL: sessions without a customer that orders came from; `whose` says of which orders. #}
{% macro sessions_of_orders(present, whose) %}
    {% do return(
        'select sessions.session_id as key_value from ' ~ present['sessions'] ~ ' as sessions inner join '
        ~ present['orders'] ~ ' as orders on sessions.session_id = orders.session_id where sessions.customer_id is null and '
        ~ whose
    ) %}
{% endmacro %}

{# SQL: the rows of a table that hold one of the keys. #}
{% macro holds_forget_keys(columns) %}
    {% set parts = [] %}
    {% for column, kinds in columns.items() %}
        {% do parts.append(
            column ~ ' in (select key_value from ' ~ erasure_scratch('forget_keys') ~ " where kind in ('"
            ~ (kinds | join("', '")) ~ "'))"
        ) %}
    {% endfor %}
    {% do return(parts | join(' or ')) %}
{% endmacro %}

{#
  SQL: the records of `load_rejects` that hold a key. A record is the row as text, so keys are looked for
  as whole words: what lies between letters and digits counts as space on both sides.
#}
{% macro records_with_forget_keys(rejects) %}
    {% set record = whole_words('rejects.record') %}
    {% set key = whole_words('known.key_value') %}
    {% do return(
        'select distinct rejects.record from ' ~ rejects ~ ' as rejects inner join ' ~ erasure_scratch('forget_keys')
        ~ " as known on known.kind <> 'content' and contains(" ~ record ~ ', ' ~ key ~ ')'
    ) %}
{% endmacro %}

{# SQL: a text with one space between words, before the first and after the last. #}
{% macro whole_words(text) %}
    {% do return("' ' || trim(" ~ replaced_everywhere(text, '[[:space:][:punct:]]+', ' ') ~ ") || ' '") %}
{% endmacro %}
