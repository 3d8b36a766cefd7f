-- Every period that a statement is about, and the quarters, half-years and years that contain its
-- months and quarters.
with
    stated_periods as (
        select period
        from {{ ref("int_united_observations") }}
        union
        select period
        from {{ ref("int_stated_rates") }}
    ),

    periods as (
        select period
        from stated_periods
        union
        select {{ period_of_day(period_start("period"), "'Q'") }} as period
        from stated_periods
        where {{ period_frequency("period") }} = 'M'
        union
        select {{ period_of_day(period_start("period"), "'S'") }} as period
        from stated_periods
        where {{ period_frequency("period") }} in ('M', 'Q')
        union
        select {{ period_of_day(period_start("period"), "'A'") }} as period
        from stated_periods
        where {{ period_frequency("period") }} in ('M', 'Q')
    ),

    final as (
        select
            period,
            {{ period_frequency("period") }} as frequency,
            case
                {{ period_frequency("period") }}
                when 'A'
                then 'annual'
                when 'S'
                then 'half-yearly'
                when 'Q'
                then 'quarterly'
                else 'monthly'
            end as frequency_name,
            cast(substr(period, 1, 4) as int) as year,
            {{ period_start("period") }} as start_date,
            {{ period_end("period") }} as end_date,
            {{ period_year_before("period") }} as year_before
        from periods
    )

select period, frequency, frequency_name, year, start_date, end_date, year_before
from final
order by period
