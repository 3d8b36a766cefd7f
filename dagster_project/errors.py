"""The one error that bad input ends in, and its kind that passes by itself."""


class BadInput(Exception):
    """Something that was handed to the warehouse cannot be used.

    The message names what is wrong, where, what was expected, what was found and what to do, in
    that order, so that the person who reads it in a log or in the ledger needs nothing else.
    """

    def __init__(self, what: str, *, where: str, expected: str, found: str, fix: str) -> None:
        self.what, self.where, self.expected, self.found, self.fix = (
            what,
            where,
            expected,
            found,
            fix,
        )
        super().__init__(
            f"{what} | where: {where} | expected: {expected} | found: {found} | what to do: {fix}"
        )


class TryLater(BadInput):
    """What passes by itself: an outage, a lock that another process holds. Steps try again."""
