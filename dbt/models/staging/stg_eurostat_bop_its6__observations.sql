{{
    sdmx_staging(
        source("raw", "eurostat_bop_its6__observations"),
        reporter="geo",
        partner="partner",
        item="bop_item",
        flow="stk_flow",
        flows={"CRE": "receipts", "DEB": "payments", "BAL": "balance"},
        unit="currency",
        flags="obs_flag",
        confidentiality="conf_status",
        secret=["c", "C", "N", "P"],
        renamed={"s": "i", "z": "m", "r": "", "N": "", "P": ""},
    )
}}
