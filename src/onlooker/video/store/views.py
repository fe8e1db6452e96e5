"""The views chat and `onlooker sql` may read, with the one column dictionary behind their DDL, docs and prompts.

Views carry the plain names (`videos`, `tracklets`, ...); base tables carry `base_` and are refused by the guard. A view
shows finished videos only. `video` is the video's name, `id` a tracklet's number inside its video (what people say);
`key` and `video_key` are unique in the library and are what joins use.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One column of a view: its name, the SQL behind it, its unit or type, and what it means."""

    name: str
    sql: str
    kind: str
    meaning: str


@dataclass(frozen=True, slots=True)
class View:
    """One view: name, the FROM clause behind it, what a row is, and its columns."""

    name: str
    source: str
    meaning: str
    columns: tuple[ViewColumn, ...]

    @property
    def ddl(self) -> str:
        """The CREATE VIEW statement."""
        selected = ",\n  ".join(f"{c.sql} AS {c.name}" for c in self.columns)
        return f"CREATE VIEW {self.name} AS SELECT\n  {selected}\nFROM {self.source}"


def _columns(*rows: tuple[str, str, str, str]) -> tuple[ViewColumn, ...]:
    return tuple(ViewColumn(*row) for row in rows)


_READY = "v.status IN ('ready', 'partial')"
_BY_VIDEO = "base_videos v ON v.id = {alias}.video_id AND " + _READY


def _joined(table: str, alias: str) -> str:
    return f"{table} {alias} JOIN {_BY_VIDEO.format(alias=alias)}"


_VIDEO = (
    ("video", "v.name", "text", "name of the video"),
    ("video_key", "v.id", "int", "video, unique in the library"),
)
_OWNER = (
    ("tracklet_key", "k.id", "int", "tracklet, unique in the library"),
    ("id", "k.number", "int", "number of the tracklet in its video"),
    ("category", "k.category", "text", "what it is: person, car, dog"),
)
_EDGES = tuple((e, "{a}." + e, "px", f"box edge {e}") for e in ("x1", "y1", "x2", "y2"))


def _edges(alias: str) -> tuple[tuple[str, str, str, str], ...]:
    return tuple((name, sql.format(a=alias), kind, meaning) for name, sql, kind, meaning in _EDGES)


def _plain(alias: str, *columns: tuple[str, str, str]) -> tuple[tuple[str, str, str, str], ...]:
    """Columns shown under their own name."""
    return tuple((name, f"{alias}.{name}", kind, meaning) for name, kind, meaning in columns)


