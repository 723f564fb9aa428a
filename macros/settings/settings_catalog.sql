{#
  Every setting: its type, its limits and, where it is not simply the name in upper case, the
  environment variable that overrides it. The defaults, with unit and reason, are `vars` in
  dbt_project.yml.

  type: text | integer | number | boolean | timestamp;  min, max: inclusive limits of a number;
  values: the allowed words of a text;  is_nullable: null switches the setting off.
#}
{% macro settings_catalog() %}
    {% do return({
        'shop_source': {'type': 'text', 'values': ['sample', 'raw']},
        'raw_schema': {'type': 'text', 'pattern': '[A-Za-z_][A-Za-z0-9_]*'},
        'allow_remote_files': {'type': 'boolean'},
        'online_shoppers_year': {'type': 'integer', 'min': 1990, 'max': 2100},
        'prdect_id_year': {'type': 'integer', 'min': 1990, 'max': 2100},

        'build_lock_hours': {'type': 'integer', 'min': 1, 'max': 720},

        'as_of': {'type': 'timestamp', 'is_nullable': true},
        'session_label_hours': {'type': 'integer', 'min': 1, 'max': 8784},
        'churn_window_days': {'type': 'integer', 'min': 1, 'max': 3660, 'env': 'CHURN_WINDOW'},
        'churn_active_days': {'type': 'integer', 'min': 1, 'max': 36600},
        'as_of_interval': {'type': 'text', 'values': ['week', 'month', 'quarter']},
        'as_of_dates': {'type': 'integer', 'min': 1, 'max': 1000},
        'train_as_of_dates': {'type': 'integer', 'min': 1, 'max': 1000},

        'train_window_days': {'type': 'integer', 'min': 1, 'max': 36600, 'is_nullable': true},
        'validation_days': {'type': 'integer', 'min': 1, 'max': 3660},
        'test_days': {'type': 'integer', 'min': 1, 'max': 3660},
        'min_train_rows': {'type': 'integer', 'min': 2, 'max': 1000000000},
        'min_class_rows': {'type': 'integer', 'min': 1, 'max': 1000000000},
        'random_seed': {'type': 'integer', 'min': 0, 'max': 2147483647},
        'training_threads': {'type': 'integer', 'min': 0, 'max': 1024},
        'training_warehouse': {'type': 'text', 'pattern': '[A-Za-z_][A-Za-z0-9_$]*', 'is_nullable': true},
        'refit_on_validation': {'type': 'boolean'},
        'bootstrap_replicates': {'type': 'integer', 'min': 100, 'max': 100000},

        'promotion_margin': {'type': 'number', 'min': 0, 'max': 1},
        'retrain_max_age_days': {'type': 'integer', 'min': 1, 'max': 36600},
        'retrain_metric_margin': {'type': 'number', 'min': 0, 'max': 1},
        'retrain_calibration_margin': {'type': 'number', 'min': 0, 'max': 100},
        'retrain_f1_threshold': {
            'type': 'number', 'min': 0, 'max': 1, 'is_nullable': true, 'env': 'RETRAIN_THRESHOLD',
        },
        'registry_keep_versions': {'type': 'integer', 'min': 0, 'max': 900},
        'leak_roc_auc': {'type': 'number', 'min': 0.5, 'max': 1},

        'new_customer_days': {'type': 'integer', 'min': 1, 'max': 36600},
        'active_customer_days': {'type': 'integer', 'min': 1, 'max': 36600},
        'high_value_share': {'type': 'number', 'min': 0, 'max': 1},
        'low_engagement_orders': {'type': 'integer', 'min': 0, 'max': 1000000},
        'at_risk_gaps': {'type': 'number', 'min': 0, 'max': 1000000},

        'recommendation_window_days': {'type': 'integer', 'min': 1, 'max': 365},
        'recommendation_train_dates': {'type': 'integer', 'min': 1, 'max': 100},
        'recommendation_past_customers': {'type': 'integer', 'min': 1, 'max': 1000000000},
        'recommendation_own_candidates': {'type': 'integer', 'min': 1, 'max': 10000},
        'recommendation_pair_candidates': {'type': 'integer', 'min': 1, 'max': 10000},
        'recommendation_popular_candidates': {'type': 'integer', 'min': 10, 'max': 10000},
        'recommendation_pair_days': {'type': 'integer', 'min': 1, 'max': 36600},
        'recommendation_pair_orders': {'type': 'integer', 'min': 1, 'max': 1000000},
        'recommendation_basket_products': {'type': 'integer', 'min': 2, 'max': 10000},
        'recommendation_pairs': {'type': 'integer', 'min': 1, 'max': 10000},
        'recommendations_per_customer': {'type': 'integer', 'min': 1, 'max': 1000},
        'recommend_owned': {'type': 'boolean'},

        'rescore_days': {'type': 'integer', 'min': 1, 'max': 36600},
        'explain_min_decile': {'type': 'integer', 'min': 1, 'max': 11},
        'explain_features': {'type': 'integer', 'min': 1, 'max': 100},

        'text_engine': {'type': 'text', 'values': ['cortex', 'embedded', 'huggingface'], 'is_nullable': true},
        'review_language': {
            'type': 'text', 'values': ['de', 'en', 'es', 'fr', 'hi', 'it', 'pt'], 'is_nullable': true,
        },
        'min_rated_texts': {'type': 'integer', 'min': 50, 'max': 1000000000},
        'max_rated_texts': {'type': 'integer', 'min': 1000, 'max': 1000000},
        'max_rated_characters': {'type': 'integer', 'min': 10000, 'max': 10000000000},
        'review_validation_days': {'type': 'integer', 'min': 1, 'max': 3660},
        'review_test_days': {'type': 'integer', 'min': 1, 'max': 3660},
        'max_embedded_texts_per_run': {'type': 'integer', 'min': 1, 'max': 1000000000},
        'text_model_directory': {'type': 'text', 'pattern': '[^\'"\\\\\n]+', 'is_nullable': true},
        'text_zero_shot_directory': {'type': 'text', 'pattern': '[^\'"\\\\\n]+', 'is_nullable': true},
        'text_model_device': {'type': 'text', 'pattern': '[a-z]+(:[0-9]+)?'},
        'max_texts_per_run': {'type': 'integer', 'min': 1, 'max': 1000000},
        'max_text_characters': {'type': 'integer', 'min': 100, 'max': 8000},
        'max_text_attempts': {'type': 'integer', 'min': 1, 'max': 100},

        'topics_by_language': {'type': 'boolean'},
        'topic_count_min': {'type': 'integer', 'min': 1, 'max': 200},
        'topic_count_max': {'type': 'integer', 'min': 1, 'max': 200},
        'topic_min_texts': {'type': 'integer', 'min': 10, 'max': 1000000},
        'topic_max_train_texts': {'type': 'integer', 'min': 100, 'max': 1000000},
        'topic_term_min_customers': {'type': 'integer', 'min': 1, 'max': 1000000},
        'topic_min_diversity': {'type': 'number', 'min': 0, 'max': 1},
        'topic_retrain_share': {'type': 'number', 'min': 0, 'max': 100},
        'topic_change_margin': {'type': 'number', 'min': 0, 'max': 2},

        'review_min_count': {'type': 'integer', 'min': 2, 'max': 1000000},
        'aspect_change_days': {'type': 'integer', 'min': 1, 'max': 3660},

        'monitoring_interval': {'type': 'text', 'values': ['week', 'month', 'quarter']},
        'drift_min_rows': {'type': 'integer', 'min': 20, 'max': 1000000000},
        'drift_normal_deviate': {'type': 'number', 'min': 1, 'max': 10},
        'slice_min_rows': {'type': 'integer', 'min': 10, 'max': 1000000000},
        'slice_false_alarm_rate': {'type': 'number', 'min': 0.000001, 'max': 0.5},
        'calibration_margin': {'type': 'number', 'min': 0, 'max': 1},
        'drift_cost_margin': {'type': 'number', 'min': 0, 'max': 1},
        'run_log_days': {'type': 'integer', 'min': 1, 'max': 36600, 'is_nullable': true},
        'slow_min_runs': {'type': 'integer', 'min': 2, 'max': 1000},
        'slow_reference_runs': {'type': 'integer', 'min': 2, 'max': 1000},
        'slow_deviations': {'type': 'number', 'min': 0, 'max': 1000},
        'slow_min_seconds': {'type': 'number', 'min': 0, 'max': 86400},
        'quality_min_rows': {'type': 'integer', 'min': 1, 'max': 1000000000},
        'quality_min_windows': {'type': 'integer', 'min': 2, 'max': 1000},
        'quality_reference_windows': {'type': 'integer', 'min': 2, 'max': 1000},
        'quality_deviations': {'type': 'number', 'min': 0, 'max': 1000},
        'min_completeness': {'type': 'number', 'min': 0, 'max': 1},
        'completeness_margin': {'type': 'number', 'min': 0, 'max': 1},
        'min_uniqueness': {'type': 'number', 'min': 0, 'max': 1},
        'min_validity': {'type': 'number', 'min': 0, 'max': 1},
        'severe_validity': {'type': 'number', 'min': 0, 'max': 1},
        'volume_ratio': {'type': 'number', 'min': 1, 'max': 1000},
        'max_stale_days': {'type': 'number', 'min': 0, 'max': 36600},

        'score_retention_days': {'type': 'integer', 'min': 1, 'max': 36600, 'is_nullable': true},
        'log_retention_days': {'type': 'integer', 'min': 1, 'max': 36600, 'is_nullable': true},

        'is_evaluation_enabled': {'type': 'boolean'},
        'evaluation_seeds': {'type': 'integer', 'min': 1, 'max': 100},

        'tuning_model': {'type': 'text', 'pattern': '[A-Za-z_][A-Za-z0-9_]*', 'is_nullable': true},
        'tuning_trials': {'type': 'integer', 'min': 1, 'max': 10000},
        'tuning_folds': {'type': 'integer', 'min': 1, 'max': 5},
    }) %}
{% endmacro %}
