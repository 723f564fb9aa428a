{{ config(schema=none) }}
select * from {{ ref('session_features_computed') }}
