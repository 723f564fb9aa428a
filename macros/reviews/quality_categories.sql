{#
  What an engine that reads is asked to tell apart, by label of review_quality_vocabulary: short
  descriptions of the three, in English, and what each is worth as a score. Python reads them in
  review_quality_categories.
#}
{% macro quality_categories() %}
    {% do return({
        'detailed': {'category': 'detailed with specific experience', 'score': 1},
        'basic': {'category': 'basic accurate', 'score': 0.5},
        'generic': {'category': 'generic brief', 'score': 0},
    }) %}
{% endmacro %}
