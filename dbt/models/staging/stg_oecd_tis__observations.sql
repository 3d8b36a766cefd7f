{{
    sdmx_staging(
        source("raw", "oecd_tis__observations"),
        reporter="ref_area",
        partner="counterpart_area",
        item="measure",
        flow="accounting_entry",
        flows={"C": "receipts", "D": "payments", "B": "balance"},
        unit="unit_measure",
        unit_multiplier="unit_mult",
        currency="currency",
        flags="obs_status",
        confidentiality="conf_status",
    )
}}
