{{ config(materialized="ephemeral") }}

-- Shares in percent: of a part in its whole, and of receipts and payments in total trade. With a
-- partner the
-- whole is the world in the same other dimensions; otherwise exactly one dimension is broken down
-- and the whole is the total of all.
{%- set key = ["source", "release_date"] + key_columns() %}
with
    levels as (
        select {{ column_list(key) }}, currency, measure, found_value, half_width
        from {{ ref("int_levels_by_release") }}
        where is_narrowest
    ),

    parts_and_wholes as (
        select
            {{ column_list(key, "parts") }},
            parts.measure || '_share_pct' as measure,
            'part / total' as method,
            parts.found_value as part,
            parts.half_width as part_half,
            wholes.found_value as whole,
            wholes.half_width as whole_half
        from levels as parts
        inner join
            levels as wholes
            on {{ part_of_whole("parts", "wholes") }}
            and {{ equal_on("parts", "wholes", ["currency", "measure"]) }}
        where parts.measure in ('receipts', 'payments', 'balance')
        {%- for flow in ["receipts", "payments"] %}
            union all
            select
                {{ column_list(key, "flows") }},
                '{{ flow }}_share_of_trade_pct' as measure,
                '{{ flow }} / total' as method,
                flows.found_value as part,
                flows.half_width as part_half,
                total_trade.found_value as whole,
                total_trade.half_width as whole_half
            from levels as flows
            inner join
                levels as total_trade on {{ equal_on("flows", "total_trade", key + ["currency"]) }}
            where flows.measure = '{{ flow }}' and total_trade.measure = 'total_trade'
        {%- endfor %}
    ),

    final as (
        select
            {{ column_list(key) }},
            measure,
            'percent' as unit,
            method,
            false as is_stated,
            100 * part / whole as found_value,
            100
            * {{ quotient_half_width("part", "part_half", "whole", "whole_half") }} as half_width
        from parts_and_wholes
        where abs(whole) > whole_half
    )

select {{ column_list(key) }}, measure, unit, method, is_stated, found_value, half_width
from final
