{#
  SQL: a whole number from 0 to below `modulus` out of seven of the 32 hexadecimal digits of a hash,
  from position `start`. The same hash gives the same number on every engine.
#}
{% macro hash_number(hash, start, modulus) %}
    {{ return(adapter.dispatch('hash_number')(hash, start, modulus)) }}
{% endmacro %}

{% macro default__hash_number(hash, start, modulus) %}
    {{ exceptions.raise_compiler_error('hash_number is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__hash_number(hash, start, modulus) %}
    {% do return(
        "(cast('0x' || substring(" ~ hash ~ ", " ~ start ~ ", 7) as bigint) % cast(" ~ modulus ~ " as bigint))"
    ) %}
{% endmacro %}
