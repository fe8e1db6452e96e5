"""Imports and exports by the name of a format, the way the command line asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.video.exchange.annotated import ImportReport
from onlooker.video.exchange.coco_vid_read import import_coco_vid
from onlooker.video.exchange.coco_write import export_coco_vid, export_ytvis
from onlooker.video.exchange.cvat_write import export_cvat
from onlooker.video.exchange.label_studio_write import export_label_studio
from onlooker.video.exchange.mask_write import export_davis, export_mots
from onlooker.video.exchange.mot_read import import_mot
from onlooker.video.exchange.mot_write import export_mot
from onlooker.video.exchange.outgoing import ExportReport, check_target
from onlooker.video.exchange.subtitle_write import export_webvtt
from onlooker.video.exchange.table_write import export_csv, export_parquet
from onlooker.video.exchange.ytvis_read import import_ytvis
from onlooker.video.store import find_videos, list_videos
from onlooker.video.store.store import Store

_FROM_JSON = {"coco-vid": import_coco_vid, "ytvis": import_ytvis}
IMPORT_FORMATS = ("mot", *_FROM_JSON)

Exporter = Callable[[Store, Path, Sequence[int] | None], ExportReport]
EXPORTERS: dict[str, Exporter] = {
    "mot": export_mot,
    "coco-vid": export_coco_vid,
    "ytvis": export_ytvis,
    "mots": export_mots,
    "davis": export_davis,
    "csv": export_csv,
    "parquet": export_parquet,
    "webvtt": export_webvtt,
    "cvat": export_cvat,
    "label-studio": export_label_studio,
}


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the files to import do not say themselves.

    Attributes:
        name: mot: what to call the video.
        fps: coco-vid and ytvis: frames a second of videos that carry no times.
        pictures: the folder that the picture names start from; mot: the folder of the pictures of a single sequence.
    """

    name: str | None = None
    fps: float | None = None
    pictures: Path | None = None


def import_annotations(store: Store, form: str, path: Path, options: ImportOptions) -> ImportReport:
    """Import annotations in a named format, all of them or none.

    Raises:
        UnknownNameError: there is no such format.
        ConfigError: an option that this format has no use for.
        FormatError: the files are malformed.
    """
    if form == "mot":
        if options.fps is not None:
            raise ConfigError("`--fps` belongs to coco-vid and ytvis; mot reads it from `seqinfo.ini`")
        return import_mot(store, path, options.name, options.pictures)
    if form not in _FROM_JSON:
        raise UnknownNameError("import format", form, IMPORT_FORMATS)
    if options.name is not None:
        raise ConfigError(f"`--name` belongs to mot: a {form} file names its videos itself")
    return _FROM_JSON[form](store, path, options.fps, options.pictures)


def export_annotations(store: Store, form: str, target: Path, videos: Sequence[str] | None = None) -> ExportReport:
    """Export videos, all by default, in a named format.

    Raises:
        UnknownNameError: there is no such format or video.
        NothingFoundError: there is no finished video.
        ConfigError: `target` is the library, or a file that one of its videos was made from.
    """
    if form not in EXPORTERS:
        raise UnknownNameError("export format", form, EXPORTERS)
    with store.read() as connection:
        chosen = find_videos(connection, videos) if videos else None
        check_target(store, target, [video.path for video in list_videos(connection) if target.is_file()])
    return EXPORTERS[form](store, target, None if chosen is None else [video.id for video in chosen])
