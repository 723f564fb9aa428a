{# The columns of the file as UCI's workbook calls them, in lower case. #}
{% macro online_retail_columns() %}
    {% do return([
        'invoice', 'stockcode', 'description', 'quantity', 'invoicedate', 'price', 'customer id', 'country',
    ]) %}
{% endmacro %}

{#
  UCI Online Retail II (https://archive.ics.uci.edu/dataset/502, CC BY 4.0): the invoice lines of a gift
  shop over two years. A line becomes a row of `order_items`; `orders`, `products` and `customers` are
  made of the accepted lines (see online_retail_tables). Any further column, like the name of the
  workbook's sheet, is not read.

  A line is rejected for the first of these that is true of it:
  - it repeats an earlier line in all eight columns (two sheets overlap): the first one is kept;
  - its invoice is a correction of bad debt (A...), or is neither a number nor C and a number;
  - it takes away without being a cancellation (stock that was lost or written off), or is a
    cancellation that does not take away: a cancellation is an invoice that begins with C;
  - its price is negative;
  - its stock code is no product: a product is five digits, and letters after them or not. That leaves
    out what is no article (POST, DOT and C2 carriage, M manual, D discount, S samples, B bad debt,
    ADJUST, BANK CHARGES, AMAZONFEE, CRUK, TEST001, gift vouchers). So that the rule is one sentence,
    it leaves out a few that are: PADS, SP1002 and DCGS..., of which 21 lines have a customer;
  - it has no customer;
  - a value is missing or does not fit the contract, as in any file. Only the country may be missing.

  A price of 0 is kept: with a customer it is a product given away or sent once more, and it adds
  nothing to any amount. The contract's cast rounds prices to cents; of UCI's lines only some of PADS
  and BANK CHARGES have more decimals. Invoices and stock codes are in upper case: a code that is also
  written in lower case has the same descriptions. A customer's number that a data frame turned into a
  fraction (13085.0) is whole again.
#}
{% macro import_online_retail(fields) %}
    {% set trimmed = {} %}
    {% for name in online_retail_columns() %}
        {% do trimmed.update({name: "nullif(trim(" ~ fields[name] ~ "), '')"}) %}
    {% endfor %}
    {% set invoice = 'upper(' ~ trimmed['invoice'] ~ ')' %}
    {% set product = 'upper(' ~ trimmed['stockcode'] ~ ')' %}
    {% set customer = trimmed['customer id'] %}
    {% set quantity = text_as(trimmed['quantity'], 'double') %}
    {% set is_cancellation = text_matches(invoice, 'C[0-9]+') %}
    {% set problem %}
        case
            when
                row_number() over (
                    partition by
                        {%- for name in online_retail_columns() %}
                        {{ fields[name] }}{{ ',' if not loop.last }}
                        {%- endfor %}
                    order by file_row_number
                ) > 1
                then 'duplicate of an earlier line'
            when {{ text_matches(invoice, 'A[0-9]+') }} then 'invoice: a correction of bad debt'
            when not {{ text_matches(invoice, 'C?[0-9]+') }}
                then 'invoice: ''' || left({{ invoice }}, 60) || ''' is neither a number nor C and a number'
            when not {{ is_cancellation }} and {{ quantity }} <= 0
                then 'quantity: not positive, though the invoice is no cancellation'
            when {{ is_cancellation }} and {{ quantity }} >= 0
                then 'quantity: not negative, though the invoice is a cancellation'
            when {{ text_as(trimmed['price'], 'double') }} < 0 then 'price: negative'
            when not {{ text_matches(product, '[0-9]{5}[A-Z]*') }}
                then 'stock code: ''' || left({{ product }}, 60) || ''' is no product'
            when {{ customer }} is null then 'no customer'
        end
    {% endset %}
    {% do return({
        'columns': {
            'order_id': invoice,
            'product_id': product,
            'quantity': 'case when ' ~ is_cancellation ~ ' and ' ~ text_matches(trimmed['quantity'], '-[0-9].*')
                ~ ' then substring(' ~ trimmed['quantity'] ~ ', 2) else ' ~ trimmed['quantity'] ~ ' end',
            'unit_price_amount': fields['price'],
            'customer_id': 'case when ' ~ text_matches(customer, '[0-9]+[.]0+') ~ ' then left(' ~ customer
                ~ ", position('.' in " ~ customer ~ ') - 1) else ' ~ customer ~ ' end',
            'ordered_at': fields['invoicedate'],
            'name': trimmed['description'],
            'location': "nullif(" ~ trimmed['country'] ~ ", 'Unspecified')",
        },
        'problem': problem,
        'types': contract_columns_named('order_items', ['order_id', 'product_id', 'quantity', 'unit_price_amount'])
            + contract_columns_named('orders', ['customer_id', 'ordered_at'])
            + contract_columns_named('products', ['name'])
            + contract_columns_named('customers', ['location']),
        'tables': online_retail_tables(),
    }) %}
{% endmacro %}

{#
  The four tables as SQL on the accepted lines. Of two lines the newer one is that of the later time; at
  the same time, the later one in the file.

  order_items: the line number is the place among the accepted lines of the invoice.
  orders: an invoice. Where its lines have several times (a minute or two apart) it was placed at the
  earliest; where they had several customers (UCI's have not) it would be that of the first line. A
  cancellation is an order of its own, with positive quantities and the status `cancelled` since its
  own time: the file does not say which order it takes back. All others are `completed`.
  products: the name is the description that most lines have, of several the alphabetically first. The
  price is that of the newest line, where cancellations (often a refund of a part) and gifts count
  only if there is nothing else. The file has no categories: all are `uncategorised`.
  customers: signed up on the day of the first line, in the country of the newest (null where it is
  `Unspecified`). When they really did, the file does not say; nor gender, age or plan.
#}
{% macro online_retail_tables() %}
    {% set lines -%}
        (select *, left(order_id, 1) = 'C' as is_cancellation from loading_typed where load_reason is null) as line
    {%- endset %}
    {% set order_items %}
        select
            file_row_number,
            order_id,
            row_number() over (partition by order_id order by file_row_number) as line_number,
            product_id,
            quantity,
            unit_price_amount
        from {{ lines }}
    {% endset %}
    {% set orders %}
        select
            file_row_number,
            order_id,
            customer_id,
            null as session_id,
            first_at as ordered_at,
            case when is_cancellation then 'cancelled' else 'completed' end as status,
            case when is_cancellation then first_at end as status_changed_at,
            null as discount_amount,
            null as payment_method
        from (
            select
                *,
                min(ordered_at) over (partition by order_id) as first_at,
                row_number() over (partition by order_id order by file_row_number) as line_rank
            from {{ lines }}
        ) as ranked
        where line_rank = 1
    {% endset %}
    {% set products %}
        select
            ranked.file_row_number,
            ranked.product_id,
            named.name,
            'uncategorised' as category,
            ranked.unit_price_amount as price_amount
        from (
            select
                *,
                row_number() over (
                    partition by product_id
                    order by
                        case when is_cancellation or unit_price_amount = 0 then 1 else 0 end,
                        ordered_at desc,
                        file_row_number desc
                ) as line_rank
            from {{ lines }}
        ) as ranked
        inner join (
            select
                product_id,
                name,
                row_number() over (partition by product_id order by count(*) desc, name) as name_rank
            from {{ lines }}
            group by product_id, name
        ) as named
            on ranked.product_id = named.product_id
        where ranked.line_rank = 1 and named.name_rank = 1
    {% endset %}
    {% set customers %}
        select
            file_row_number,
            customer_id,
            cast(first_at as date) as signed_up_on,
            null as gender,
            null as age,
            location,
            null as plan
        from (
            select
                *,
                min(ordered_at) over (partition by customer_id) as first_at,
                row_number() over (
                    partition by customer_id order by ordered_at desc, file_row_number desc
                ) as line_rank
            from {{ lines }}
        ) as ranked
        where line_rank = 1
    {% endset %}
    {% do return({'order_items': order_items, 'orders': orders, 'products': products, 'customers': customers}) %}
{% endmacro %}
