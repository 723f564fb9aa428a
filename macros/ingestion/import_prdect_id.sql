{# The columns of the file as its authors call them, in lower case. #}
{% macro prdect_id_columns() %}
    {% do return([
        'category', 'product name', 'location', 'price', 'overall rating', 'number sold', 'total review',
        'customer rating', 'customer review', 'sentiment', 'emotion',
    ]) %}
{% endmacro %}

{#
  PRDECT-ID (Sutoyo and others 2022, https://doi.org/10.1016/j.dib.2022.108554; MIT in its authors'
  repository, rhiosutoyo/PRDECT-ID-Indonesian-Product-Reviews-Dataset): Indonesian reviews of an online
  marketplace, with what they are about. A line becomes a row of `reviews`; `products` is made of the
  accepted lines (see prdect_id_tables).

  The file has no keys, customers or times. What has the same category, name, location and price is one
  product: its key is the hash of these. A review's key and time are functions of the line's content and
  of how many equal lines stand before it, so that the same lines give the same rows in any order: the
  year is `prdect_id_year`, the day one of its first 360. Equal lines are kept: many people write "good".

  Two columns are somebody's judgement of the review, sentiment and emotion: they are not read, nor are
  the counts of the shop's page.
#}
{% macro import_prdect_id(fields) %}
    {% set product_parts = [] %}
    {% for name in ['category', 'product name', 'location', 'price'] %}
        {% do product_parts.append("coalesce(trim(" ~ fields[name] ~ "), '')") %}
    {% endfor %}
    {% set line_parts = [] %}
    {% for name in prdect_id_columns() %}
        {% do line_parts.append("coalesce(" ~ fields[name] ~ ", '')") %}
    {% endfor %}
    {% set line = line_parts | join(" || '|' || ") %}
    {% set copy %}
        cast(
            row_number() over (partition by {{ line }} order by file_row_number)
            as {{ api.Column.translate_type('string') }}
        )
    {% endset %}
    {% set line_hash = "md5(" ~ line ~ " || '|' || " ~ copy ~ ")" %}
    {% set day_number = hash_number(line_hash, 1, '360') %}
    {% set day = dbt.dateadd(
        'day', 'cast(' ~ day_number ~ ' as integer)', "cast('" ~ setting_value('prdect_id_year') ~ "-01-01' as date)"
    ) %}
    {% do return({
        'columns': {
            'review_id': "'prdect-' || substring(" ~ line_hash ~ ", 1, 16)",
            'product_id': "'prdect-product-' || substring(md5(" ~ (product_parts | join(" || '|' || ")) ~ "), 1, 16)",
            'created_at': "cast(cast(" ~ day ~ " as date) as " ~ api.Column.translate_type('string') ~ ") || ' ' || "
                ~ two_digits(hash_number(line_hash, 8, '24')) ~ " || ':' || "
                ~ two_digits(hash_number(line_hash, 15, '60')) ~ " || ':' || "
                ~ two_digits(hash_number(line_hash, 22, '60')),
            'rating': fields['customer rating'],
            'text': fields['customer review'],
            'name': "trim(" ~ fields['product name'] ~ ")",
            'category': "trim(" ~ fields['category'] ~ ")",
            'price_amount': fields['price'],
        },
        'problem': none,
        'types': contract_columns_named('reviews', ['review_id', 'product_id', 'created_at', 'rating', 'text'])
            + contract_columns_named('products', ['name', 'category', 'price_amount']),
        'tables': prdect_id_tables(),
    }) %}
{% endmacro %}

{# The two tables as SQL on the accepted lines. All lines of a product say the same of it. #}
{% macro prdect_id_tables() %}
    {% set reviews %}
        select
            file_row_number,
            review_id,
            null as customer_id,
            product_id,
            created_at,
            rating,
            null as title,
            text,
            null as reply_at
        from loading_typed
        where load_reason is null
    {% endset %}
    {% set products %}
        select
            file_row_number,
            product_id,
            name,
            category,
            price_amount
        from (
            select
                *,
                row_number() over (partition by product_id order by file_row_number) as line_rank
            from loading_typed
            where load_reason is null
        ) as ranked
        where line_rank = 1
    {% endset %}
    {% do return({'reviews': reviews, 'products': products}) %}
{% endmacro %}
