{#
  What a person wants to know after a build: rows in, what was decided about each model and how good
  it is beside its baselines, where the scores are, what to type next. Reads public tables only.
#}
{% macro print_build_summary() %}
    {% if execute %}
        {% do print('') %}
        {% set source_words = 'the sample shop' if setting_value('shop_source') == 'sample'
            else 'your tables in schema ' ~ setting_value('raw_schema') %}
        {% do print('Shop: ' ~ source_words) %}
        {% do print_row_counts() %}
        {% do print_other_rejects() %}
        {% do print_unmatched() %}
        {% do print('') %}
        {% do print('Models') %}
        {% for run in newest_runs() %}{% do print_model(run) %}{% endfor %}
        {% do print_where_scores_are() %}
    {% endif %}
{% endmacro %}

{% macro print_row_counts() %}
    {% set counts %}
        select
            watermarks.table_name,
            watermarks.accepted_rows,
            count(rejected.table_name) as rejected_rows,
            watermarks.watermark_at
        from {{ ref('source_watermarks') }} as watermarks
        left join {{ ref('rejected_rows') }} as rejected on watermarks.table_name = rejected.table_name
        group by watermarks.table_name, watermarks.accepted_rows, watermarks.watermark_at
        order by watermarks.table_name desc
    {% endset %}
    {% for row in run_query(counts).rows %}
        {% set rejected = '; ' ~ '{:,}'.format(row[2] | int) ~ ' rejected, see ' ~ shown_name(ref('rejected_rows'))
            if row[2] > 0 else '' %}
        {% do print(
            '  ' ~ '{:>9,}'.format(row[1] | int) ~ ' ' ~ row[0]
            ~ (' up to ' ~ row[3] if row[3] is not none else '') ~ rejected
        ) %}
    {% endfor %}
{% endmacro %}

{# Rejected rows of the tables that are no source of events, where there are any. #}
{% macro print_other_rejects() %}
    {% set counts %}
        select
            rejected.table_name,
            count(*) as rejected_rows
        from {{ ref('rejected_rows') }} as rejected
        left join {{ ref('source_watermarks') }} as watermarks on rejected.table_name = watermarks.table_name
        where watermarks.table_name is null
        group by rejected.table_name
        order by rejected.table_name
    {% endset %}
    {% for row in run_query(counts).rows %}
        {% do print(
            '  ' ~ '{:>9,}'.format(row[1] | int) ~ ' of ' ~ row[0] ~ ' rejected, see ' ~ shown_name(ref('rejected_rows'))
        ) %}
    {% endfor %}
{% endmacro %}

{# What refers to rows that are not there, a line each: what its data test warns of. #}
{% macro print_unmatched() %}
    {% set problems %}
        select {{ unmatched_sentence() }} as problem
        from {{ ref('unmatched_rows') }}
        where unmatched_rows > 0 and referred_rows > 0
        order by table_name, column_name
    {% endset %}
    {% for row in run_query(problems).rows %}
        {% do print('  ' ~ row[0] ~ ', see ' ~ shown_name(ref('unmatched_rows'))) %}
    {% endfor %}
{% endmacro %}

{#
  The newest decision about each model, as a list of mappings, with the figures of the version that it
  names: those of the day it was trained.
#}
{% macro newest_runs() %}
    {% set runs %}
        select
            newest.model_name,
            catalog.feature_table,
            newest.model_version,
            newest.decision,
            newest.reason,
            trained.test_rows,
            trained.pr_auc,
            trained.pr_auc_low,
            trained.pr_auc_high,
            trained.roc_auc,
            trained.roc_auc_low,
            trained.roc_auc_high,
            trained.constant_pr_auc,
            trained.best_single_feature,
            trained.best_single_feature_pr_auc,
            trained.best_single_feature_roc_auc
        from {{ ref('model_runs') }} as newest
        left join {{ ref('model_catalog') }} as catalog on newest.model_name = catalog.model_name
        left join {{ ref('model_runs') }} as trained
            on
                newest.model_name = trained.model_name
                and newest.model_version = trained.model_version
                and trained.artifact_sha256 is not null
        where
            newest.decision_number = (
                select max(later.decision_number)
                from {{ ref('model_runs') }} as later
                where later.model_name = newest.model_name
            )
        order by newest.model_name
    {% endset %}
    {% set found = run_query(runs) %}
    {% set rows = [] %}
    {% for row in found.rows %}
        {% set run = {} %}
        {% for name in found.column_names %}{% do run.update({name | lower: row[loop.index0]}) %}{% endfor %}
        {% do rows.append(run) %}
    {% endfor %}
    {% do return(rows) %}
{% endmacro %}

{% macro print_model(run) %}
    {% set words = {
        'trained_promoted': 'trained and promoted',
        'trained_rejected': 'trained, not promoted',
        'kept': 'kept',
        'not_enough_labels': 'not trained: too few labels',
        'rolled_back': 'rolled back',
        'pinned': 'pinned',
        'unpinned': 'unpinned',
    } %}
    {% set rows_of = {
        'session_features': 'sessions',
        'customer_features': 'customers',
        'product_candidates': 'candidate products of customers',
        'review_sentiment_examples': 'reviews',
    } %}
    {% do print('  ' ~ run.model_name ~ ': ' ~ words[run.decision]
        ~ (', version ' ~ run.model_version if run.model_version is not none else '')) %}
    {% if run.pr_auc is not none %}
        {% do print('      PR-AUC  ' ~ shown_interval(run.pr_auc, run.pr_auc_low, run.pr_auc_high)
            ~ shown_baselines(run.constant_pr_auc, run.best_single_feature, run.best_single_feature_pr_auc)) %}
        {% do print('      ROC-AUC ' ~ shown_interval(run.roc_auc, run.roc_auc_low, run.roc_auc_high)
            ~ shown_baselines(0.5 if run.constant_pr_auc is not none else none, run.best_single_feature, run.best_single_feature_roc_auc)) %}
        {% do print('      on ' ~ '{:,}'.format(run.test_rows | int) ~ ' later ' ~ rows_of[run.feature_table] ~ ' that it has not seen') %}
    {% endif %}
    {% if run.decision != 'trained_promoted' %}
        {% do print('      ' ~ run.reason) %}
    {% endif %}
{% endmacro %}

{% macro shown_interval(value, low, high) %}
    {% do return('%.3f [%.3f, %.3f]' | format(value | float, low | float, high | float)) %}
{% endmacro %}

{% macro shown_baselines(constant, feature, value) %}
    {% if constant is none or value is none %}{% do return('') %}{% endif %}
    {% do return(
        '   a constant %.3f, ' | format(constant | float) ~ feature ~ ' alone %.3f' | format(value | float)
    ) %}
{% endmacro %}

{% macro print_where_scores_are() %}
    {% do print('') %}
    {% do print('Scores') %}
    {% for scores in [
        ref('purchase_intent_scores'), ref('churn_scores'), ref('product_recommendations'),
        ref('review_sentiment'), ref('score_explanations'), ref('customer_insights'),
    ] %}
        {% set rows = run_query('select count(*) from ' ~ scores).rows[0][0] %}
        {% do print('  ' ~ '{:>9,}'.format(rows | int) ~ ' in ' ~ shown_name(scores)) %}
    {% endfor %}
    {% do print('Next:') %}
    {% set source = 'SHOP_SOURCE=raw ' if setting_value('shop_source') == 'raw' else '' %}
    {% do print(
        '  ' ~ source ~ '.venv/bin/dbt show --limit 10 --inline "select * from {'
        ~ "{ ref('purchase_intent_scores') }" ~ '} order by score desc"'
    ) %}
    {% do print('  make build DATA=your_file_or_folder') %}
    {% do print('  make docs') %}
{% endmacro %}

{# A relation as people write it. #}
{% macro shown_name(relation) %}
    {% do return(relation.schema ~ '.' ~ relation.identifier) %}
{% endmacro %}
