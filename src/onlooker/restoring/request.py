"""What is asked for, and where results go: checked before any weights are loaded."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as Pil

from onlooker.errors import ConfigError, DecodeError
from onlooker.media.images import PICTURE_SUFFIXES
from onlooker.media.marks import SUFFIXES as PICTURE_OUTPUTS
from onlooker.restoring.values import Kind, OutputFiles

VIDEO_OUTPUTS = (".mp4",)
MOST_PIXELS = 64_000_000
"""Of a picture (ours): about 2 GB are needed then."""


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """A file to restore.

    Attributes:
        source: a picture or a video.
        weights: see `open_restorer`.
        output: the restored file, or a folder for it; left out, `NAME.restored.png` (videos: `.mp4`) here. The mask and
            the picture for looking lie beside it, `.mask.png` and `.compare.png` in place of its ending.
        mask: a picture that is white where to restore and black elsewhere; left out, damage is looked for.
        label: also write "restored by AI" into the lower right corner of a picture.
        short_side: see `FtTdrRestorer`.
        device: torch device.
    """

    source: str | Path
    weights: str | Path
    output: str | Path | None = None
    mask: str | Path | None = None
    label: bool = False
    short_side: int | None = None
    device: str = "cpu"


def kind_of(path: Path) -> Kind:
    """What a file is: by its ending, else by its first bytes; whatever is no picture is tried as a video.

    Raises:
        DecodeError: missing, a folder, no regular file, a picture of fractions, or one too large to be held.
    """
    if not path.exists():
        raise DecodeError(f"there is no file `{path}`; check the name and the folder it is in")
    if not path.is_file():
        raise DecodeError(f"`{path}` is a folder or a device, expected one picture or video file")
    named = path.suffix.lower() in PICTURE_SUFFIXES
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pil.DecompressionBombWarning)  # the size is checked right here
            with Pil.open(path) as opened:
                width, height = opened.size
                fractions = opened.mode == "F"
                if opened.format == "MPEG":  # Pillow knows the head of a film, and no way to read one
                    return "video"
    except Pil.DecompressionBombError as error:
        raise DecodeError(f"`{path}` is too large a picture ({error}); make it smaller first") from error
    except (OSError, ValueError, SyntaxError) as error:
        if named:
            raise DecodeError(f"`{path}` cannot be read as a picture ({error})") from error
        return "video"
    if fractions:
        raise DecodeError(
            f"`{path}` holds fractions, and nothing says which of them is white; save it with 16 bits first"
        )
    if width * height > MOST_PIXELS:
        raise DecodeError(
            f"`{path}` is {width}x{height}: more than {MOST_PIXELS // 1_000_000} million pixels; make it smaller first"
        )
    return "picture"


def plan_files(request: RestoreRequest, kind: Kind) -> OutputFiles:
    """Where results go.

    Raises:
        ConfigError: a file type that cannot be written or bear a mark, a folder that is not there, or a file that is
            read from would be written over.
    """
    source = Path(request.source)
    own = f"{source.stem}.restored{'.png' if kind == 'picture' else '.mp4'}"
    output = Path(own if request.output is None else request.output)
    if output.is_dir():
        output = output / own
    allowed = PICTURE_OUTPUTS if kind == "picture" else VIDEO_OUTPUTS
    if output.suffix.lower() not in allowed:
        raise ConfigError(f"a restored {kind} is written as {' or '.join(allowed)}, got `{output.name}`")
    if not output.parent.is_dir():
        raise ConfigError(f"there is no folder `{output.parent}` to write `{output.name}` to; make it first")
    files = OutputFiles(output, output.with_suffix(".mask.png"), output.with_suffix(".compare.png"))
    for written in (files.restored, files.mask, files.compare):
        for read in (source, source if request.mask is None else Path(request.mask)):
            if written.exists() and read.exists() and written.samefile(read):
                raise ConfigError(f"`{written}` would be written over `{read}`, which is read; name another output")
    return files
