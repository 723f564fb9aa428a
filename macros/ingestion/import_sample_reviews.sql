{#
  The shop of Snowflake's samples (Apache-2.0): invented English reviews, with its customers and its
  catalog. Three files, one table each; a folder that holds them is loaded as a whole. Where the
  contract asks for more than a file says, the column is null: nothing is made up.
#}

{# The columns of `product_reviews` by which it is known, in lower case. #}
{% macro sample_reviews_columns() %}
    {% do return([
        'review_id', 'product_id', 'customer_id', 'review_text', 'rating', 'review_date', 'purchase_date',
        'verified_purchase', 'helpful_votes',
    ]) %}
{% endmacro %}

{# A line is a review; one that is older than the purchase it speaks of is rejected. #}
{% macro import_sample_reviews(fields) %}
    {% set problem %}
        case
            when {{ text_as(fields['review_date'], 'date') }} < {{ text_as(fields['purchase_date'], 'date') }}
                then 'review_date: before the purchase'
        end
    {% endset %}
    {% do return({
        'columns': {
            'review_id': fields['review_id'],
            'customer_id': fields['customer_id'],
            'product_id': fields['product_id'],
            'created_at': fields['review_date'],
            'rating': fields['rating'],
            'text': fields['review_text'],
        },
        'problem': problem,
    }) %}
{% endmacro %}

{# The columns of `customer_data` by which it is known, in lower case. #}
{% macro sample_customers_columns() %}
    {% do return([
        'customer_id', 'customer_segment', 'join_date', 'lifetime_value', 'previous_purchases', 'age_range', 'gender',
        'preferred_category',
    ]) %}
{% endmacro %}

{# A line is a customer. A range of ages is no age, and who prefers not to say has stated no gender. #}
{% macro import_sample_customers(fields) %}
    {% do return({
        'columns': {
            'customer_id': fields['customer_id'],
            'signed_up_on': fields['join_date'],
            'gender': "nullif(" ~ fields['gender'] ~ ", 'Prefer not to say')",
        },
        'problem': none,
    }) %}
{% endmacro %}

{# The columns of `product_catalog` by which it is known, in lower case. #}
{% macro sample_products_columns() %}
    {% do return([
        'product_id', 'product_name', 'category', 'subcategory', 'manufacturer', 'price', 'release_date', 'review_count',
    ]) %}
{% endmacro %}

{# A line is a product. #}
{% macro import_sample_products(fields) %}
    {% do return({
        'columns': {
            'product_id': fields['product_id'],
            'name': fields['product_name'],
            'category': fields['category'],
            'price_amount': fields['price'],
        },
        'problem': none,
    }) %}
{% endmacro %}
