"""Gates: Great Expectations suites, run on one materialization, with the result in the ledger."""
