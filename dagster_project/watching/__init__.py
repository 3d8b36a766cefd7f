"""Telling people of failures: what is said (`message`), how it is sent (`send`), and when.

Of a run of Dagster's daemon or UI the sensor tells; of `make run`, the command itself: it must not
need a daemon. The sensor leaves its runs alone, so that nobody is told twice.
"""
