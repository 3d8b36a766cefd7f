{{ config(materialized="view", schema="semantic") }}
select distinct start_date as day
from {{ ref("dim_period") }}
