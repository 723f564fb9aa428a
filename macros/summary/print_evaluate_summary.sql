{# The evaluation of the training recipe, mean over seeds, as a table for people. #}
{% macro print_evaluate_summary() %}
    {% if execute %}
        {% set summary %}
            select
                model_name, protocol, tested_on, seeds, test_rows,
                roc_auc, roc_auc_low, roc_auc_high, pr_auc, pr_auc_low, pr_auc_high, f1, brier
            from {{ ref('model_evaluation_summary') }}
            order by model_name, protocol, tested_on
        {% endset %}
        {% do print('') %}
        {% do print('%-32s %-14s %-10s %5s %7s  %-22s %-22s %6s %6s' | format(
            'model', 'protocol', 'tested on', 'seeds', 'rows', 'ROC-AUC', 'PR-AUC', 'F1', 'Brier'
        )) %}
        {% for row in run_query(summary).rows %}
            {% do print('%-32s %-14s %-10s %5d %7d  %-22s %-22s %6.3f %6.3f' | format(
                row[0], row[1], row[2], row[3], row[4],
                shown_interval(row[5], row[6], row[7]), shown_interval(row[8], row[9], row[10]),
                row[11], row[12]
            )) %}
        {% endfor %}
        {% set baselines %}
            select
                model_name, protocol, fold, baseline, avg(roc_auc), avg(lead_over_baseline),
                avg(lead_over_baseline_low), avg(lead_over_baseline_high)
            from {{ ref('model_evaluation_baselines') }}
            group by model_name, protocol, fold, baseline
            order by model_name, protocol, fold, baseline
        {% endset %}
        {% for row in run_query(baselines).rows %}
            {% do print('%-32s %-14s %-10s %s alone: ROC-AUC %.3f; the model is ahead by %s' | format(
                row[0], row[1], row[2], row[3], row[4], shown_interval(row[5], row[6], row[7])
            )) %}
        {% endfor %}
        {% set ablations %}
            select
                model_name, protocol, fold, left_out, avg(gain), avg(gain_low), avg(gain_high)
            from {{ ref('model_evaluation_ablations') }}
            group by model_name, protocol, fold, left_out
            order by model_name, protocol, fold, left_out
        {% endset %}
        {% for row in run_query(ablations).rows %}
            {% do print('%-32s %-14s %-10s %s add %s' | format(
                row[0], row[1], row[2], row[3], shown_interval(row[4], row[5], row[6])
            )) %}
        {% endfor %}
        {% do print('Every fold: ' ~ shown_name(ref('model_evaluations'))) %}
    {% endif %}
{% endmacro %}
