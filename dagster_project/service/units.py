"""systemd units for this checkout and its user: `make install-service`.

System units, of an administrator, are closed off with everything that Dagster, dbt and DuckDB can
do without. Units of a user leave out what systemd does only for the system's own.
"""

import os
import pwd
import shutil
import sys
from pathlib import Path

from dagster_project.base.dagster_home import home_folder
from dagster_project.base.errors import BadInput
from dagster_project.base.private_files import public_folder
from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.service.processes import PARTS

SYSTEM_UNITS = Path("/etc/systemd/system")
USER_UNITS = Path("~/.config/systemd/user")

_UNIT = """\
# Written by `make install-service`, which overwrites it. Change it with `systemctl edit`.
[Unit]
Description=Royalty-flow warehouse: {about}
Documentation={docs}
After=network-online.target{after}
Wants=network-online.target{wants}

[Service]
Type=exec
{user}WorkingDirectory={root}
EnvironmentFile=-{root}/.env
{environment}
ExecStart={command}
Restart=on-failure
RestartSec=10
TimeoutStopSec=60
KillMode=mixed
OOMPolicy=continue
{hardening}
[Install]
WantedBy={target}
"""

_FOR_ALL = """\
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""

# The folders of the settings are the only ones that the service can write to.
_FOR_SYSTEM = """\
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProcSubset=all
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictNamespaces=yes
RemoveIPC=yes
"""


def write_units(settings: Settings, folder: Path | None, user: str | None, port: int) -> list[Path]:
    """Write a unit per part of the service, and return their paths.

    folder: default `SYSTEM_UNITS` for root, else `USER_UNITS`. user: of system units; default the
    owner of the checkout. Raises BadInput if that is root, or no user of this machine.
    """
    system = os.geteuid() == 0
    folder = folder or (SYSTEM_UNITS if system else USER_UNITS.expanduser())
    name = _user(user) if system or user else None
    if name:  # the service may write to these, and cannot create them
        for writable in _written(settings):
            public_folder(writable)
            if system and not any(writable.iterdir()):
                shutil.chown(writable, name)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for part in PARTS:
        path = folder / f"{unit_name(part)}.service"
        path.write_text(_unit(settings, part, name, port), "utf-8")
        path.chmod(0o644)  # systemd warns of others, and no secret is in it
        written.append(path)
    return written


def unit_name(part: str) -> str:
    """Return the name of a part's unit, without `.service`."""
    return f"royalty-flows-{part}"


def _unit(settings: Settings, part: str, user: str | None, port: int) -> str:
    code = f"{unit_name('code')}.service"
    command = [sys.executable, "-m", "dagster_project", "serve", part]
    if part == "web":
        command += ["--port", str(port)]
    landing, warehouse, home = _written(settings)
    variables = {
        "ROYALTY_LANDING_DIR": landing,
        "ROYALTY_WAREHOUSE_DIR": warehouse,
        "DAGSTER_HOME": home,
        "ROYALTY_CACHE_DIR": home / "cache",
    }
    hardening = _FOR_ALL
    if user:
        writable = " ".join(_quoted(str(path)) for path in _written(settings))
        hardening += f"{_FOR_SYSTEM}ReadWritePaths={writable}\n"
    return _UNIT.format(
        about=PARTS[part],
        docs=(PROJECT_ROOT / "docs" / "deploying.md").as_uri().replace("%", "%%"),
        after="" if part == "code" else f" {code}",
        wants="" if part == "code" else f" {code}",
        user=f"User={user}\n" if user else "",
        root=_plain(PROJECT_ROOT),
        environment="\n".join(
            f"Environment={_quoted(f'{name}={value}')}" for name, value in variables.items()
        ),
        command=" ".join(_quoted(word).replace("$", "$$") for word in command),
        hardening=hardening,
        target="multi-user.target" if user else "default.target",
    )


def _written(settings: Settings) -> tuple[Path, Path, Path]:
    """Return the folders that the service writes to: landing, warehouse, Dagster instance."""
    home = (PROJECT_ROOT / home_folder()).resolve()
    return settings.landing_dir, settings.warehouse_dir, home


def _user(name: str | None) -> str:
    """Return the user of system units: the given one, or the owner of the checkout."""
    try:
        entry = pwd.getpwnam(name) if name else pwd.getpwuid(PROJECT_ROOT.stat().st_uid)
    except KeyError:
        entry = None
    if entry is None or entry.pw_uid == 0:
        raise BadInput(
            "the service would have no user of its own",
            where=str(PROJECT_ROOT),
            expected="a user of this machine other than root, who owns the warehouse folder",
            found="root" if entry else f"no user {name or 'with the id of the checkout'}",
            fix="create one (`useradd --system royalty`), and run"
            " `make install-service SERVICE_USER=royalty`",
        )
    return entry.pw_name


def _plain(path: Path) -> str:
    """Return a path for a setting that systemd takes as it is, except its own placeholders."""
    return str(path).replace("%", "%%")


def _quoted(text: str) -> str:
    """Return a word of a unit, quoted."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
