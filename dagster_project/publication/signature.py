"""The operator's signature on a publication, if there is a key: in the form of minisign.

`<file>.minisig` is beside each kept file and the data package, from before they go live, and beside
the published file. Its trusted comment names the publication. Anyone with the public key verifies
it with `make verify` or with `minisign -Vm`. Most runs need no key, so functions import minisign.
"""

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.base.durable_files import replace_file, replace_text, sync
from dagster_project.base.errors import BadInput
from dagster_project.base.private_files import set_mode
from dagster_project.base.settings import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from minisign import PublicKey, SecretKey


def signature_file(path: Path) -> Path:
    """Return the file with the signature on a file, beside it."""
    return Path(f"{path}.minisig")


def signing_key(settings: Settings) -> "SecretKey | None":
    """Return the operator's secret key; None if none is set. Raises BadInput if it is unusable."""
    if settings.signing_key is None:
        return None
    from minisign import Error, SecretKey

    path = PROJECT_ROOT / settings.signing_key
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise _bad_key(path, "a file that other users may read or change")
        key = SecretKey.from_file(path)
        if key.is_encrypted():
            raise _bad_key(path, "a key with a password, which no run can enter")
    except (OSError, Error) as error:
        raise _bad_key(path, str(error)) from error
    return key


def _bad_key(path: Path, found: str) -> BadInput:
    return BadInput(
        "the signing key cannot be used",
        where=f"ROYALTY_SIGNING_KEY: {path}",
        expected="a secret key of minisign without a password, which only this user can read",
        found=found,
        fix="make one with `minisign -G -W` and `chmod 600` it, or unset the variable",
    )


def sign(key: "SecretKey", path: Path, target: Path, publication_id: str) -> None:
    """Sign the bytes of a file; the signature is for `target`, the name that it will have."""
    with path.open("rb") as file:
        signature = key.sign(file, trusted_comment=f"publication:{publication_id}")
    replace_text(signature_file(target), bytes(signature).decode() + "\n")
    set_mode(signature_file(target), 0o444)
    sync(signature_file(target))


def activate_signature(settings: Settings, kept: Path) -> None:
    """Put the signature of a kept publication beside the published file; without one, none is."""
    live = signature_file(settings.warehouse)
    if not signature_file(kept).exists():
        live.unlink(missing_ok=True)
    elif not (live.exists() and live.samefile(signature_file(kept))):
        settings.readers.may_read(signature_file(kept))
        replace_file(live, signature_file(kept))


def verify_key(settings: Settings) -> "PublicKey | None":
    """Return the public key to verify with; None if none is set. Raises BadInput."""
    text = settings.verify_key.strip()
    if not text:
        secret = signing_key(settings)
        return secret.get_public_key() if secret else None
    from minisign import Error, PublicKey

    path = PROJECT_ROOT / text
    try:
        return PublicKey.from_file(path) if path.is_file() else PublicKey.from_base64(text)
    except (OSError, Error) as error:
        raise BadInput(
            "the public key cannot be used",
            where=f"ROYALTY_VERIFY_KEY: {text}",
            expected="a public key of minisign: its file, or its second line",
            found=str(error),
            fix="correct the variable, or unset it",
        ) from error


def signature_errors(key: "PublicKey", path: Path, publication_id: str) -> list[str]:
    """Return why a file is not signed with this key as a file of this publication."""
    from minisign import Error, Signature

    beside = signature_file(path)
    if not beside.exists():
        return [f"{path.name} has no signature"]
    try:
        signature = Signature.from_file(beside)
        stated = signature.trusted_comment.removeprefix("publication:")
        if stated != publication_id:
            return [f"{beside.name} is the signature of publication {stated}, not {publication_id}"]
        key.verify_file(path, signature)
    except Error as error:
        return [f"{beside.name} is wrong: {error}"]
    return []
