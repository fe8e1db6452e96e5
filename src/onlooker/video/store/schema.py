"""Base tables of a library file (SQLAlchemy Core). Chat never sees these: it reads the views of `views.py`.

Times are seconds of the video's own clock, boxes pixels of the rotation-corrected frame. Everything derived from a
video hangs on `base_videos.id` and goes with it (ON DELETE CASCADE).
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()


def _video() -> Column[int]:
    return Column("video_id", Integer, ForeignKey("base_videos.id", ondelete="CASCADE"), nullable=False)


def _tracklet(nullable: bool = False) -> Column[int]:
    return Column("tracklet_id", Integer, ForeignKey("base_tracklets.id", ondelete="CASCADE"), nullable=nullable)


def _box() -> list[Column[float]]:
    return [Column(name, Float, nullable=False) for name in ("x1", "y1", "x2", "y2")]


# One row per content (sha256). `status`: "ingesting" rows are invisible to chat; "partial" means the file broke off and
# everything up to `decoded_until_s` is there. `sampling` says which frames have boxes.
VIDEOS = Table(
    "base_videos",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("path", Text, nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("source", Text, nullable=False),  # "video" or the format it was imported from
    Column("status", Text, CheckConstraint("status IN ('ingesting','ready','partial')"), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("fps", Float),
    Column("n_frames", Integer),
    Column("duration_s", Float),
    Column("decoded_until_s", Float),
    Column("has_audio", Integer, nullable=False),
    Column("rotation_deg", Integer, nullable=False, default=0),
    Column("codec", Text),
    Column("created_at", Text, nullable=False),
)

SHOTS = Table(
    "base_shots",
    METADATA,
    _video(),
    Column("number", Integer, nullable=False),
    Column("start_s", Float, nullable=False),
    Column("end_s", Float, nullable=False),
    PrimaryKeyConstraint("video_id", "number"),
    sqlite_with_rowid=False,
)

# The frames on which boxes were looked for: "visible at t" means "has a box on the frame nearest t".
# In tables without row ids the columns of the key stand first: with any other order `PRAGMA integrity_check` of
# SQLite 3.40 reports NULLs that are not there.
FRAMES = Table(
    "base_frames",
    METADATA,
    _video(),
    Column("t", Float, nullable=False),
    Column("frame", Integer, nullable=False),
    PrimaryKeyConstraint("video_id", "t"),
    sqlite_with_rowid=False,
)

TRACKLETS = Table(
    "base_tracklets",
    METADATA,
    Column("id", Integer, primary_key=True),
    _video(),
    Column("number", Integer, nullable=False),  # what people call it; unique inside its video
    Column("label", Text),  # a name given by a person ("Anna")
    Column("category", Text, nullable=False),
    Column("category_score", Float, nullable=False),
    Column("t_start", Float, nullable=False),  # first and last box
    Column("t_end", Float, nullable=False),
    Column("n_boxes", Integer, nullable=False),
    Column("visible_s", Float, nullable=False),  # n_boxes * frame interval: absence inside gaps is not counted
    Column("n_gaps", Integer, nullable=False),
    Column("identity", Float, nullable=False),  # product of gap probabilities: that this is one object throughout
    Column("path_px", Float, nullable=False),  # summed centre path
    Column("net_px", Float, nullable=False),  # first to last centre, straight
    Column("dx_px", Float, nullable=False),
    Column("dy_px", Float, nullable=False),
    Column("speed_px_s", Float, nullable=False),  # path_px / time between first and last box without gaps
    Column("speed_rel_s", Float, nullable=False),  # the same in frame diagonals
    Column("direction", Text, nullable=False),  # left right up down up-left ... or none
    Column("stationary", Integer, nullable=False),
    Column("enters_from", Text),  # left right top bottom, inside, start (already there on the first frame)
    Column("leaves_to", Text),  # left right top bottom, inside, end
    Column("approach", Text),  # approaching, receding, steady
    Column("area_rel", Float, nullable=False),  # mean box area / frame area
    Column("size", Text, nullable=False),  # small medium large
    Column("place", Text, nullable=False),  # "top left" ... "centre": where it is most of the time
    Column("best_t", Float),
    Column("color", Text),  # filled by the colour annotator, best name first
    Column("upper_color", Text),
    Column("lower_color", Text),
    Column("appearance", Text),  # sentences of a captioner or of the built-in describer
    Column("motion", Text),
    UniqueConstraint("video_id", "number"),
)
# Wide on purpose: counts, totals and extremes over the whole library are read from the index alone.
Index(
    "ix_tracklets_category",
    TRACKLETS.c.category,
    TRACKLETS.c.video_id,
    TRACKLETS.c.number,
    TRACKLETS.c.color,
    TRACKLETS.c.visible_s,
    TRACKLETS.c.speed_px_s,
    TRACKLETS.c.t_start,
    TRACKLETS.c.t_end,
)
Index("ix_tracklets_span", TRACKLETS.c.video_id, TRACKLETS.c.t_start, TRACKLETS.c.t_end)

BOXES = Table(
    "base_boxes",
    METADATA,
    _tracklet(),
    Column("t", Float, nullable=False),
    Column("frame", Integer, nullable=False),
    *_box(),
    Column("score", Float, nullable=False),
    Column("detected", Integer, nullable=False),  # 0: carried between two detections
    PrimaryKeyConstraint("tracklet_id", "t"),  # by time: that is how people and chat look for them
    sqlite_with_rowid=False,
)

MASKS = Table(
    "base_masks",
    METADATA,
    _tracklet(),
    Column("frame", Integer, nullable=False),
    Column("t", Float, nullable=False),
    Column("area_px", Integer, nullable=False),  # pixels inside
    Column("rle", LargeBinary, nullable=False),  # COCO compressed counts of an (height, width) mask of the whole frame
    PrimaryKeyConstraint("tracklet_id", "frame"),
    sqlite_with_rowid=False,
)

GAPS = Table(
    "base_gaps",
    METADATA,
    _tracklet(),
    Column("start_s", Float, nullable=False),
    Column("end_s", Float, nullable=False),
    Column("kind", Text, nullable=False),  # occlusion, shot
    Column("probability", Float, nullable=False),
    PrimaryKeyConstraint("tracklet_id", "start_s"),
    sqlite_with_rowid=False,
)

LINKS = Table(
    "base_links",
    METADATA,
    Column("first_id", Integer, ForeignKey("base_tracklets.id", ondelete="CASCADE"), nullable=False),
    Column("second_id", Integer, ForeignKey("base_tracklets.id", ondelete="CASCADE"), nullable=False),
    Column("probability", Float, nullable=False),
    PrimaryKeyConstraint("first_id", "second_id"),
    sqlite_with_rowid=False,
)

# Every reference to a tracklet is indexed from both ends: taking a video out must not read the whole library.
Index("ix_links_second", LINKS.c.second_id)

# Pairs of tracklets of one video that are on screen together at least once, first_id < second_id. Numbers and
# categories are repeated: a question about two categories reads this table alone; an edit writes all pairs anew.
PAIRS = Table(
    "base_pairs",
    METADATA,
    Column("first_id", Integer, ForeignKey("base_tracklets.id", ondelete="CASCADE"), nullable=False),
    Column("second_id", Integer, ForeignKey("base_tracklets.id", ondelete="CASCADE"), nullable=False),
    _video(),
    Column("first_number", Integer, nullable=False),
    Column("second_number", Integer, nullable=False),
    Column("first_category", Text, nullable=False),
    Column("second_category", Text, nullable=False),
    Column("together_s", Float, nullable=False),  # time both are visible
    Column("first_t", Float, nullable=False),  # first and last moment both are visible
    Column("last_t", Float, nullable=False),
    Column("overlap_s", Float, nullable=False),  # time their boxes overlap
    Column("overlap_t", Float),  # moment of the first overlap
    Column("max_iou", Float, nullable=False),
    Column("min_distance_px", Float, nullable=False),  # between centres
    Column("min_distance_t", Float, nullable=False),
    Column("min_gap_px", Float, nullable=False),  # between box edges, 0 when they touch
    PrimaryKeyConstraint("first_id", "second_id"),
    sqlite_with_rowid=False,
)

Index("ix_pairs_second", PAIRS.c.second_id)
Index("ix_pairs_video", PAIRS.c.video_id, PAIRS.c.first_category, PAIRS.c.second_category)
Index("ix_pairs_categories", PAIRS.c.first_category, PAIRS.c.second_category)

# Most tracklets of a category on one frame; category NULL-free: "" stands for any category.
PEAKS = Table(
    "base_peaks",
    METADATA,
    _video(),
    Column("category", Text, nullable=False),
    Column("n_tracklets", Integer, nullable=False),
    Column("peak", Integer, nullable=False),
    Column("peak_t", Float, nullable=False),
    PrimaryKeyConstraint("video_id", "category"),
    sqlite_with_rowid=False,
)

ATTRIBUTES = Table(
    "base_attributes",
    METADATA,
    Column("id", Integer, primary_key=True),
    _video(),
    _tracklet(nullable=True),  # NULL: the attribute is of the whole video or of a stretch of it
    Column("name", Text, nullable=False),  # color, upper_color, lower_color, tag, caption, action, motion_caption, ...
    Column("value", Text, nullable=False),
    Column("score", Float, nullable=False),
    Column("start_s", Float),
    Column("end_s", Float),
    Column("annotator", Text, nullable=False),
)
Index("ix_attributes_tracklet", ATTRIBUTES.c.tracklet_id, ATTRIBUTES.c.name)
Index("ix_attributes_value", ATTRIBUTES.c.name, ATTRIBUTES.c.value, ATTRIBUTES.c.video_id, ATTRIBUTES.c.tracklet_id)
Index("ix_attributes_video", ATTRIBUTES.c.video_id)

# One authenticity judge a video: another one that looks later takes its place, with everything it said.
JUDGES = Table(
    "base_judges",
    METADATA,
    Column("video_id", Integer, ForeignKey("base_videos.id", ondelete="CASCADE"), primary_key=True),
    Column("judge", Text, nullable=False),  # name@version
    Column("finder", Text),  # name@version of what found the faces
    Column("need", Text, nullable=False),  # face, crop
    Column("threshold", Float, nullable=False),
    Column("tested_on", Text, nullable=False),
)

# The moments of tracklets that a judge was to look at; where it could not, `probability` is NULL and `reason` says why.
JUDGEMENTS = Table(
    "base_judgements",
    METADATA,
    _video(),
    _tracklet(),
    Column("frame", Integer, nullable=False),
    Column("t", Float, nullable=False),
    Column("probability", Float),  # of a manipulation
    Column("reason", Text),
    *_box(),  # of the face or object that was judged; of the tracklet where nothing was
    Column("kind", Text),  # of manipulation, from judges that tell kinds apart
    Column("notes", Text),
    PrimaryKeyConstraint("tracklet_id", "t"),
    CheckConstraint("(probability IS NULL) <> (reason IS NULL)"),
    sqlite_with_rowid=False,
)
Index("ix_judgements_video", JUDGEMENTS.c.video_id)

SPEECH = Table(
    "base_speech",
    METADATA,
    Column("id", Integer, primary_key=True),
    _video(),
    Column("start_s", Float, nullable=False),
    Column("end_s", Float, nullable=False),
    Column("text", Text, nullable=False),
    Column("confidence", Float, nullable=False),
)
Index("ix_speech_video", SPEECH.c.video_id, SPEECH.c.start_s)

SCREEN_TEXT = Table(
    "base_screen_text",
    METADATA,
    Column("id", Integer, primary_key=True),
    _video(),
    _tracklet(nullable=True),  # the tracklet whose box holds the text, when one does
    Column("start_s", Float, nullable=False),
    Column("end_s", Float, nullable=False),
    Column("text", Text, nullable=False),
    Column("score", Float, nullable=False),
    *_box(),
)
Index("ix_screen_text_video", SCREEN_TEXT.c.video_id, SCREEN_TEXT.c.start_s)
Index("ix_screen_text_tracklet", SCREEN_TEXT.c.tracklet_id)

SOUNDS = Table(
    "base_sounds",
    METADATA,
    Column("id", Integer, primary_key=True),
    _video(),
    Column("start_s", Float, nullable=False),
    Column("end_s", Float, nullable=False),
    Column("label", Text, nullable=False),  # silence, quiet, sound, loud, speech; a SoundTagger adds its own
    Column("score", Float, nullable=False),
    Column("level_db", Float, nullable=False),
)
Index("ix_sounds_video", SOUNDS.c.video_id, SOUNDS.c.start_s)

# JPEG pictures kept from the one decode: `kind` crop (of a tracklet) or keyframe (whole frame). Crop annotators, the
# text reader, contact sheets and reports read these, so nothing is decoded twice.
PICTURES = Table(
    "base_pictures",
    METADATA,
    Column("id", Integer, primary_key=True),
    _video(),
    _tracklet(nullable=True),
    Column("kind", Text, CheckConstraint("kind IN ('crop','keyframe')"), nullable=False),
    Column("frame", Integer, nullable=False),
    Column("t", Float, nullable=False),
    *_box(),  # the box in the full frame
    Column("inner", Text),  # crop only: JSON [x1, y1, x2, y2] of the box inside the picture
    Column("quality", Float, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("jpeg", LargeBinary, nullable=False),
)
Index("ix_pictures_video", PICTURES.c.video_id, PICTURES.c.kind, PICTURES.c.t)
Index("ix_pictures_tracklet", PICTURES.c.tracklet_id)

# `space` names the model and version; vectors of different spaces are never compared.
EMBEDDINGS = Table(
    "base_embeddings",
    METADATA,
    Column("id", Integer, primary_key=True),
    _video(),
    _tracklet(nullable=True),
    Column("subject", Text, nullable=False),  # tracklet, tags, attribute, speech, screen_text, keyframe
    Column("subject_id", Integer, nullable=False),  # id in that table
    Column("space", Text, nullable=False),
    Column("vector", LargeBinary, nullable=False),  # float16, unit length
    UniqueConstraint("subject", "subject_id", "space"),
)
Index("ix_embeddings_space", EMBEDDINGS.c.space, EMBEDDINGS.c.subject)
Index("ix_embeddings_video", EMBEDDINGS.c.video_id)
Index("ix_embeddings_tracklet", EMBEDDINGS.c.tracklet_id)

# What was computed, so that a second run does only what is missing. One row per finished stage.
ANNOTATOR_RUNS = Table(
    "base_annotator_runs",
    METADATA,
    _video(),
    Column("annotator", Text, nullable=False),  # stage or annotator name
    Column("version", Text, nullable=False),
    Column("model", Text),  # name@version of the model used, when one was
    Column("role", Text),  # the role that model played
    Column("rows", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("finished_at", Text, nullable=False),
    PrimaryKeyConstraint("video_id", "annotator"),
    sqlite_with_rowid=False,
)

ANSWERS = Table(
    "base_answers",
    METADATA,
    Column("answer_id", Text, primary_key=True),
    Column("question", Text, nullable=False),
    Column("answer_json", Text, nullable=False),
    Column("created_at", Text, nullable=False),
)

# Which videos an answer cites, so that deleting a video deletes the answers about it.
ANSWER_VIDEOS = Table(
    "base_answer_videos",
    METADATA,
    Column("answer_id", Text, ForeignKey("base_answers.answer_id", ondelete="CASCADE"), nullable=False),
    _video(),
    PrimaryKeyConstraint("answer_id", "video_id"),
    sqlite_with_rowid=False,
)

Index("ix_answer_videos", ANSWER_VIDEOS.c.video_id)

# What a person changed by hand, newest last; `detail` is JSON and speaks of tracklet numbers.
EDITS = Table(
    "base_edits",
    METADATA,
    Column("id", Integer, primary_key=True),
    _video(),
    Column("kind", Text, nullable=False),  # merge, split, rename, relabel, delete
    Column("detail", Text, nullable=False),
    Column("created_at", Text, nullable=False),
)
Index("ix_edits_video", EDITS.c.video_id)

# Migrations that made this file what it is, and small facts about the file itself (the views it carries).
MIGRATIONS = Table(
    "base_migrations",
    METADATA,
    Column("version", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("applied_at", Text, nullable=False),
)
META = Table("base_meta", METADATA, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
