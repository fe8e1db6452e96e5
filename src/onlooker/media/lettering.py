"""Letters of any script on a picture: Pillow's own font, else a font of the system, else something readable.

Pillow's font holds little more than ASCII and draws an empty box for the rest: names, speech and signs of a video are
in any language. One font is picked per text, not per letter, so that scripts written from right to left stay whole.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from PIL import ImageFont, features
from PIL.ImageDraw import ImageDraw
from PIL.ImageFont import FreeTypeFont

Colour = tuple[int, int, int]

# Ours: broad fonts first, then those of scripts; what Linux, macOS and Windows install by themselves.
SYSTEM_FONTS = (
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "segoeui.ttf", "LiberationSans-Regular.ttf"),
    *("NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "SourceHanSansSC-Regular.otf", "wqy-microhei.ttc"),
    *("wqy-zenhei.ttc", "DroidSansFallbackFull.ttf", "Arial Unicode.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc"),
    *("AppleSDGothicNeo.ttc", "msyh.ttc", "YuGothR.ttc", "msgothic.ttc", "malgun.ttf", "NanumGothic.ttf"),
    *("NotoSansArabic-Regular.ttf", "NotoSansHebrew-Regular.ttf", "NotoSansDevanagari-Regular.ttf", "Nirmala.ttf"),
    *("NotoSansThai-Regular.ttf", "LeelawUI.ttf", "Kohinoor.ttc", "Thonburi.ttc"),
)
_NO_LETTER = "\uffff"  # never a letter: every font draws it as it draws a letter that it lacks


@lru_cache(maxsize=32)
def lettering(size_px: int) -> Lettering:
    """Letters of this size. Looking for fonts takes time: one search per size serves all pictures."""
    return Lettering(size_px)


class Lettering:
    """Measures and writes single lines of text in one size.

    Args:
        size_px: of the letters; at least 6 is used.
        fallbacks: names of font files for what Pillow's own font lacks, the first that has all letters wins.
    """

    def __init__(self, size_px: int, fallbacks: Sequence[str] = SYSTEM_FONTS) -> None:
        self.size_px = max(6, size_px)
        own = ImageFont.load_default(self.size_px)
        assert isinstance(own, FreeTypeFont)  # asking for a size gives the scalable one
        self._fonts = [own]
        self._untried = list(fallbacks)
        self._known: dict[tuple[int, str], bool] = {}

    def readable(self, text: str) -> str:
        """The text as it is written: one line; letters no font has become plain ones ("Zoë": "Zoe") or "?"."""
        return self._set(text)[0]

    def width(self, text: str) -> float:
        """Pixels from the first letter to the last."""
        line, font = self._set(text)
        width: float = font.getlength(line)
        return width

    def fitted(self, text: str, width_px: float) -> str:
        """The text, cut with dots where it is wider; empty when not even its first letter fits."""
        line = " ".join(text.split())
        if self.width(line) <= width_px:
            return line
        fits, too_long = 0, len(line)
        while too_long - fits > 1:
            middle = (fits + too_long) // 2
            if self.width(line[:middle].rstrip() + "...") <= width_px:
                fits = middle
            else:
                too_long = middle
        return line[:fits].rstrip() + "..." if fits else ""

    def write(self, pen: ImageDraw, at: tuple[float, float], text: str, colour: Colour, anchor: str = "la") -> None:
        """Writes one line; `anchor` in Pillow's letters says which point of it lies `at` ("lm": left, middle)."""
        line, font = self._set(text)
        pen.text(at, line, font=font, fill=colour, anchor=anchor)

    def _set(self, text: str) -> tuple[str, FreeTypeFont]:
        line = " ".join(unicodedata.normalize("NFC", text).split())
        if line.isascii() and line.isprintable():
            return line, self._fonts[0]
        place = self._best_font(line)
        return "".join(c if self._has(place, c) else _plain(c) for c in line), self._fonts[place]

    def _best_font(self, line: str) -> int:
        """The font that lacks the fewest letters; fonts are opened only until one has them all."""
        place, best, fewest = 0, 0, len(line) + 1
        while place < len(self._fonts) or self._open_next():
            missing = sum(not self._has(place, c) for c in line)
            if missing < fewest:
                best, fewest = place, missing
            if not missing:
                break
            place += 1
        return best

    def _open_next(self) -> bool:
        while self._untried:
            try:
                # Pillow looks for the name in the font folders of the system.
                self._fonts.append(ImageFont.truetype(self._untried.pop(0), self.size_px))
            except OSError:
                continue  # not installed here
            return True
        return False

    def _has(self, place: int, letter: str) -> bool:
        if letter.isspace():
            return True
        key = (place, letter)
        if key not in self._known:
            font = self._fonts[place]
            self._known[key] = bytes(font.getmask(letter)) != bytes(font.getmask(_NO_LETTER)) and _can_join(letter)
        return self._known[key]


def _can_join(letter: str) -> bool:
    """Without its layout library Pillow writes Arabic and Hebrew backwards and in pieces: worse than none."""
    return unicodedata.bidirectional(letter) not in ("R", "AL") or bool(features.check("raqm"))


def _plain(letter: str) -> str:
    """What stands for a letter that no font has."""
    if unicodedata.category(letter) in ("Cc", "Cf", "Mn", "Me"):
        return ""  # joiners and marks: nothing to see by themselves
    parts = unicodedata.normalize("NFKD", letter.casefold() if letter == "ß" else letter)
    return "".join(part for part in parts if part.isascii() and part.isprintable()) or "?"
