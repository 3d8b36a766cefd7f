"""A bulk CSV file of which few records are kept: its bytes are searched, and few lines are parsed.

To parse 49.6 million records of twelve fields takes eight times as long as to search them for a
text. That is safe where a line is a record and a comma ends a field; any other file is for the
general reader.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_BLOCK_BYTES = 1 << 19  # fits into a processor's cache
_LAST_OF_ASCII = 127
_WORD = 8  # bytes looked at together
_NEAR = 16  # words: what is found so near to each other is copied as one run


class NotPlain(Exception):
    """A file whose records cannot be told apart without a parser."""


def copy_marked_lines(path: Path, target: Path, mark: bytes, header_row: int, fields: int) -> int:
    """Copy the lines that contain a text, and some beside them; return the number of all lines.

    Lines up to the header are left out and not counted. Raises NotPlain if there is a quote, a
    character that is not ASCII, no line feed at the end, or a block of lines that has not
    `fields` - 1 commas for each, and a carriage return for each or none; of the lines that are
    copied, each must have them.
    """
    import numpy as np

    # The memory is used again for each block: to be given new memory costs more than the search.
    block = bytearray(2 * _BLOCK_BYTES)
    characters, found = np.frombuffer(block, np.uint8), np.empty(len(block), bool)

    def count(letter: bytes, end: int) -> int:
        equal = np.equal(characters[:end], letter[0], out=found[:end])
        return int(np.count_nonzero(equal))

    lines = rest = 0  # rest: bytes of a line that goes on in the next block
    with path.open("rb", buffering=0) as file, target.open("wb") as kept:
        file.seek(_end_of_header(path, header_row))
        while read := file.readinto(memoryview(block)[rest : rest + _BLOCK_BYTES]):
            end = block.rfind(b"\n", 0, rest + read) + 1
            ended = count(b"\n", end)
            if not ended or count(b",", end) != ended * (fields - 1):
                raise NotPlain
            if characters[:end].max() > _LAST_OF_ASCII or block.find(b'"', 0, end) >= 0:
                raise NotPlain
            if block.find(b"\r", 0, end) >= 0 and count(b"\r", end) != ended:
                raise NotPlain
            runs = _runs(block, end, _words_with(mark, characters[:end], found))
            copied = b"".join(memoryview(block)[start:stop] for start, stop in runs)
            if not _all_have(copied, fields):
                raise NotPlain
            kept.write(copied)
            lines, rest = lines + ended, rest + read - end
            block[:rest] = block[end : end + rest]
    if rest:
        raise NotPlain
    return lines


def _end_of_header(path: Path, header_row: int) -> int:
    with path.open("rb") as file:
        return sum(len(file.readline()) for _ in range(header_row))


def _all_have(lines: bytes, fields: int) -> bool:
    """Whether each line has so many fields, and a carriage return at its end or nowhere."""
    import numpy as np

    characters = np.frombuffer(lines, np.uint8)
    ends, commas = (np.flatnonzero(characters == letter) for letter in b"\n,")
    if commas.size != ends.size * (fields - 1):
        return False
    of_line = commas.reshape(ends.size, fields - 1)
    if (of_line[:, -1] > ends).any() or (of_line[1:, 0] < ends[:-1]).any():
        return False
    returns = np.flatnonzero(characters == ord("\r"))
    return not returns.size or np.array_equal(returns + 1, ends)


def _words_with(mark: bytes, characters: "Array", found: "Array") -> "Array":
    """Return the numbers of the words in which a text begins. `found` is memory to use."""
    import numpy as np

    size = characters.size - len(mark) + 1
    np.equal(characters[:size], mark[0], out=found[:size])
    for at, letter in enumerate(mark[1:], 1):
        found[:size] &= characters[at : at + size] == letter
    words = -(-characters.size // _WORD)
    found[size : words * _WORD] = False
    return np.flatnonzero(found[: words * _WORD].view(np.uint64) != 0)


def _runs(block: bytearray, end: int, words: "Array") -> Iterator[tuple[int, int]]:
    """Yield start and end of runs of whole lines in which all these words are."""
    import numpy as np

    if not words.size:
        return
    breaks = np.flatnonzero(np.diff(words) > _NEAR)
    firsts, lasts = words[np.append(0, breaks + 1)], words[np.append(breaks, words.size - 1)]
    done = 0
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        start = max(block.rfind(b"\n", 0, first * _WORD) + 1, done)
        done = block.find(b"\n", (last + 1) * _WORD, end) + 1 or end
        if start < done:
            yield start, done
