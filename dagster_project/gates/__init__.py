"""Gates: Great Expectations suites, with their results in the ledger."""
