-- The flows stay on the side of each join that DuckDB does not hold in memory, as in
-- mart_mirror_asymmetry.
{{
    config(
        pre_hook="set disabled_optimizers = 'build_side_probe_side'",
        post_hook="reset disabled_optimizers",
    )
}}

{{ balance_mart("partner") }}
