BEGIN TRANSACTION;
CREATE TABLE base_annotator_runs (
	video_id INTEGER NOT NULL, 
	annotator TEXT NOT NULL, 
	version TEXT NOT NULL, 
	model TEXT, 
	role TEXT, 
	rows INTEGER NOT NULL, 
	seconds FLOAT NOT NULL, 
	finished_at TEXT NOT NULL, 
	PRIMARY KEY (video_id, annotator), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "base_annotator_runs" VALUES(1,'annotator 1','version 1','model 1','role 1',1,0.25,'finished_at 1');
INSERT INTO "base_annotator_runs" VALUES(2,'annotator 2','version 2','model 2','role 2',2,0.5,'finished_at 2');
CREATE TABLE base_answer_videos (
	answer_id TEXT NOT NULL, 
	video_id INTEGER NOT NULL, 
	PRIMARY KEY (answer_id, video_id), 
	FOREIGN KEY(answer_id) REFERENCES base_answers (answer_id) ON DELETE CASCADE, 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "base_answer_videos" VALUES('1',1);
INSERT INTO "base_answer_videos" VALUES('2',2);
CREATE TABLE base_answers (
	answer_id TEXT NOT NULL, 
	question TEXT NOT NULL, 
	answer_json TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (answer_id)
);
INSERT INTO "base_answers" VALUES('1','question 1','answer_json 1','created_at 1');
INSERT INTO "base_answers" VALUES('2','question 2','answer_json 2','created_at 2');
CREATE TABLE base_attributes (
	id INTEGER NOT NULL, 
	video_id INTEGER NOT NULL, 
	tracklet_id INTEGER, 
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	score FLOAT NOT NULL, 
	start_s FLOAT, 
	end_s FLOAT, 
	annotator TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE, 
	FOREIGN KEY(tracklet_id) REFERENCES base_tracklets (id) ON DELETE CASCADE
);
INSERT INTO "base_attributes" VALUES(1,1,1,'name 1','value 1',0.25,0.25,0.25,'annotator 1');
INSERT INTO "base_attributes" VALUES(2,1,1,'name 2','value 2',0.5,0.5,0.5,'annotator 2');
CREATE TABLE base_boxes (
	tracklet_id INTEGER NOT NULL, 
	t FLOAT NOT NULL, 
	frame INTEGER NOT NULL, 
	x1 FLOAT NOT NULL, 
	y1 FLOAT NOT NULL, 
	x2 FLOAT NOT NULL, 
	y2 FLOAT NOT NULL, 
	score FLOAT NOT NULL, 
	detected INTEGER NOT NULL, 
	PRIMARY KEY (tracklet_id, t), 
	FOREIGN KEY(tracklet_id) REFERENCES base_tracklets (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "base_boxes" VALUES(1,0.25,1,0.25,0.25,0.25,0.25,0.25,1);
INSERT INTO "base_boxes" VALUES(2,0.5,2,0.5,0.5,0.5,0.5,0.5,2);
CREATE TABLE base_edits (
	id INTEGER NOT NULL, 
	video_id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE
);
INSERT INTO "base_edits" VALUES(1,1,'kind 1','detail 1','created_at 1');
INSERT INTO "base_edits" VALUES(2,1,'kind 2','detail 2','created_at 2');
CREATE TABLE base_embeddings (
	id INTEGER NOT NULL, 
	video_id INTEGER NOT NULL, 
	tracklet_id INTEGER, 
	subject TEXT NOT NULL, 
	subject_id INTEGER NOT NULL, 
	space TEXT NOT NULL, 
	vector BLOB NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (subject, subject_id, space), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE, 
	FOREIGN KEY(tracklet_id) REFERENCES base_tracklets (id) ON DELETE CASCADE
);
INSERT INTO "base_embeddings" VALUES(1,1,1,'subject 1',1,'space 1',X'013C');
INSERT INTO "base_embeddings" VALUES(2,1,1,'subject 2',2,'space 2',X'023C');
CREATE TABLE base_frames (
	video_id INTEGER NOT NULL, 
	t FLOAT NOT NULL, 
	frame INTEGER NOT NULL, 
	PRIMARY KEY (video_id, t), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "base_frames" VALUES(1,0.25,1);
INSERT INTO "base_frames" VALUES(2,0.5,2);
CREATE TABLE base_gaps (
	tracklet_id INTEGER NOT NULL, 
	start_s FLOAT NOT NULL, 
	end_s FLOAT NOT NULL, 
	kind TEXT NOT NULL, 
	probability FLOAT NOT NULL, 
	PRIMARY KEY (tracklet_id, start_s), 
	FOREIGN KEY(tracklet_id) REFERENCES base_tracklets (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "base_gaps" VALUES(1,0.25,0.25,'kind 1',0.25);
INSERT INTO "base_gaps" VALUES(2,0.5,0.5,'kind 2',0.5);
CREATE TABLE base_judgements (
	video_id INTEGER NOT NULL, 
	tracklet_id INTEGER NOT NULL, 
	frame INTEGER NOT NULL, 
	t FLOAT NOT NULL, 
	probability FLOAT, 
	reason TEXT, 
	x1 FLOAT NOT NULL, 
	y1 FLOAT NOT NULL, 
	x2 FLOAT NOT NULL, 
	y2 FLOAT NOT NULL, 
	kind TEXT, 
	notes TEXT, 
	PRIMARY KEY (tracklet_id, t), 
	CHECK ((probability IS NULL) <> (reason IS NULL)), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE, 
	FOREIGN KEY(tracklet_id) REFERENCES base_tracklets (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "base_judgements" VALUES(1,1,1,0.25,0.25,NULL,0.25,0.25,0.25,0.25,'kind 1','notes 1');
INSERT INTO "base_judgements" VALUES(1,2,2,0.5,NULL,'no face found',0.5,0.5,0.5,0.5,'kind 2','notes 2');
CREATE TABLE base_judges (
	video_id INTEGER NOT NULL, 
	judge TEXT NOT NULL, 
	finder TEXT, 
	need TEXT NOT NULL, 
	threshold FLOAT NOT NULL, 
	tested_on TEXT NOT NULL, 
	PRIMARY KEY (video_id), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE
);
INSERT INTO "base_judges" VALUES(1,'judge 1','finder 1','need 1',0.25,'tested_on 1');
INSERT INTO "base_judges" VALUES(2,'judge 2','finder 2','need 2',0.5,'tested_on 2');
CREATE TABLE base_links (
	first_id INTEGER NOT NULL, 
	second_id INTEGER NOT NULL, 
	probability FLOAT NOT NULL, 
	PRIMARY KEY (first_id, second_id), 
	FOREIGN KEY(first_id) REFERENCES base_tracklets (id) ON DELETE CASCADE, 
	FOREIGN KEY(second_id) REFERENCES base_tracklets (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "base_links" VALUES(1,1,0.25);
INSERT INTO "base_links" VALUES(2,2,0.5);
CREATE TABLE base_masks (
	tracklet_id INTEGER NOT NULL, 
	frame INTEGER NOT NULL, 
	t FLOAT NOT NULL, 
	area_px INTEGER NOT NULL, 
	rle BLOB NOT NULL, 
	PRIMARY KEY (tracklet_id, frame), 
	FOREIGN KEY(tracklet_id) REFERENCES base_tracklets (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "base_masks" VALUES(1,1,0.25,1,X'3031');
INSERT INTO "base_masks" VALUES(2,2,0.5,2,X'3031');
CREATE TABLE base_meta (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "base_meta" VALUES('views','414b16e90c101141ef020edfa49680cf3ab3b8d881d9c53f12421d5cffac77ab');
CREATE TABLE base_migrations (
	version INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	applied_at TEXT NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "base_migrations" VALUES(3,'made','2026-11-30T02:11:21+00:00');
CREATE TABLE base_pairs (
	first_id INTEGER NOT NULL, 
	second_id INTEGER NOT NULL, 
	video_id INTEGER NOT NULL, 
	first_number INTEGER NOT NULL, 
	second_number INTEGER NOT NULL, 
	first_category TEXT NOT NULL, 
	second_category TEXT NOT NULL, 
	together_s FLOAT NOT NULL, 
	first_t FLOAT NOT NULL, 
	last_t FLOAT NOT NULL, 
	overlap_s FLOAT NOT NULL, 
	overlap_t FLOAT, 
	max_iou FLOAT NOT NULL, 
	min_distance_px FLOAT NOT NULL, 
	min_distance_t FLOAT NOT NULL, 
	min_gap_px FLOAT NOT NULL, 
	PRIMARY KEY (first_id, second_id), 
	FOREIGN KEY(first_id) REFERENCES base_tracklets (id) ON DELETE CASCADE, 
	FOREIGN KEY(second_id) REFERENCES base_tracklets (id) ON DELETE CASCADE, 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "base_pairs" VALUES(1,1,1,1,1,'first_category 1','second_category 1',0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25);
INSERT INTO "base_pairs" VALUES(2,2,1,2,2,'first_category 2','second_category 2',0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5);
CREATE TABLE base_peaks (
	video_id INTEGER NOT NULL, 
	category TEXT NOT NULL, 
	n_tracklets INTEGER NOT NULL, 
	peak INTEGER NOT NULL, 
	peak_t FLOAT NOT NULL, 
	PRIMARY KEY (video_id, category), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "base_peaks" VALUES(1,'category 1',1,1,0.25);
INSERT INTO "base_peaks" VALUES(2,'category 2',2,2,0.5);
CREATE TABLE base_pictures (
	id INTEGER NOT NULL, 
	video_id INTEGER NOT NULL, 
	tracklet_id INTEGER, 
	kind TEXT NOT NULL CHECK (kind IN ('crop','keyframe')), 
	frame INTEGER NOT NULL, 
	t FLOAT NOT NULL, 
	x1 FLOAT NOT NULL, 
	y1 FLOAT NOT NULL, 
	x2 FLOAT NOT NULL, 
	y2 FLOAT NOT NULL, 
	"inner" TEXT, 
	quality FLOAT NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	jpeg BLOB NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE, 
	FOREIGN KEY(tracklet_id) REFERENCES base_tracklets (id) ON DELETE CASCADE
);
INSERT INTO "base_pictures" VALUES(1,1,1,'crop',1,0.25,0.25,0.25,0.25,0.25,'inner 1',0.25,1,1,X'013C');
INSERT INTO "base_pictures" VALUES(2,1,1,'keyframe',2,0.5,0.5,0.5,0.5,0.5,'inner 2',0.5,2,2,X'023C');
CREATE TABLE base_screen_text (
	id INTEGER NOT NULL, 
	video_id INTEGER NOT NULL, 
	tracklet_id INTEGER, 
	start_s FLOAT NOT NULL, 
	end_s FLOAT NOT NULL, 
	text TEXT NOT NULL, 
	score FLOAT NOT NULL, 
	x1 FLOAT NOT NULL, 
	y1 FLOAT NOT NULL, 
	x2 FLOAT NOT NULL, 
	y2 FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE, 
	FOREIGN KEY(tracklet_id) REFERENCES base_tracklets (id) ON DELETE CASCADE
);
INSERT INTO "base_screen_text" VALUES(1,1,1,0.25,0.25,'text 1',0.25,0.25,0.25,0.25,0.25);
INSERT INTO "base_screen_text" VALUES(2,1,1,0.5,0.5,'text 2',0.5,0.5,0.5,0.5,0.5);
CREATE TABLE base_shots (
	video_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	start_s FLOAT NOT NULL, 
	end_s FLOAT NOT NULL, 
	PRIMARY KEY (video_id, number), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "base_shots" VALUES(1,1,0.25,0.25);
INSERT INTO "base_shots" VALUES(2,2,0.5,0.5);
CREATE TABLE base_sounds (
	id INTEGER NOT NULL, 
	video_id INTEGER NOT NULL, 
	start_s FLOAT NOT NULL, 
	end_s FLOAT NOT NULL, 
	label TEXT NOT NULL, 
	score FLOAT NOT NULL, 
	level_db FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE
);
INSERT INTO "base_sounds" VALUES(1,1,0.25,0.25,'label 1',0.25,0.25);
INSERT INTO "base_sounds" VALUES(2,1,0.5,0.5,'label 2',0.5,0.5);
CREATE TABLE base_speech (
	id INTEGER NOT NULL, 
	video_id INTEGER NOT NULL, 
	start_s FLOAT NOT NULL, 
	end_s FLOAT NOT NULL, 
	text TEXT NOT NULL, 
	confidence FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE
);
INSERT INTO "base_speech" VALUES(1,1,0.25,0.25,'text 1',0.25);
INSERT INTO "base_speech" VALUES(2,1,0.5,0.5,'text 2',0.5);
CREATE TABLE base_tracklets (
	id INTEGER NOT NULL, 
	video_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	label TEXT, 
	category TEXT NOT NULL, 
	category_score FLOAT NOT NULL, 
	t_start FLOAT NOT NULL, 
	t_end FLOAT NOT NULL, 
	n_boxes INTEGER NOT NULL, 
	visible_s FLOAT NOT NULL, 
	n_gaps INTEGER NOT NULL, 
	identity FLOAT NOT NULL, 
	path_px FLOAT NOT NULL, 
	net_px FLOAT NOT NULL, 
	dx_px FLOAT NOT NULL, 
	dy_px FLOAT NOT NULL, 
	speed_px_s FLOAT NOT NULL, 
	speed_rel_s FLOAT NOT NULL, 
	direction TEXT NOT NULL, 
	stationary INTEGER NOT NULL, 
	enters_from TEXT, 
	leaves_to TEXT, 
	approach TEXT, 
	area_rel FLOAT NOT NULL, 
	size TEXT NOT NULL, 
	place TEXT NOT NULL, 
	best_t FLOAT, 
	color TEXT, 
	upper_color TEXT, 
	lower_color TEXT, 
	appearance TEXT, 
	motion TEXT, 
	PRIMARY KEY (id), 
	UNIQUE (video_id, number), 
	FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE
);
INSERT INTO "base_tracklets" VALUES(1,1,1,'label 1','category 1',0.25,0.25,0.25,1,0.25,1,0.25,0.25,0.25,0.25,0.25,0.25,0.25,'direction 1',1,'enters_from 1','leaves_to 1','approach 1',0.25,'size 1','place 1',0.25,'color 1','upper_color 1','lower_color 1','appearance 1','motion 1');
INSERT INTO "base_tracklets" VALUES(2,1,2,'label 2','category 2',0.5,0.5,0.5,2,0.5,2,0.5,0.5,0.5,0.5,0.5,0.5,0.5,'direction 2',2,'enters_from 2','leaves_to 2','approach 2',0.5,'size 2','place 2',0.5,'color 2','upper_color 2','lower_color 2','appearance 2','motion 2');
CREATE TABLE base_videos (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	path TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	source TEXT NOT NULL, 
	status TEXT NOT NULL CHECK (status IN ('ingesting','ready','partial')), 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	fps FLOAT, 
	n_frames INTEGER, 
	duration_s FLOAT, 
	decoded_until_s FLOAT, 
	has_audio INTEGER NOT NULL, 
	rotation_deg INTEGER NOT NULL, 
	codec TEXT, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name), 
	UNIQUE (sha256)
);
INSERT INTO "base_videos" VALUES(1,'name 1','path 1','sha256 1','source 1','ready',1,1,0.25,1,0.25,0.25,1,1,'codec 1','created_at 1');
INSERT INTO "base_videos" VALUES(2,'name 2','path 2','sha256 2','source 2','partial',2,2,0.5,2,0.5,0.5,2,2,'codec 2','created_at 2');
CREATE INDEX ix_tracklets_category ON base_tracklets (category, video_id, number, color, visible_s, speed_px_s, t_start, t_end);
CREATE INDEX ix_tracklets_span ON base_tracklets (video_id, t_start, t_end);
CREATE INDEX ix_speech_video ON base_speech (video_id, start_s);
CREATE INDEX ix_sounds_video ON base_sounds (video_id, start_s);
CREATE INDEX ix_answer_videos ON base_answer_videos (video_id);
CREATE INDEX ix_edits_video ON base_edits (video_id);
CREATE INDEX ix_links_second ON base_links (second_id);
CREATE INDEX ix_pairs_second ON base_pairs (second_id);
CREATE INDEX ix_pairs_categories ON base_pairs (first_category, second_category);
CREATE INDEX ix_pairs_video ON base_pairs (video_id, first_category, second_category);
CREATE INDEX ix_attributes_tracklet ON base_attributes (tracklet_id, name);
CREATE INDEX ix_attributes_value ON base_attributes (name, value, video_id, tracklet_id);
CREATE INDEX ix_attributes_video ON base_attributes (video_id);
CREATE INDEX ix_judgements_video ON base_judgements (video_id);
CREATE INDEX ix_screen_text_tracklet ON base_screen_text (tracklet_id);
CREATE INDEX ix_screen_text_video ON base_screen_text (video_id, start_s);
CREATE INDEX ix_pictures_video ON base_pictures (video_id, kind, t);
CREATE INDEX ix_pictures_tracklet ON base_pictures (tracklet_id);
CREATE INDEX ix_embeddings_space ON base_embeddings (space, subject);
CREATE INDEX ix_embeddings_video ON base_embeddings (video_id);
CREATE INDEX ix_embeddings_tracklet ON base_embeddings (tracklet_id);
CREATE VIEW videos AS SELECT
  v.id AS key,
  v.name AS name,
  v.path AS path,
  v.status AS status,
  v.width AS width,
  v.height AS height,
  v.fps AS fps,
  v.n_frames AS n_frames,
  v.duration_s AS duration,
  v.has_audio AS has_audio
FROM base_videos v WHERE v.status IN ('ready', 'partial');
CREATE VIEW shots AS SELECT
  v.name AS video,
  v.id AS video_key,
  s.number AS shot,
  s.start_s AS t_start,
  s.end_s AS t_end
FROM base_shots s JOIN base_videos v ON v.id = s.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW frames AS SELECT
  v.name AS video,
  v.id AS video_key,
  f.frame AS frame,
  f.t AS t
FROM base_frames f JOIN base_videos v ON v.id = f.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW tracklets AS SELECT
  k.id AS key,
  k.number AS id,
  v.name AS video,
  v.id AS video_key,
  k.label AS label,
  k.category AS category,
  k.category_score AS category_score,
  k.t_start AS t_start,
  k.t_end AS t_end,
  k.visible_s AS duration,
  k.n_boxes AS n_frames,
  k.n_gaps AS n_gaps,
  k.identity AS identity,
  k.path_px AS path_px,
  k.net_px AS net_px,
  k.dx_px AS dx_px,
  k.dy_px AS dy_px,
  k.speed_px_s AS speed,
  k.speed_rel_s AS speed_rel,
  k.direction AS direction,
  k.stationary AS stationary,
  k.enters_from AS enters_from,
  k.leaves_to AS leaves_to,
  k.approach AS approach,
  k.area_rel AS area_rel,
  k.size AS size,
  k.place AS place,
  k.best_t AS best_t,
  k.color AS color,
  k.upper_color AS upper_color,
  k.lower_color AS lower_color,
  k.appearance AS appearance,
  k.motion AS motion
FROM base_tracklets k JOIN base_videos v ON v.id = k.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW boxes AS SELECT
  k.id AS tracklet_key,
  k.number AS id,
  k.category AS category,
  v.name AS video,
  v.id AS video_key,
  b.frame AS frame,
  b.t AS t,
  b.x1 AS x1,
  b.y1 AS y1,
  b.x2 AS x2,
  b.y2 AS y2,
  b.score AS score,
  b.detected AS detected
FROM base_boxes b JOIN base_tracklets k ON k.id = b.tracklet_id JOIN base_videos v ON v.id = k.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW masks AS SELECT
  k.id AS tracklet_key,
  k.number AS id,
  k.category AS category,
  v.name AS video,
  v.id AS video_key,
  m.frame AS frame,
  m.t AS t,
  m.area_px AS area,
  v.height AS height,
  v.width AS width,
  cast(m.rle AS text) AS rle
FROM base_masks m JOIN base_tracklets k ON k.id = m.tracklet_id JOIN base_videos v ON v.id = k.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW gaps AS SELECT
  k.id AS tracklet_key,
  k.number AS id,
  k.category AS category,
  v.name AS video,
  v.id AS video_key,
  g.start_s AS t_start,
  g.end_s AS t_end,
  g.kind AS kind,
  g.probability AS probability
FROM base_gaps g JOIN base_tracklets k ON k.id = g.tracklet_id JOIN base_videos v ON v.id = k.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW links AS SELECT
  v.name AS video,
  v.id AS video_key,
  a.number AS first_id,
  k.number AS second_id,
  l.probability AS probability
FROM base_links l JOIN base_tracklets a ON a.id = l.first_id JOIN base_tracklets k ON k.id = l.second_id JOIN base_videos v ON v.id = a.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW pairs AS SELECT
  v.name AS video,
  v.id AS video_key,
  p.first_id AS first_key,
  p.second_id AS second_key,
  p.first_number AS first_id,
  p.second_number AS second_id,
  p.first_category AS first_category,
  p.second_category AS second_category,
  p.together_s AS together_s,
  p.first_t AS first_t,
  p.last_t AS last_t,
  p.overlap_s AS overlap_s,
  p.overlap_t AS overlap_t,
  p.max_iou AS max_iou,
  p.min_distance_px AS min_distance_px,
  p.min_distance_t AS min_distance_t,
  p.min_gap_px AS min_gap_px
FROM base_pairs p JOIN base_videos v ON v.id = p.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW peaks AS SELECT
  v.name AS video,
  v.id AS video_key,
  p.category AS category,
  p.n_tracklets AS n_tracklets,
  p.peak AS peak,
  p.peak_t AS peak_t
FROM base_peaks p JOIN base_videos v ON v.id = p.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW attributes AS SELECT
  k.id AS tracklet_key,
  k.number AS id,
  k.category AS category,
  v.name AS video,
  v.id AS video_key,
  a.name AS name,
  a.value AS value,
  a.score AS score,
  a.start_s AS t_start,
  a.end_s AS t_end,
  a.annotator AS annotator
FROM base_attributes a JOIN base_videos v ON v.id = a.video_id AND v.status IN ('ready', 'partial') LEFT JOIN base_tracklets k ON k.id = a.tracklet_id;
CREATE VIEW judges AS SELECT
  v.name AS video,
  v.id AS video_key,
  j.judge AS judge,
  j.finder AS finder,
  j.need AS need,
  j.threshold AS threshold,
  j.tested_on AS tested_on
FROM base_judges j JOIN base_videos v ON v.id = j.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW judgements AS SELECT
  k.id AS tracklet_key,
  k.number AS id,
  k.category AS category,
  v.name AS video,
  v.id AS video_key,
  g.frame AS frame,
  g.t AS t,
  g.probability AS probability,
  g.reason AS reason,
  g.x1 AS x1,
  g.y1 AS y1,
  g.x2 AS x2,
  g.y2 AS y2,
  g.kind AS kind,
  g.notes AS notes,
  j.judge AS judge,
  j.threshold AS threshold
FROM base_judgements g JOIN base_tracklets k ON k.id = g.tracklet_id JOIN base_judges j ON j.video_id = k.video_id JOIN base_videos v ON v.id = k.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW verdicts AS SELECT
  k.id AS tracklet_key,
  k.number AS id,
  k.category AS category,
  v.name AS video,
  v.id AS video_key,
  avg(g.probability) AS mean,
  max(g.probability) AS highest,
  avg(g.probability) >= j.threshold AS looks_manipulated,
  count(g.probability) AS n_judged,
  count(*) AS n_moments,
  min(g.reason) AS reason,
  j.judge AS judge,
  j.threshold AS threshold,
  j.tested_on AS tested_on
FROM base_tracklets k JOIN base_judges j ON j.video_id = k.video_id JOIN base_judgements g ON g.tracklet_id = k.id JOIN base_videos v ON v.id = k.video_id AND v.status IN ('ready', 'partial') GROUP BY k.id;
CREATE VIEW speech AS SELECT
  s.id AS key,
  v.name AS video,
  v.id AS video_key,
  s.start_s AS t_start,
  s.end_s AS t_end,
  s.text AS text,
  s.confidence AS confidence
FROM base_speech s JOIN base_videos v ON v.id = s.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW screen_text AS SELECT
  x.id AS key,
  k.id AS tracklet_key,
  k.number AS id,
  k.category AS category,
  v.name AS video,
  v.id AS video_key,
  x.start_s AS t_start,
  x.end_s AS t_end,
  x.text AS text,
  x.score AS score,
  x.x1 AS x1,
  x.y1 AS y1,
  x.x2 AS x2,
  x.y2 AS y2
FROM base_screen_text x JOIN base_videos v ON v.id = x.video_id AND v.status IN ('ready', 'partial') LEFT JOIN base_tracklets k ON k.id = x.tracklet_id;
CREATE VIEW sounds AS SELECT
  s.id AS key,
  v.name AS video,
  v.id AS video_key,
  s.start_s AS t_start,
  s.end_s AS t_end,
  s.label AS label,
  s.score AS score,
  s.level_db AS level_db
FROM base_sounds s JOIN base_videos v ON v.id = s.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW annotators AS SELECT
  v.name AS video,
  v.id AS video_key,
  r.annotator AS annotator,
  r.version AS version,
  r.role AS role,
  r.model AS model
FROM base_annotator_runs r JOIN base_videos v ON v.id = r.video_id AND v.status IN ('ready', 'partial');
CREATE VIEW tracklets_chat AS SELECT
  k.number AS id,
  k.category AS category,
  coalesce(k.appearance, k.color, '') AS appearance,
  coalesce(k.motion, k.direction) AS motion,
  (SELECT group_concat('at ' || round(b.t, 1) || ' seconds, (' || cast(round(b.x1) AS int) || ',' || cast(round(b.y1) AS int) || ',' || cast(round(b.x2) AS int) || ',' || cast(round(b.y2) AS int) || ')', '; ') FROM base_boxes b WHERE b.tracklet_id = k.id) AS trajectory,
  k.speed_px_s AS velocity
FROM base_tracklets k JOIN base_videos v ON v.id = k.video_id AND v.status IN ('ready', 'partial');
COMMIT;
