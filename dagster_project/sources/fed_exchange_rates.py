"""US Federal Reserve, annual average exchange rates since 1971, as datahub serves them.

Units of the currency per US dollar, including the euro. The file names countries, not currencies:
the seed `currency_code_map` has the currency of a country's rates, by year. Venezuela's rates span
several redenominations; the United Kingdom is missing.
"""

from datetime import timedelta

from dagster_project.layouts import CsvLayout, RawTable
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

annual = RawTable("fed_exchange_rates__annual", ("date", "country", "exchange_rate"))

SOURCE = Source(
    name="fed_exchange_rates",
    tables=(annual,),
    required=(annual,),
    manual_instructions="the CSV of datahub's collection exchange-rates: data/annual.csv",
    # Once a year, in the first days of January; the table added by hand follows.
    calendar=Calendar(
        timezone="America/New_York",
        deadline_cron="0 12 1 3 *",
        freshness_window=timedelta(days=59),
    ),
    layouts=(
        CsvLayout(
            "annual exchange rates of the Federal Reserve",
            annual,
            header_row=1,
            header=("Date", "Country", "Exchange rate"),
        ),
    ),
)
