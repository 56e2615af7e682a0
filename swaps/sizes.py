"""The sizes in which every picture is stored besides the full one. Standard library only."""

from typing import Final

SIDES: Final = (160, 640, 1600)  # pixels of the longer side: a mark, a card of the history, a page