VIEWS: tuple[View, ...] = (
    View(
        "videos",
        f"base_videos v WHERE {_READY}",
        "one video",
        _columns(
            ("key", "v.id", "int", "video, unique in the library"),
            ("name", "v.name", "text", "name of the video"),
            *_plain(
                "v",
                ("path", "text", "where the file was when it was added"),
                ("status", "text", "ready, or partial where the file broke off"),
                ("width", "px", "frame width"),
                ("height", "px", "frame height"),
                ("fps", "1/s", "average frame rate, a description only"),
                ("n_frames", "int", "decoded frames"),
            ),
            ("duration", "v.duration_s", "s", "length"),
            ("has_audio", "v.has_audio", "0/1", "has an audio track"),
        ),
    ),
    View(
        "shots",
        _joined("base_shots", "s"),
        "one shot, [start, end)",
        _columns(
            *_VIDEO,
            ("shot", "s.number", "int", "number of the shot from 1"),
            ("t_start", "s.start_s", "s", "start"),
            ("t_end", "s.end_s", "s", "end"),
        ),
    ),
    View(
        "frames",
        _joined("base_frames", "f"),
        "one frame on which objects were looked for",
        _columns(*_VIDEO, *_plain("f", ("frame", "int", "frame index"), ("t", "s", "time of the frame"))),
    ),
    View(
        "tracklets",
        _joined("base_tracklets", "k"),
        "one object followed through one video",
        _columns(
            ("key", "k.id", "int", "tracklet, unique in the library"),
            ("id", "k.number", "int", "number of the tracklet in its video"),
            *_VIDEO,
            *_plain(
                "k",
                ("label", "text", "name given by a person"),
                ("category", "text", "what it is: person, car, dog"),
                ("category_score", "0..1", "certainty of the category"),
                ("t_start", "s", "first seen"),
                ("t_end", "s", "last seen"),
            ),
            ("duration", "k.visible_s", "s", "time visible, gaps left out"),
            ("n_frames", "k.n_boxes", "int", "frames with a box"),
            *_plain(
                "k",
                ("n_gaps", "int", "absences inside the tracklet"),
                ("identity", "0..1", "probability that it is one object throughout"),
                ("path_px", "px", "length of the path of the centre"),
                ("net_px", "px", "straight distance from first to last centre"),
                ("dx_px", "px", "last centre minus first, to the right"),
                ("dy_px", "px", "last centre minus first, downwards"),
            ),
            ("speed", "k.speed_px_s", "px/s", "path length over visible time"),
            ("speed_rel", "k.speed_rel_s", "diag/s", "the same in frame diagonals"),
            *_plain(
                "k",
                ("direction", "text", "left, right, up, down, up-left, ... or none"),
                ("stationary", "0/1", "stays where it is"),
                ("enters_from", "text", "left, right, top, bottom, inside, or start (there from the first frame)"),
                ("leaves_to", "text", "left, right, top, bottom, inside, or end (there until the last frame)"),
                ("approach", "text", "approaching, receding or steady, from the box size"),
                ("area_rel", "0..1", "mean box area over frame area"),
                ("size", "text", "small, medium or large"),
                ("place", "text", "where in the frame it is most of the time: top left ... centre"),
                ("best_t", "s", "moment of the best view"),
                ("color", "text", "main colour"),
                ("upper_color", "text", "persons: colour of the upper body"),
                ("lower_color", "text", "persons: colour of the lower body"),
                ("appearance", "text", "description of the look"),
                ("motion", "text", "description of the movement"),
            ),
        ),
    ),
    View(
        "boxes",
        "base_boxes b JOIN base_tracklets k ON k.id = b.tracklet_id JOIN " + _BY_VIDEO.format(alias="k"),
        "one box of one tracklet on one frame",
        _columns(
            *_OWNER,
            *_VIDEO,
            *_plain("b", ("frame", "int", "frame index"), ("t", "s", "time")),
            *_edges("b"),
            *_plain("b", ("score", "0..1", "certainty"), ("detected", "0/1", "0: carried between two detections")),
        ),
    ),
    View(
        "masks",
        "base_masks m JOIN base_tracklets k ON k.id = m.tracklet_id JOIN " + _BY_VIDEO.format(alias="k"),
        "the pixels of one tracklet on one frame, where a segmenter or an import gave them",
        _columns(
            *_OWNER,
            *_VIDEO,
            *_plain("m", ("frame", "int", "frame index"), ("t", "s", "time")),
            ("area", "m.area_px", "px", "pixels inside"),
            ("height", "v.height", "px", "height of the mask: that of the frame"),
            ("width", "v.width", "px", "width of the mask"),
            ("rle", "cast(m.rle AS text)", "text", "the mask as compressed COCO run lengths"),
        ),
    ),
    View(
        "gaps",
        "base_gaps g JOIN base_tracklets k ON k.id = g.tracklet_id JOIN " + _BY_VIDEO.format(alias="k"),
        "one absence inside a tracklet",
        _columns(
            *_OWNER,
            *_VIDEO,
            ("t_start", "g.start_s", "s", "last seen before"),
            ("t_end", "g.end_s", "s", "seen again"),
            *_plain("g", ("kind", "text", "occlusion or shot"), ("probability", "0..1", "same object on both sides")),
        ),
    ),
    View(
        "links",
        "base_links l JOIN base_tracklets a ON a.id = l.first_id JOIN base_tracklets k ON k.id = l.second_id JOIN "
        + _BY_VIDEO.format(alias="a"),
        "two tracklets that may be the same object",
        _columns(
            *_VIDEO,
            ("first_id", "a.number", "int", "tracklet seen first"),
            ("second_id", "k.number", "int", "tracklet seen later"),
            ("probability", "l.probability", "0..1", "same object"),
        ),
    ),
    View(
        "pairs",
        _joined("base_pairs", "p"),
        "two tracklets that are on screen together, first_key < second_key",
        _columns(
            *_VIDEO,
            ("first_key", "p.first_id", "int", "one tracklet"),
            ("second_key", "p.second_id", "int", "the other"),
            ("first_id", "p.first_number", "int", "number of the one"),
            ("second_id", "p.second_number", "int", "number of the other"),
            ("first_category", "p.first_category", "text", "category of the one"),
            ("second_category", "p.second_category", "text", "category of the other"),
            *_plain(
                "p",
                ("together_s", "s", "time both are visible"),
                ("first_t", "s", "first moment both are visible"),
                ("last_t", "s", "last moment both are visible"),
                ("overlap_s", "s", "time their boxes overlap"),
                ("overlap_t", "s", "first moment their boxes overlap"),
                ("max_iou", "0..1", "largest overlap of their boxes"),
                ("min_distance_px", "px", "least distance of their centres"),
                ("min_distance_t", "s", "moment of that"),
                ("min_gap_px", "px", "least distance of their edges, 0 when they touch"),
            ),
        ),
    ),
    View(
        "peaks",
        _joined("base_peaks", "p"),
        "per video and category ('' is any): how many tracklets, and the most on one frame",
        _columns(
            *_VIDEO,
            *_plain(
                "p",
                ("category", "text", "category, or '' for all objects"),
                ("n_tracklets", "int", "tracklets in the video"),
                ("peak", "int", "most visible at the same time"),
                ("peak_t", "s", "first moment of that"),
            ),
        ),
    ),
    View(
        "attributes",
        "base_attributes a JOIN " + _BY_VIDEO.format(alias="a") + " LEFT JOIN base_tracklets k ON k.id = a.tracklet_id",
        "one thing an annotator says of a tracklet, or of a video where id is NULL",
        _columns(
            *_OWNER,
            *_VIDEO,
            *_plain(
                "a",
                ("name", "text", "color, upper_color, lower_color, tag, caption, action, motion_caption"),
                ("value", "text", "what it says"),
                ("score", "0..1", "certainty"),
            ),
            ("t_start", "a.start_s", "s", "start, NULL for the whole tracklet"),
            ("t_end", "a.end_s", "s", "end"),
            ("annotator", "a.annotator", "text", "who says so"),
        ),
    ),
    View(
        "judges",
        _joined("base_judges", "j"),
        "the judge of authenticity that looked at a video; videos without a row were not judged",
        _columns(
            *_VIDEO,
            *_plain(
                "j",
                ("judge", "text", "name@version"),
                ("finder", "text", "name@version of what found the faces"),
                ("need", "text", "what it looks at: face or crop, the whole box"),
                ("threshold", "0..1", "mean probability from which something looks manipulated"),
                ("tested_on", "text", "where its probabilities were measured"),
            ),
        ),
    ),
    View(
        "judgements",
        "base_judgements g JOIN base_tracklets k ON k.id = g.tracklet_id JOIN base_judges j ON j.video_id = k.video_id"
        " JOIN " + _BY_VIDEO.format(alias="k"),
        "one moment of one tracklet that a judge of authenticity was to look at: the curve over time",
        _columns(
            *_OWNER,
            *_VIDEO,
            *_plain(
                "g",
                ("frame", "int", "frame index"),
                ("t", "s", "time"),
                ("probability", "0..1", "that it is manipulated; NULL where it was not judged; low is no proof"),
                ("reason", "text", "why it was not judged"),
            ),
            *_edges("g"),
            *_plain("g", ("kind", "text", "kind of manipulation"), ("notes", "text", "what to know of the number")),
            *_plain("j", ("judge", "text", "name@version"), ("threshold", "0..1", "from here on it looks manipulated")),
        ),
    ),
    View(
        "verdicts",
        "base_tracklets k JOIN base_judges j ON j.video_id = k.video_id JOIN base_judgements g ON g.tracklet_id = k.id"
        " JOIN " + _BY_VIDEO.format(alias="k") + " GROUP BY k.id",
        "what a judge of authenticity says of one tracklet as a whole",
        _columns(
            *_OWNER,
            *_VIDEO,
            ("mean", "avg(g.probability)", "0..1", "mean probability of its moments; NULL where none was judged"),
            ("highest", "max(g.probability)", "0..1", "highest of them"),
            ("looks_manipulated", "avg(g.probability) >= j.threshold", "0/1", "1: the mean reaches the threshold"),
            ("n_judged", "count(g.probability)", "int", "moments judged"),
            ("n_moments", "count(*)", "int", "moments that were to be judged"),
            ("reason", "min(g.reason)", "text", "why some or all were not judged"),
            *_plain(
                "j",
                ("judge", "text", "name@version"),
                ("threshold", "0..1", "from here on it looks manipulated"),
                ("tested_on", "text", "where its probabilities were measured"),
            ),
        ),
    ),
    View(
        "speech",
        _joined("base_speech", "s"),
        "words heard",
        _columns(
            ("key", "s.id", "int", "unique in the library"),
            *_VIDEO,
            ("t_start", "s.start_s", "s", "start"),
            ("t_end", "s.end_s", "s", "end"),
            *_plain("s", ("text", "text", "the words"), ("confidence", "0..1", "certainty")),
        ),
    ),
    View(
        "screen_text",
        "base_screen_text x JOIN "
        + _BY_VIDEO.format(alias="x")
        + " LEFT JOIN base_tracklets k ON k.id = x.tracklet_id",
        "words seen: signs, captions, shirts",
        _columns(
            ("key", "x.id", "int", "unique in the library"),
            *_OWNER,
            *_VIDEO,
            ("t_start", "x.start_s", "s", "first seen"),
            ("t_end", "x.end_s", "s", "last seen"),
            *_plain("x", ("text", "text", "the words"), ("score", "0..1", "certainty")),
            *_edges("x"),
        ),
    ),
    View(
        "sounds",
        _joined("base_sounds", "s"),
        "a stretch of sound",
        _columns(
            ("key", "s.id", "int", "unique in the library"),
            *_VIDEO,
            ("t_start", "s.start_s", "s", "start"),
            ("t_end", "s.end_s", "s", "end"),
            *_plain(
                "s",
                ("label", "text", "silence, quiet, sound, loud, speech, ..."),
                ("score", "0..1", "certainty"),
                ("level_db", "dBFS", "mean level"),
            ),
        ),
    ),
    View(
        "annotators",
        _joined("base_annotator_runs", "r"),
        "one finished stage of the reading of a video",
        _columns(
            *_VIDEO,
            *_plain(
                "r",
                ("annotator", "text", "stage or annotator"),
                ("version", "text", "its version"),
                ("role", "text", "role of the model behind it"),
                ("model", "text", "name@version of that model"),
            ),
        ),
    ),
    # The flat table of the ChatVideo paper, so that its prompts work unchanged.
    View(
        "tracklets_chat",
        _joined("base_tracklets", "k"),
        "the flat table of the ChatVideo paper",
        _columns(
            ("id", "k.number", "int", "number of the tracklet in its video"),
            ("category", "k.category", "text", "what it is"),
            ("appearance", "coalesce(k.appearance, k.color, '')", "text", "description of the look"),
            ("motion", "coalesce(k.motion, k.direction)", "text", "description of the movement"),
            (
                "trajectory",
                "(SELECT group_concat('at ' || round(b.t, 1) || ' seconds, (' || cast(round(b.x1) AS int) || ',' ||"
                " cast(round(b.y1) AS int) || ',' || cast(round(b.x2) AS int) || ',' || cast(round(b.y2) AS int) ||"
                " ')', '; ') FROM base_boxes b WHERE b.tracklet_id = k.id)",
                "text",
                "every box with its time",
            ),
            ("velocity", "k.speed_px_s", "px/s", "path length over visible time"),
        ),
    ),
)

VIEW_NAMES = frozenset(view.name for view in VIEWS)


def views_fingerprint() -> str:
    """Changes whenever the text of any view changes; a library carries that of the program which opened it last."""
    return hashlib.sha256("\n".join(view.ddl for view in VIEWS).encode()).hexdigest()


def describe_views(names: frozenset[str] = VIEW_NAMES) -> str:
    """The column dictionary as text, for prompts: one line a view, one a column."""
    lines = []
    for view in VIEWS:
        if view.name in names:
            lines.append(f"{view.name}: {view.meaning}")
            lines += [f"  {c.name} ({c.kind}): {c.meaning}" for c in view.columns]
    return "\n".join(lines)
