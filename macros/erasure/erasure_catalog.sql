{#
  Every table that a build or a load stores, and which of its columns say whose a row is. A column is of
  one kind of key or of several: customer, visitor, session, order, review, content (the fingerprint of a
  text). A table with no such column stands in `holds_nobody`. tests/project/test_erasure.py compares both
  with what a build stores, so that no new table is forgotten; forget_customer itself stops at a table that
  holds the customer and stands in neither.
#}
{% macro erasure_catalog() %}
    {% set by_customer = {'customer_id': ['customer']} %}
    {% set by_content = {'content_hash': ['content']} %}
    {% set customers = by_customer %}
    {% set orders = {'order_id': ['order'], 'customer_id': ['customer'], 'session_id': ['session']} %}
    {% set order_items = {'order_id': ['order']} %}
    {% set sessions = {'session_id': ['session'], 'visitor_id': ['visitor'], 'customer_id': ['customer']} %}
    {% set reviews = {'review_id': ['review'], 'customer_id': ['customer']} %}
    {% do return({
        'customers': customers,
        'orders': orders,
        'order_items': order_items,
        'sessions': sessions,
        'reviews': reviews,
        'checked_customers': customers,
        'checked_orders': orders,
        'checked_order_items': order_items,
        'checked_sessions': sessions,
        'checked_reviews': reviews,
        'stg_customers': customers,
        'stg_orders': orders,
        'stg_order_items': order_items,
        'stg_sessions': sessions,
        'stg_reviews': reviews,
        'rejected_rows': {'row_key': ['customer', 'order', 'session', 'review']},

        'session_features_computed': sessions,
        'session_labels_computed': {'session_id': ['session'], 'source_row_key': ['order', 'session']},
        'purchase_intent_scored': {'session_id': ['session'], 'customer_id': ['customer']},
        'purchase_intent_explained': {'entity_id': ['session']},
        'session_label_history': {'session_id': ['session'], 'source_row_key': ['order', 'session']},

        'customer_orders': {'order_id': ['order'], 'customer_id': ['customer']},
        'customer_order_totals': by_customer,
        'customer_features_computed': by_customer,
        'churn_labels_computed': {'customer_id': ['customer'], 'source_row_key': ['order']},
        'churn_scored': by_customer,
        'churn_explained': {'entity_id': ['customer']},
        'churn_label_history': {'customer_id': ['customer'], 'source_row_key': ['order']},
        'customer_history': by_customer,
        'customer_insights': by_customer,

        'customer_segments_computed': by_customer,
        'session_segments': {'session_id': ['session']},
        'customer_purchases': {'customer_id': ['customer'], 'order_id': ['order']},
        'customer_products': by_customer,
        'product_candidates_computed': by_customer,
        'product_candidates_to_score': by_customer,
        'product_recommendations_scored': by_customer,
        'product_recommendations_ranked': by_customer,
        'recommendation_customers': by_customer,
        'recommendation_lists': by_customer,
        'recommendations_served': by_customer,
        'recommendation_measurements': by_customer,
        'recommendation_outcomes': {'customer_id': ['customer'], 'source_row_key': ['order']},

        'review_texts': reviews,
        'review_distinct_texts': {'content_hash': ['content'], 'first_review_id': ['review']},
        'review_facts': {'review_id': ['review']},
        'review_sentiment_examples': {'review_id': ['review'], 'content_hash': ['content']},
        'review_contents': by_content,
        'review_languages_detected': by_content,
        'review_sentiment_predicted': by_content,
        'review_sentiment_classified': by_content,
        'review_sentiment_scored': by_content,
        'review_sentiment_stored': by_content,
        'review_quality_classified': by_content,
        'review_quality_zero_shot': by_content,
        'review_details_counted': by_content,
        'review_aspects_found': by_content,
        'review_topics_assigned': by_content,
    }) %}
{% endmacro %}

{#
  Stored tables without a column that says whose a row is, and why. `load_rejects` is not among them though
  it has no such column: forget_customer looks for keys inside its records.
#}
{% macro holds_nobody() %}
    {% set groups = {
        'what the shop sells, and which files and builds there were': [
            'products', 'checked_products', 'stg_products', 'load_manifest', 'build_in_progress',
            'computed_fingerprints',
        ],
        'settings, vocabularies, dates, and counts by table': [
            'run_context', 'model_features', 'source_watermarks', 'unmatched_rows', 'as_of_dates',
            'recommendation_dates', 'review_quality_categories', 'text_scoring_runs', 'aspect_catalog',
            'aspect_vocabulary', 'customer_segment_vocabulary', 'detail_vocabulary', 'feature_catalog',
            'label_definitions', 'model_catalog', 'opinion_vocabulary', 'review_quality_vocabulary',
            'review_quality_weights', 'risk_band_vocabulary', 'topic_words',
        ],
        'sums over customers, which the next build makes without the one': [
            'popular_products', 'product_pairs', 'product_popularity', 'product_months', 'product_month_aspects',
            'recommendation_choice', 'recommendation_leads', 'recommendation_quality_computed',
            'recommendation_serving_version', 'review_sentiment_measured', 'churn_evaluated',
            'purchase_intent_evaluated', 'model_evaluations', 'model_evaluation_ablations',
            'model_evaluation_baselines', 'model_evaluation_summary',
        ],
        'sums over all customers of a date, kept as they were measured': ['recommendation_performance_measured'],
        'models and what was decided of them; docs/erasure.md says what stays in a model': [
            'churn_trained', 'product_recommendations_trained', 'purchase_intent_trained',
            'review_sentiment_trained', 'review_sentiment_folds', 'churn_registered',
            'product_recommendations_registered', 'purchase_intent_registered', 'topics_trained',
            'topic_terms_listed', 'topic_history', 'champion_history', 'profile_bins',
        ],
        'counts and sums by window, made anew where a row of the window is gone': [
            'monitored_windows', 'monitored_bins', 'performance_measured', 'column_drift', 'slice_measures',
            'feature_drift_history',
            'data_quality_counted', 'data_quality_computed', 'data_quality_history',
        ],
        'what builds took and what was said of them': ['run_log', 'alert_vocabulary', 'alerts_found', 'sent_alerts'],
        'the log of erasures, which names nobody': ['erasures', 'erased_training_rows'],
        'the sample shop, which is made up': [
            'sample_customers', 'sample_order_items', 'sample_orders', 'sample_products', 'sample_reviews',
            'sample_sessions',
        ],
    } %}
    {% do return(groups.values() | sum(start=[])) %}
{% endmacro %}

{# The schemas that a build and a load write to. #}
{% macro erasure_schemas() %}
    {% set schemas = [setting_value('raw_schema'), generate_schema_name(none, none)] %}
    {% for folder in ['staging', 'internal', 'history', 'vocabulary'] %}
        {% do schemas.append(generate_schema_name(folder, none)) %}
    {% endfor %}
    {% do return(schemas | map('lower') | unique | list) %}
{% endmacro %}

{#
  The tables in these schemas, and the views in raw: `relation`, `is_dynamic` (refreshed, not written),
  `is_view`, its `columns` and which of them are texts, and `name`, which stands in the catalog: what dbt
  left behind of a table (..__dbt_tmp) has the columns of that table. It asks by `run_query`, which begins no transaction of its own.
#}
{% macro stored_tables() %}
    {% set of_schemas %}
        lower(table_catalog) = lower({{ quoted_text(target.database) }})
        and lower(table_schema) in ('{{ erasure_schemas() | join("', '") }}')
    {% endset %}
    {% set columns = {} %}
    {% for row in run_query(
        "select table_schema || '.' || table_name, column_name, data_type in ('VARCHAR', 'TEXT') "
        ~ 'from information_schema.columns where ' ~ of_schemas ~ ' order by 1, ordinal_position'
    ).rows %}
        {% do columns.setdefault(row[0], []).append({'name': row[1], 'is_text': row[2]}) %}
    {% endfor %}
    {% set found = [] %}
    {% for row in run_query(
        'select table_schema, table_name, ' ~ is_dynamic_column() ~ ', table_type from information_schema.tables where '
        ~ of_schemas ~ " and (table_type = 'BASE TABLE' or (table_type = 'VIEW' and lower(table_schema) = '"
        ~ setting_value('raw_schema') | lower ~ "')) order by 1, 2"
    ).rows %}
        {% do found.append({
            'relation': api.Relation.create(
                database=target.database, schema=row[0], identifier=row[1], type='table'
            ),
            'name': (row[1] | lower).split('__dbt_')[0],
            'is_dynamic': row[2] == 'YES',
            'is_view': row[3] == 'VIEW',
            'is_raw': row[0] | lower == setting_value('raw_schema') | lower,
            'columns': columns[row[0] ~ '.' ~ row[1]],
        }) %}
    {% endfor %}
    {% do return(found) %}
{% endmacro %}

{# The relations of stored tables, by name; without what dbt left behind. #}
{% macro present_tables(tables=none) %}
    {% set present = {} %}
    {% set tables = stored_tables() if tables is none else tables %}
    {% for table in tables if table.relation.identifier | lower == table.name %}
        {% do present.update({table.name: table.relation}) %}
    {% endfor %}
    {% do return(present) %}
{% endmacro %}
