"""Annotations in and out of a library, in the formats other tools speak."""

from onlooker.video.exchange.annotated import ImportedVideo, ImportReport
from onlooker.video.exchange.by_format import (
    EXPORTERS,
    IMPORT_FORMATS,
    ImportOptions,
    export_annotations,
    import_annotations,
)
from onlooker.video.exchange.coco_vid_read import import_coco_vid
from onlooker.video.exchange.coco_write import export_coco_vid, export_ytvis
from onlooker.video.exchange.cvat_write import export_cvat
from onlooker.video.exchange.label_studio_write import export_label_studio
from onlooker.video.exchange.mask_write import export_davis, export_mots
from onlooker.video.exchange.mot_read import import_mot
from onlooker.video.exchange.mot_write import export_mot
from onlooker.video.exchange.outgoing import ExportReport
from onlooker.video.exchange.subtitle_write import export_webvtt
from onlooker.video.exchange.table_write import export_csv, export_parquet
from onlooker.video.exchange.ytvis_read import import_ytvis

__all__ = [
    "EXPORTERS",
    "IMPORT_FORMATS",
    "ExportReport",
    "ImportOptions",
    "ImportReport",
    "ImportedVideo",
    "export_annotations",
    "export_coco_vid",
    "export_csv",
    "export_cvat",
    "export_davis",
    "export_label_studio",
    "export_mot",
    "export_mots",
    "export_parquet",
    "export_webvtt",
    "export_ytvis",
    "import_annotations",
    "import_coco_vid",
    "import_mot",
    "import_ytvis",
]
