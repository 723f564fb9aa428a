{# The path as given, less a final slash; stops where there is none or it is not on this machine. #}
{% macro check_load_path(path) %}
    {% set path = '' if path is none else path | string %}
    {% if path | trim == '' %}
        {% do stop("load_files needs a path: --args '{path: <a file or folder>, table: <a raw table>}'.") %}
    {% endif %}
    {% if '://' in path and not setting_value('allow_remote_files') %}
        {% do stop(
            "The path '" ~ path ~ "' is not on this machine; download the file and give its local path, or set "
            ~ 'allow_remote_files to true.'
        ) %}
    {% endif %}
    {% do return(path if modules.re.fullmatch('/+', path) else path.rstrip('/')) %}
{% endmacro %}

{# The table as given, or none; stops where the contract has no such table. #}
{% macro check_load_table(table) %}
    {% if table is not none and table not in contract_tables() %}
        {% do stop(
            "There is no raw table '" ~ table ~ "'; the tables are: " ~ (contract_tables() | join(', ')) ~ '.'
        ) %}
    {% endif %}
    {% do return(table) %}
{% endmacro %}

{# The files that a path stands for, in the order of their names. #}
{% macro files_to_load(path) %}
    {% if ('://' in path and file_format(path)) or list_files(path, is_folder=false) %}
        {% if file_format(path) is none %}
            {% do stop(
                "The file '" ~ path ~ "' is neither .csv, .csv.gz nor .parquet; save it as one of these."
            ) %}
        {% endif %}
        {% do return([path]) %}
    {% endif %}
    {% set found = list_files(path, is_folder=true) %}
    {% if not found %}
        {% do stop(
            "There is no file or folder '" ~ path ~ "', or the folder is empty; check the path (a relative "
            ~ 'path starts where dbt runs).'
        ) %}
    {% endif %}
    {% set files = [] %}
    {% set others = [] %}
    {% for file in found %}
        {% do (files if file_format(file) else others).append(file) %}
    {% endfor %}
    {% if not files %}
        {% do stop(
            "The folder '" ~ path ~ "' has no .csv, .csv.gz or .parquet file (it has "
            ~ (others | map('replace', path ~ '/', '') | join(', ') | truncate(200)) ~ ').'
        ) %}
    {% endif %}
    {% if others %}
        {{ log('Ignored, neither CSV nor Parquet: ' ~ (others | join(', ')), info=true) }}
    {% endif %}
    {% do return(files) %}
{% endmacro %}

{# What a file's name says it is: csv, csv.gz or parquet; none for any other and for hidden files. #}
{% macro file_format(file) %}
    {% set name = file_name(file) | lower %}
    {% set found = modules.re.fullmatch('[^.].*[.](csv|csv[.]gz|parquet)', name, modules.re.DOTALL) %}
    {% do return(found.group(1) if found else none) %}
{% endmacro %}

{# The last part of a path. #}
{% macro file_name(file) %}
    {% do return(file.split('/')[-1]) %}
{% endmacro %}

{# The raw table that a file's name says: orders for orders.csv, Orders.parquet, sample_orders.csv.gz. #}
{% macro table_of_file_name(file) %}
    {% set stem = (file_name(file) | lower)[: -(file_format(file) | length) - 1] %}
    {% set table = modules.re.sub('^sample_', '', stem) %}
    {% if table not in contract_tables() %}
        {% do stop(
            'The name of ' ~ file ~ ' says no raw table; give `table`, one of: '
            ~ (contract_tables() | join(', ')) ~ '.'
        ) %}
    {% endif %}
    {% do return(table) %}
{% endmacro %}

{#
  What a file is: `content_hash` and `format`. Stops where its content is not what its name says,
  before anything tries to read it as such.
#}
{% macro checked_file_facts(file) %}
    {% set format = file_format(file) %}
    {% set max_bytes = 4000000000 %}
    {% set bytes = file_bytes(file) %}
    {% if bytes == 0 %}
        {% do stop('The file ' ~ file ~ ' is empty (0 bytes); export it again.') %}
    {% elif bytes > max_bytes %}
        {% do stop(
            'The file ' ~ file ~ ' is larger than 4 GB; split it into a folder of smaller files and load the folder.'
        ) %}
    {% endif %}
    {% set facts = file_facts(file) %}
    {% set kinds = {
        '89504E47': 'a PNG image', 'FFD8FF': 'a JPEG image', '47494638': 'a GIF image', '25504446': 'a PDF',
        '504B0304': 'an Excel workbook or zip archive', '1F8B': 'a gzip file', '50415231': 'a Parquet file',
        'FFFE': 'UTF-16 text', 'FEFF': 'UTF-16 text', '53514C69': 'a SQLite database',
    } %}
    {% set found = namespace(kind='text' if facts.is_text else 'binary data or text that is not UTF-8') %}
    {% for start, kind in kinds.items() if facts.start.startswith(start) %}
        {% set found.kind = kind %}
    {% endfor %}
    {% if format == 'csv' and found.kind != 'text' %}
        {% do stop(
            'The file ' ~ file ~ ' is not a CSV file: it holds ' ~ found.kind
            ~ '; export it as comma-separated UTF-8 text' ~ (
                ', or name it .csv.gz' if found.kind == 'a gzip file'
                else ', or name it .parquet' if found.kind == 'a Parquet file' else ''
            ) ~ '.'
        ) %}
    {% elif format == 'csv.gz' and found.kind != 'a gzip file' %}
        {% do stop(
            'The file ' ~ file ~ ' is not a gzip file: it holds ' ~ found.kind ~ '; compress it again, or name it '
            ~ 'after what it is.'
        ) %}
    {% elif format == 'parquet' and found.kind != 'a Parquet file' %}
        {% do stop(
            'The file ' ~ file ~ ' is not a Parquet file: it holds ' ~ found.kind ~ '; name it after what it is, '
            ~ 'or export it as Parquet.'
        ) %}
    {% elif format == 'parquet' and not facts.end.endswith('50415231') %}
        {% do stop('The Parquet file ' ~ file ~ ' breaks off before its end; copy or export it again.') %}
    {% endif %}
    {% do return({'content_hash': facts.content_hash, 'format': format}) %}
{% endmacro %}
