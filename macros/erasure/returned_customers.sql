{#
  Refuses the rows of `loading_typed` that are of a customer who was erased: as rejects, so that the counts
  add up, and without the record, which names them. What has no customer_id is not recognised.
#}
{% macro refuse_erased_rows(columns) %}
    {% if 'customer_id' in columns | map(attribute='name') and has_erased_digests() %}
        {% if erasure_key() is none %}
            {{ log(
                'Customers were erased from this database, and ERASURE_KEY is not set: a file that holds one of them is '
                ~ 'loaded like any other.', info=true
            ) }}
        {% else %}
            {% do run_query(
                "update loading_typed set load_reason = 'customer_id: erased on request', file_record = 'erased' where "
                ~ is_erased_customer('customer_id')
            ) %}
        {% endif %}
    {% endif %}
{% endmacro %}

{# Whether a customer was erased under a key. #}
{% macro has_erased_digests() %}
    {% if 'erasures' not in present_tables() %}{% do return(false) %}{% endif %}
    {% do return(run_query(
        'select count(customer_digest) from ' ~ erasure_log('erasures')
    ).rows[0][0] | int > 0) %}
{% endmacro %}

{# SQL: whether an id is that of a customer who was erased. #}
{% macro is_erased_customer(id) %}
    {% do return(
        customer_digest(id) ~ ' in (select customer_digest from ' ~ erasure_log('erasures')
        ~ ' where customer_digest is not null)'
    ) %}
{% endmacro %}

{#
  Counts the rows of raw whose customer was erased: for tables that a pipeline of yours fills.

    ERASURE_KEY=... dbt run-operation count_returned_customers

  On Snowflake the statement stands with its key in the account's query history (docs/erasure.md).
#}
{% macro count_returned_customers() %}
    {% if execute %}
        {% do check_settings() %}
        {% if erasure_key() is none %}
            {% do stop('count_returned_customers needs the ERASURE_KEY that customers were erased with.') %}
        {% endif %}
        {% set returned = namespace(rows=0) %}
        {% if has_erased_digests() %}
            {% set present = present_tables() %}
            {% for table in contract_tables()
                if table in present and 'customer_id' in contract_columns(table) | map(attribute='name') %}
                {% set row = run_query(
                    'select count(*), count(distinct customer_id) from ' ~ present[table] ~ ' where '
                    ~ is_erased_customer('customer_id')
                ).rows[0] %}
                {% set returned.rows = returned.rows + row[0] | int %}
                {% if row[0] | int %}
                    {% do print(
                        counted_rows(row[0] | int) ~ ' of ' ~ present[table].schema ~ '.' ~ table
                        ~ ' are of customers who were erased: ' ~ thousands(row[1] | int)
                    ) %}
                {% endif %}
            {% endfor %}
        {% endif %}
        {% if returned.rows %}
            {% do stop(
                'Customers who were erased are in raw again; find out where they came from, and call forget_customer '
                ~ 'for each.'
            ) %}
        {% endif %}
        {% do print('No customer who was erased is in raw.') %}
    {% endif %}
{% endmacro %}
