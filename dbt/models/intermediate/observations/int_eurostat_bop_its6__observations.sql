-- Member states by partner in the common shape: in euro, and in national currency where the seed
-- names one. Where the currency changed within the series, Eurostat's basis is not known and the
-- rows are left out.
{{
    sdmx_conformed(
        in_changed_partitions(ref("stg_eurostat_bop_its6__observations")),
        concept="BPM6_SH",
        units={"MIO_EUR": "EUR"},
        national="MIO_NAC",
    )
}}
