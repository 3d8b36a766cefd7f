"""Country codes and country groups from the datahub collection `country-codes`.

A wide table of which few columns are used: those that the ISO 3166 package lacks (UN regions, least
developed countries, small island states, currencies), and codes to check it against. Numeric codes
have lost their leading zeros, several currencies share a cell, Antarctica has no region, and four
areas, Türkiye among them, have no currency. Alpha-2 `NA` is Namibia.
"""

from dagster_project.layouts import CsvLayout, RawTable
from dagster_project.sources.source import Source

countries = RawTable(
    "iso_country_codes__countries",
    ("alpha_3", "alpha_2", "m49", "region", "subregion", "ldc", "sids", "currencies"),
)

SOURCE = Source(
    name="iso_country_codes",
    tables=(countries,),
    required=(countries,),
    manual_instructions="the CSV of datahub's collection country-codes: data/country-codes.csv",
    layouts=(
        CsvLayout(
            "country codes of datahub",
            countries,
            header_row=1,
            header=(
                "ISO3166-1-Alpha-3",
                "ISO3166-1-Alpha-2",
                "M49",
                "Region Name",
                "Sub-region Name",
                "Least Developed Countries (LDC)",
                "Small Island Developing States (SIDS)",
                "ISO4217-currency_alphabetic_code",
            ),
            partial=True,
        ),
    ),
)
