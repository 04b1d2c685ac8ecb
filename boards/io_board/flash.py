"""Files on the board's flash. Whatever is cut short leaves the old content or none, never half."""

import binascii
import hashlib
import os

BLOCK = 512


class Flash:
    """The few things the board does with files; littlefs renames over an old file in one step."""

    def read(self, path: str):
        """The content, or None when there is no such file."""
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError:
            return None

    def write(self, path: str, data: bytes) -> None:
        """Replace the content as a whole."""
        with open(path + ".new", "wb") as file:
            file.write(data)
        os.rename(path + ".new", path)

    def append(self, path: str, data: bytes) -> None:
        """Add to a file; it and its folder begin to exist when they don't."""
        folder = path.rpartition("/")[0]
        if folder and folder not in os.listdir():
            os.mkdir(folder)
        with open(path, "ab") as file:
            file.write(data)

    def remove(self, path: str) -> None:
        os.remove(path)

    def names(self, folder: str) -> list[str]:
        """The files of a folder, in order; none when it does not exist."""
        try:
            return sorted(os.listdir(folder))
        except OSError:
            return []

    def digest(self, path: str) -> str:
        """SHA-256 of a file's content in hexadecimal; empty when it cannot be read."""
        total = hashlib.sha256()
        try:
            with open(path, "rb") as file:
                while True:
                    block = file.read(BLOCK)
                    if not block:
                        return binascii.hexlify(total.digest()).decode()
                    total.update(block)
        except OSError:
            return ""
