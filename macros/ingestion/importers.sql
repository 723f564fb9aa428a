{#
  Public data sets whose files are recognised by their columns. An importer is a row here and a macro
  `import_<name>(fields)`; `fields` maps each column of the file, in lower case, to SQL for its text.
  The macro returns {columns: {contract column: SQL text}, problem: SQL text}: the texts are cast and
  checked like any file's, and where `problem` is not null the row is rejected for it.

  signature: the columns that a file must have, in lower case;  spellings: other names that they go
  by (other name: name in the signature);  tables: where its rows go.

  Of several tables the first is the one whose rows are the file's: rejects are counted there. The macro
  then returns two things more. types: the columns of a row, as the contract states them
  (contract_columns_named);  tables: {table: SQL for its rows, and of each the `file_row_number` to
  store it by}, made of `loading_typed` where `load_reason` is null.
#}
{% macro importers() %}
    {% do return([
        {
            'name': 'online_shoppers',
            'tables': ['sessions'],
            'signature': online_shoppers_columns(),
            'spellings': {},
            'import': import_online_shoppers,
        },
        {
            'name': 'online_retail',
            'tables': ['order_items', 'orders', 'products', 'customers'],
            'signature': online_retail_columns(),
            'spellings': {'invoiceno': 'invoice', 'unitprice': 'price', 'customerid': 'customer id'},
            'import': import_online_retail,
        },
        {
            'name': 'prdect_id',
            'tables': ['reviews', 'products'],
            'signature': prdect_id_columns(),
            'spellings': {},
            'import': import_prdect_id,
        },
        {
            'name': 'sample_reviews',
            'tables': ['reviews'],
            'signature': sample_reviews_columns(),
            'spellings': {},
            'import': import_sample_reviews,
        },
        {
            'name': 'sample_customers',
            'tables': ['customers'],
            'signature': sample_customers_columns(),
            'spellings': {},
            'import': import_sample_customers,
        },
        {
            'name': 'sample_products',
            'tables': ['products'],
            'signature': sample_products_columns(),
            'spellings': {},
            'import': import_sample_products,
        },
    ]) %}
{% endmacro %}

{# The importer for a file with these columns, if it fills this table (none: any); else an empty one. #}
{% macro importer_of(columns, table) %}
    {% for importer in importers() if table is none or table in importer.tables %}
        {% if not importer.signature | reject('in', signature_names(importer, columns)) | list %}
            {% do return(importer) %}
        {% endif %}
    {% endfor %}
    {% do return({'name': none, 'tables': []}) %}
{% endmacro %}

{# The columns of a file under the names of an importer's signature; a name that is there stays. #}
{% macro signature_names(importer, columns) %}
    {% set names = [] %}
    {% for column in columns %}
        {% set name = importer.spellings.get(column, column) %}
        {% do names.append(column if name in columns else name) %}
    {% endfor %}
    {% do return(names) %}
{% endmacro %}

{# What an importer makes of a file with these columns. #}
{% macro importer_mapping(importer, columns) %}
    {% set fields = {} %}
    {% for column in signature_names(importer, columns) %}
        {% do fields.update({column: file_field(loop.index0)}) %}
    {% endfor %}
    {% do return(importer.import(fields)) %}
{% endmacro %}

{# Some columns of a raw table as the contract states them. #}
{% macro contract_columns_named(table, names) %}
    {% do return(contract_columns(table) | selectattr('name', 'in', names) | list) %}
{% endmacro %}
