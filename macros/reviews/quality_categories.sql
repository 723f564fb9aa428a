{#
  What Cortex is asked to tell apart, by label of review_quality_vocabulary: short descriptions of the
  three, in English.
#}
{% macro quality_categories() %}
    {% do return({
        'detailed': 'detailed with specific experience',
        'basic': 'basic accurate',
        'generic': 'generic brief',
    }) %}
{% endmacro %}
