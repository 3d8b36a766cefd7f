"""Standard output and error of a process: whatever they cannot take is lost, and stops nothing.

A terminal may not have a letter, a log's disk may be full, the reader of a pipe may have gone. Also
sees to it that file names are read and written as UTF-8, whatever the locale.
"""

import io
import locale
import os
import select
import sys
from contextlib import suppress
from typing import Any

_PATIENCE = 1  # seconds for which a full pipe that does not block is waited for


def unfailing_output() -> None:
    """Let nothing that this process prints raise, from now on."""
    # Otherwise the next file to be opened gets the number of a closed one, and what is printed.
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is not getattr(sys, f"__{name}__") or isinstance(stream, _Unfailing):
            continue  # a test's, or a notebook's
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
        encoding = getattr(stream, "encoding", None) or "utf-8"
        replaced = _Unfailing(descriptor, encoding)
        setattr(sys, name, replaced)
        setattr(sys, f"__{name}__", replaced)


def use_utf8() -> None:
    """Start this process again in UTF-8 mode if the locale has another encoding.

    A locale's encoding is that of file names too: a name in Chinese would be read as other letters.
    What is printed keeps the encoding of the terminal.
    """
    of_locale = locale.getpreferredencoding(False)
    is_utf8 = {sys.getfilesystemencoding().lower(), of_locale.lower()} == {"utf-8"}
    if is_utf8 or "PYTHONUTF8" in os.environ:
        return
    os.environ["PYTHONUTF8"] = "1"
    os.environ.setdefault("PYTHONIOENCODING", f"{of_locale}:backslashreplace")
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


class _UnfailingFile(io.FileIO):
    def write(self, text: Any) -> int:
        """Write what the descriptor takes; the rest is lost."""
        size = memoryview(text).nbytes
        with suppress(OSError):
            written = super().write(text)
            if written is None and select.select([], [self], [], _PATIENCE)[1]:
                written = super().write(text)
            if written is not None:
                return written
        return size


class _Unfailing(io.TextIOWrapper):
    def __init__(self, descriptor: int, encoding: str) -> None:
        file = io.BufferedWriter(_UnfailingFile(descriptor, "w", closefd=False))
        super().__init__(file, encoding, "backslashreplace", line_buffering=True)
