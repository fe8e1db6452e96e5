"""Writes `docs/reference/views.md` from the column dictionary of the package.

python docs/generate_views.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from onlooker.video.store.views import VIEWS, View

TARGET = Path(__file__).with_name("reference") / "views.md"
HEAD = """# Views

Written by `docs/generate_views.py`; change `src/onlooker/video/store/views.py` instead.

These are the tables that `onlooker sql`, the planners and language models may read, one statement at a time and read
only. They show finished videos. Times are seconds of the video's own clock; boxes are `x1, y1, x2, y2` in pixels of the
rotation-corrected frame, `x2` and `y2` exclusive. `video` is a video's name and `id` the number of a tracklet in its
video, which is what people say; `video_key`, `key` and `tracklet_key` are unique in the library: join by these.

```sql
-- the three longest visits of a red car
SELECT video, id, t_start, duration FROM tracklets
WHERE category = 'car' AND color = 'red' ORDER BY duration DESC LIMIT 3;

-- who is in the picture at second 12.5 of one video
SELECT b.id, b.category, b.x1, b.y1, b.x2, b.y2 FROM boxes b
WHERE b.video = 'clip.mp4'
  AND b.t = (SELECT f.t FROM frames f WHERE f.video = 'clip.mp4' ORDER BY abs(f.t - 12.5) LIMIT 1);
```
"""


def section(view: View) -> str:
    """One view as a heading and a table of its columns."""
    rows = "".join(f"| `{c.name}` | {c.kind} | {c.meaning} |\n" for c in view.columns)
    meaning = view.meaning[0].upper() + view.meaning[1:]
    return f"\n## {view.name}\n\n{meaning}.\n\n| column | unit or type | meaning |\n|---|---|---|\n{rows}"


def render() -> str:
    """The whole page."""
    return HEAD + "".join(section(view) for view in VIEWS)


def main() -> None:
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(render(), encoding="utf-8")
    sys.stderr.write(f"wrote {TARGET}\n")


if __name__ == "__main__":
    main()
