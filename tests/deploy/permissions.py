"""Who may read a file in a folder, by POSIX's rules; and which modes the documentation gives them."""

import re


def may_read(user: int, groups: set[int], folder: int, file: int, *, owner: int, group: int) -> bool:
    """Whether a process may open the file: it needs x on the folder and r on the file, by the first class that it is in.

    No capability is kept in our containers, so root would be no exception.
    """

    def bits(mode: int) -> int:
        return (mode >> 6 if user == owner else mode >> 3 if group in groups else mode) & 7

    return bool(bits(folder) & 1 and bits(file) & 4)


def documented_modes(page: str) -> tuple[int, int]:
    """Return the modes that the page's commands give to the folder of secrets, and to the files in it."""
    (folder,) = re.findall(r"chmod (\d{3}) secrets(?![/\w])", page)
    (file,) = re.findall(r"chmod (\d{3}) secrets/\*", page)
    return int(folder, 8), int(file, 8)
