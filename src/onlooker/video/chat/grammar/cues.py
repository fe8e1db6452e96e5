"""Phrases that say what is asked, by a code that the rules know.

A phrase is words in base form; `a|b` are alternatives, `a?` may be left out. Phrases are separated by `;`. The longest
match wins, and one phrase may stand under several codes.
"""

from __future__ import annotations

from collections.abc import Mapping

from onlooker.video.chat.grammar.cues_asking import ASKING_CUES
from onlooker.video.chat.grammar.cues_objects import OBJECT_CUES
from onlooker.video.chat.grammar.cues_video import VIDEO_CUES

CUES: Mapping[str, str] = {**ASKING_CUES, **OBJECT_CUES, **VIDEO_CUES}
