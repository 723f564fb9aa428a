{# The most customers, and the most products of each, that one call gives. #}
{% macro recommendation_limits() %}
    {% do return({'n_customers': 100000, 'n_products': 1000}) %}
{% endmacro %}

{#
  Query: the first `n_products` recommendations of each of `n_customers` customers, of one segment or of all
  where `segment` is null, from `recommendations`. Customers come in the order of their best score, of equal ones by id. The
  arguments are SQL: literals, or the parameters of a function that this is the body of.
#}
{% macro recommendations_query(recommendations, n_customers, n_products, segment) %}
    with

    wanted as (

        select *
        from {{ recommendations }}
        where {{ segment }} is null or segment = {{ segment }}

    ),

    customers as (

        select
            customer_id,
            row_number() over (order by max(score) desc nulls last, customer_id asc) as customer_rank
        from wanted
        group by customer_id

    )

    select
        customers.customer_rank,
        wanted.customer_id,
        wanted.segment,
        wanted.rank,
        wanted.product_id,
        wanted.product_name,
        wanted.category,
        wanted.score,
        wanted.ranker,
        wanted.model_version,
        wanted.as_of_on
    from wanted
    inner join customers on wanted.customer_id = customers.customer_id
    where customers.customer_rank <= {{ n_customers }} and wanted.rank <= {{ n_products }}
    order by customers.customer_rank, wanted.rank
{% endmacro %}

{#
  A post-hook of product_recommendations: what people and agents call beside the database. Each argument is
  checked where it is used, and a wrong one is one sentence.
#}
{% macro create_recommendations_function() %}
    {{ return(adapter.dispatch('create_recommendations_function')()) }}
{% endmacro %}

{% macro default__create_recommendations_function() %}
    {% do return('select 1 as nothing_to_create') %}
{% endmacro %}

{# https://duckdb.org/docs/stable/sql/statements/create_macro; error() stops the query that calls it. #}
{% macro duckdb__create_recommendations_function() %}
    {% set body %}
        with

        found as (

            select *
            from ({{ recommendations_query(
                this, 'try_cast(n_customers as bigint)', 'try_cast(n_products as bigint)', 'cast(segment_name as varchar)'
            ) }})

        ),

        -- One row whatever is found, so that arguments are checked where nothing is, too.
        refused as (

            select found.*
            from (select 1 as one_row) as always
            left join found on false
            where not (
                {%- for name, most in recommendation_limits().items() %}
                case
                    when coalesce(try_cast({{ name }} as hugeint) not between 1 and {{ most }}, true)
                        then error(
                            '{{ name }} is ' || coalesce(cast({{ name }} as varchar), 'null')
                            || '; give a whole number from 1 to {{ most }}.'
                        )
                    else true
                end
                and
                {%- endfor %}
                case
                    when
                        segment_name is not null
                        and cast(segment_name as varchar) not in (
                            select segment from {{ ref('customer_segment_vocabulary') }}
                        )
                        then error(
                            'There is no segment ''' || cast(segment_name as varchar) || '''; there are '
                            || (
                                select string_agg(segment, ', ' order by segment)
                                from {{ ref('customer_segment_vocabulary') }}
                            ) || '.'
                        )
                    else true
                end
            )

        ),

        everything as (

            select * from found
            union all
            select * from refused

        )

        select * exclude (customer_rank)
        from everything
        order by customer_rank, rank
    {% endset %}
    {% do return(
        'create or replace macro ' ~ this.schema
        ~ '.get_product_recommendations(n_customers := 10, n_products := 5, segment_name := null) as table ' ~ body
    ) %}
{% endmacro %}

{#
  A stored procedure that a Cortex agent can use as a tool; deploy/snowflake/ has its description. It
  answers with a text: JSON of recommendations, or of one sentence that says what is wrong with the call.
  A caller needs no right but to call it: it runs with those of its owner, as procedures do by default.
  https://docs.snowflake.com/en/sql-reference/sql/create-procedure
#}
{% macro snowflake__create_recommendations_function() %}
    {% set query = recommendations_query(this, 'cast(? as integer)', 'cast(? as integer)', 'cast(? as varchar)') %}
    {% set statement %}
create or replace procedure {{ this.include(identifier=false) }}.get_product_recommendations(
    n_customers integer default 10, n_products integer default 5, segment_name varchar default null
)
returns varchar
language python
runtime_version = '{{ model.config.python_version }}'
packages = ('{{ snowpark_package() }}')
imports = ('{{ model.config.imports | join("', '") }}')
handler = 'answer'
as $$
from customer_insights.recommending import recommend


def answer(session, n_customers, n_products, segment_name):
    return recommend(
        session,
        query={{ tojson(query) }},
        segments_query={{ tojson('select segment from ' ~ ref('customer_segment_vocabulary')) }},
        limits={{ tojson(recommendation_limits()) }},
        counts={"n_customers": n_customers, "n_products": n_products},
        segment=segment_name,
    )
$$
    {% endset %}
    {% do return(statement) %}
{% endmacro %}

{# Snowpark as the models declare it, with its version where one is pinned. #}
{% macro snowpark_package() %}
    {% for package in model.config.packages if package.startswith('snowflake-snowpark-python') %}
        {% do return(package) %}
    {% endfor %}
{% endmacro %}

{# A whole number from 1 to the limit of its name; anything else stops with one sentence. #}
{% macro checked_count(name, given) %}
    {% set most = recommendation_limits()[name] %}
    {% set text = given | string | trim %}
    {% if not modules.re.fullmatch('[0-9]{1,18}', text) or text | int < 1 or text | int > most %}
        {% do stop(name ~ ' is ' ~ given ~ '; give a whole number from 1 to ' ~ most ~ '.') %}
    {% endif %}
    {% do return(text | int) %}
{% endmacro %}

{# A segment of the vocabulary, or none; anything else stops with one sentence that lists them. #}
{% macro checked_segment(given) %}
    {% if given is none %}{% do return(none) %}{% endif %}
    {% set known = run_query(
        'select segment from ' ~ ref('customer_segment_vocabulary') ~ ' order by precedence'
    ).columns[0].values() %}
    {% if given | string not in known %}
        {% do stop("There is no segment '" ~ given ~ "'; there are " ~ (known | sort | join(', ')) ~ '.') %}
    {% endif %}
    {% do return(given | string) %}
{% endmacro %}

{#
  What to offer, as a list for people, on either engine:

    dbt run-operation get_product_recommendations --args '{n_customers: 3, n_products: 5, segment: AT_RISK}'
#}
{% macro get_product_recommendations(n_customers=10, n_products=5, segment=none) %}
    {% set customers = checked_count('n_customers', n_customers) %}
    {% set products = checked_count('n_products', n_products) %}
    {% set wanted = checked_segment(segment) %}
    {% set literal = dbt.string_literal(dbt.escape_single_quotes(wanted)) if wanted is not none
        else 'cast(null as ' ~ api.Column.translate_type('string') ~ ')' %}
    {% set rows = run_query(recommendations_query(ref('product_recommendations'), customers, products, literal)).rows %}
    {% if not rows %}
        {% do print(
            'No recommendations' ~ (' for ' ~ wanted if wanted is not none else '') ~ ': no customer with orders is in it.'
        ) %}
        {% do return(none) %}
    {% endif %}
    {% set seen = [] %}
    {% for row in rows %}
        {% if row[1] not in seen %}
            {% do seen.append(row[1]) %}
            {% do print(('' if loop.first else '\n') ~ 'Customer ' ~ row[1] ~ ' (' ~ row[2] ~ ')') %}
        {% endif %}
        {% do print('  %2d. %-12s %-40s %-20s %s' | format(
            row[3] | int, row[4], (row[5] or '')[:40], (row[6] or '')[:20],
            '%.1f %%' | format(100 * (row[7] | float)) if row[7] is not none else 'no probability: by ' ~ row[8]
        )) %}
    {% endfor %}
    {% do print('\n' ~ (rows | length) ~ ' recommendations for ' ~ (seen | length) ~ ' customers, as of ' ~ rows[0][10]
        ~ ', by ' ~ rows[0][8] ~ (' ' ~ rows[0][9] if rows[0][8] == 'model' else '') ~ '.') %}
{% endmacro %}
