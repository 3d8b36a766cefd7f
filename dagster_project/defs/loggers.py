"""The loggers of Dagster's runs."""

import logging

from dagster import Field, InitLoggerContext, LoggerDefinition, logger

from dagster_project.base.logs import JsonFormatter


def run_loggers(*, as_json: bool) -> dict[str, LoggerDefinition]:
    """Return the JSON loggers that replace Dagster's own; none if people read the log."""
    if not as_json:
        return {}

    @logger(
        config_schema={"log_level": Field(str, is_required=False, default_value="INFO")},
        description="One JSON object per line, on standard error.",
    )
    def console(context: InitLoggerContext) -> logging.Logger:
        lines = logging.Logger("dagster", context.logger_config["log_level"])
        handler = logging.StreamHandler()
        handler.setFormatter(JsonFormatter())
        lines.addHandler(handler)
        return lines

    return {"console": console}
