"""Pictures and clips of one's own in place of the worlds: captioned, labelled or both, from a table.

The paper's data are mixtures of captioned and labelled pictures and clips; so is a table: a row with `text` is a
captioned sample, a row with `label` a labelled one, and a row may be both. Pictures are squashed to the square, clips
are seen evenly over their whole length by the true times of their frames. Nothing is varied: the authors' augmentation
is for millions of pictures (ours).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

from onlooker.errors import ConfigError, FormatError
from onlooker.methods.encoders.omnivl.config import TextConfig, VisualConfig
from onlooker.methods.encoders.omnivl.data import KINDS, HeldOut, Kind, Said, Sources, SourcesConfig, world_tokenizer
from onlooker.methods.encoders.omnivl.pixels import clip_to_batch, images_to_batch
from onlooker.methods.encoders.omnivl.tokenizer import OmniVLTokenizer, build_vocabulary, clean_caption, words_of
from onlooker.synth.datasets import Sample
from onlooker.train.footage import frames_at, length_s, picture_of
from onlooker.train.tables import Split, TableRow, class_names, fingerprint_rows, read_table, split_rows
from onlooker.train.task import SampleDataset

_NO_CLASSES = torch.zeros(0, dtype=torch.int64)


class TableSources(Sources):
    """The data of a run, from a table; the numbers of samples in the configuration only say what is left out.

    Args:
        config: with a `table`.
        visual: sizes of pictures and clips.
        text: of the network. A vocabulary of BERT's size is BERT's; a smaller one holds the commonest words of the
            training rows.

    Raises:
        FormatError: the table cannot be used, or names a class in the test alone.
        ConfigError: clips for a network without clips.
    """

    def __init__(self, config: SourcesConfig, visual: VisualConfig, text: TextConfig) -> None:
        if config.table is None:
            raise ConfigError("`sources.table` is missing: the path of a table of pictures and clips")
        self._splits = split_rows(read_table(config.table), config.held_out, config.seed)
        self._names = {kind: class_names(self._of_kind(kind)) for kind in KINDS}
        self._lengths_s: dict[TableRow, float] = {}
        self._labelled_tests: dict[Kind, HeldOut] = {}
        super().__init__(config, visual, self._make_tokenizer(text))

    def captioned(self, kind: Kind) -> SampleDataset:
        return TableSamples(self._rows("train", kind, "text"), lambda row: (self._caption_ids(row), 0), self._seen)

    def labelled(self, kind: Kind) -> SampleDataset:
        ids = self.class_ids(kind)
        rows = self._rows("train", kind, "label")

        def target(row: TableRow) -> tuple[Tensor, int]:
            prompts = self.prompts(row.label or "", kind)
            return self.ids([prompts[places[row] % len(prompts)]])[0], ids[row.label or ""]

        places = {row: place for place, row in enumerate(rows)}
        return TableSamples(rows, target, self._seen)

    def class_ids(self, kind: Kind) -> dict[str, int]:
        first = 1 if kind == "images" else 1 + len(self._names["images"])
        return {name: first + number for number, name in enumerate(self.class_names(kind))}

    def class_names(self, kind: Kind) -> tuple[str, ...]:
        """Labels of the training rows of that kind; empty where none is labelled."""
        return self._names[kind]

    def prompts(self, name: str, kind: Kind) -> tuple[str, ...]:
        return table_prompts(name, kind)

    def questioned(self, kind: Kind) -> SampleDataset:
        """Raises ConfigError: tables hold captions and labels."""
        raise ConfigError("a table holds captions and labels, no questions; train `vqa` on the worlds, without `table`")

    def test(self, kind: Kind) -> HeldOut:
        """Captioned rows of the test, at most `n_test`."""
        if kind not in self._tests:
            rows = self._rows("test", kind, "text")[: self.config.n_test]
            captions = tuple(clean_caption(row.text or "") for row in rows)
            vision = torch.stack([self._seen(row) for row in rows])
            self._tests[kind] = HeldOut(vision, captions, tuple((text,) for text in captions), (), _NO_CLASSES, ())
        return self._tests[kind]

    def labelled_test(self, kind: Kind) -> HeldOut:
        """Labelled rows of the test, at most `n_test`."""
        if kind not in self._labelled_tests:
            names = self.class_names(kind)
            rows = self._rows("test", kind, "label")[: self.config.n_test]
            vision = torch.stack([self._seen(row) for row in rows])
            classes = torch.tensor([names.index(row.label or "") for row in rows])
            self._labelled_tests[kind] = HeldOut(vision, (), (), (), classes, names)
        return self._labelled_tests[kind]

    def can_test(self, kind: Kind, what: Said) -> bool:
        return any(getattr(row, what) is not None for row in self._of_kind(kind)["test"])

    def fingerprint(self) -> str:
        parts = [f"{split} {len(rows)} rows {fingerprint_rows(rows)}" for split, rows in self._splits.items()]
        return f"a table: {'; '.join(parts)}; at {self.visual.image_size} px, {self.visual.num_frames} frames"

    def _rows(self, split: Split, kind: Kind, what: Said) -> tuple[TableRow, ...]:
        rows = tuple(row for row in self._of_kind(kind)[split] if getattr(row, what) is not None)
        if not rows:
            source = f"{'image' if kind == 'images' else 'video'}_{what}"
            raise FormatError(
                f"`{self.config.table}` has no {split} rows that are {kind} with `{what}`; "
                f"add some or, where the task does not need them, set `sources.{source} = 0`"
            )
        return rows

    def _of_kind(self, kind: Kind) -> Mapping[Split, Sequence[TableRow]]:
        wanted = kind == "images"
        return {split: [row for row in rows if row.is_picture is wanted] for split, rows in self._splits.items()}

    def _seen(self, row: TableRow) -> Tensor:
        """(3, H, W) of a picture, (3, T, H, W) of a clip."""
        if row.is_picture:
            return images_to_batch([picture_of(row)], self.visual)[0]
        if row not in self._lengths_s:
            self._lengths_s[row] = length_s(row)
        n_frames = self.visual.num_frames
        times = [self._lengths_s[row] * (place + 0.5) / n_frames for place in range(n_frames)]
        return clip_to_batch(frames_at(row, times), self.visual)[0]

    def _caption_ids(self, row: TableRow) -> Tensor:
        return self.ids([clean_caption(row.text or "")])[0]

    def _make_tokenizer(self, text: TextConfig) -> OmniVLTokenizer:
        if text.vocab_size == TextConfig().vocab_size:
            return world_tokenizer(text)
        said = [clean_caption(row.text) for row in self._splits["train"] if row.text is not None]
        said += [prompt for kind in KINDS for name in self._names[kind] for prompt in table_prompts(name, kind)]
        room = min(text.decode_id, text.encode_id) - len(build_vocabulary([]))
        common = Counter(word for one in said for word in words_of(one)).most_common(room)
        return OmniVLTokenizer(build_vocabulary(word for word, _ in common), text)


class TableSamples(Dataset[Sample]):
    """Rows as samples: `vision`, `text_ids` (L,) and `target` () as `Sources` has them; read anew every time.

    Args:
        rows: of one kind.
        said: row to its text's ids and its class's id, 0 for a caption.
        seen: row to pixels.
    """

    def __init__(
        self,
        rows: Sequence[TableRow],
        said: Callable[[TableRow], tuple[Tensor, int]],
        seen: Callable[[TableRow], Tensor],
    ) -> None:
        self._rows, self._said, self._seen = rows, said, seen

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self._rows):
            raise IndexError(f"sample {index} of {len(self._rows)}")
        row = self._rows[index]
        ids, target = self._said(row)
        return {"vision": self._seen(row), "text_ids": ids, "target": torch.tensor(target)}


def make_sources(config: SourcesConfig, visual: VisualConfig, text: TextConfig) -> Sources:
    """The table where the configuration names one, else the worlds; errors as either."""
    if config.table is not None:
        return TableSources(config, visual, text)
    return Sources(config, visual, world_tokenizer(text))


def check_test(sources: Sources, kind: Kind, what: Said) -> None:
    """Raises FormatError before a run that could not be judged at its end: nothing held out says `what`."""
    if not sources.can_test(kind, what):
        raise FormatError(
            f"`{sources.config.table}` has no test rows that are {kind} with `{what}`, by which the run is judged; "
            "add some"
        )


def table_prompts(name: str, kind: Kind) -> tuple[str, ...]:
    """A class's name in sentences that suit any name: "a video of riding a bike"."""
    return (f"a video of {name}", name) if kind == "clips" else (f"a picture of {name}", name)
