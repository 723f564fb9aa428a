{#
  The protected attributes by which protected_slices looks at scores: the name of each, and the column that holds its
  groups there. A feature that feature_catalog.csv calls protected has to be among them
  (assert_every_protected_feature_has_slices).
#}
{% macro protected_attributes() %}
    {% do return({'gender': 'gender', 'age': 'age_band', 'location': 'location'}) %}
{% endmacro %}
