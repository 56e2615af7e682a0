"""Streams stored pictures as a ZIP archive: it is made while it is read, and never stored."""

from collections.abc import Iterator, Mapping

from zipstream import ZipStream

from swaps.storage import open_file

BLOCK_BYTES = 64 * 1024
MISSING_FILE = "not-in-this-archive.txt"
MISSING_TEXT = "These pictures are not finished, or were deleted:\n\n"


def stream_zip(files: Mapping[str, str]) -> Iterator[bytes]:
    """Yield an archive of objects in blocks; ``files`` maps file names to object keys.

    Pictures are compressed already, so they are stored as they are. One that is missing, or whose
    key is empty, is named in a text file instead.
    """
    archive = ZipStream()
    missing = []
    for name, key in files.items():
        try:
            if not key:
                raise FileNotFoundError
            stored = open_file(key)
        except FileNotFoundError:
            missing.append(name)
            continue
        with stored:
            archive.add(stored.chunks(BLOCK_BYTES), name, size=stored.size)
            yield from archive.all_files()
    if missing:
        archive.add(MISSING_TEXT + "\n".join(missing) + "\n", MISSING_FILE)
    yield from archive.finalize()
