-- Reporters by partner in the common shape: in US dollars, and in national currency where
-- the message or the seed names it.
{{
    sdmx_conformed(
        in_changed_partitions(ref("stg_oecd_tis__observations")),
        concept="BPM6_SH",
        units={"USD_EXC": "USD"},
        national="XDC",
    )
}}
