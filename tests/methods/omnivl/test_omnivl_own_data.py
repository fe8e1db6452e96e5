"""Pictures and clips of one's own: what becomes a sample, what is held out, and that a run on a table serves."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onlooker.errors import ConfigError, FormatError
from onlooker.media.encode import VideoWriter
from onlooker.methods.encoders.omnivl.captioning import OmniVLCaptioner
from onlooker.methods.encoders.omnivl.config import CONFIGS, OmniVLConfig, TextConfig
from onlooker.methods.encoders.omnivl.data import SourcesConfig
from onlooker.methods.encoders.omnivl.embedding import OmniVLEmbedder
from onlooker.methods.encoders.omnivl.finetuning import CaptionTask, ClassifyTask, FinetuneOptions
from onlooker.methods.encoders.omnivl.infer import OmniVLDescriber
from onlooker.methods.encoders.omnivl.model import OmniVLPretrain
from onlooker.methods.encoders.omnivl.own_data import TableSources
from onlooker.methods.encoders.omnivl.pixels import images_to_batch
from onlooker.methods.encoders.omnivl.pretraining import ContrastOptions, ContrastTask
from onlooker.train import OptimiserConfig, TrainConfig, train

TINY = CONFIGS["tiny"]
SMALL = replace(
    TINY,
    embed_dim=16,
    visual=replace(TINY.visual, image_size=16, patch_size=8, width=32, depth=1, heads=2, num_frames=4),
    text=replace(TINY.text, width=32, layers=1, heads=2, ffn=64, vocab_size=64),
    contrast=replace(TINY.contrast, queue_size=16),
)
ALL = SourcesConfig(image_text=1, video_text=1, image_label=1, video_label=1, text_length=12, n_test=8, held_out=0.25)
TRAIN = TrainConfig(steps=4, batch_size=4, optimiser=OptimiserConfig("adamw", 1e-3), log_every=1)
COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220)}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures and four clips of each colour, captioned and labelled."""
    folder = tmp_path_factory.mktemp("own")
    rows = [["file", "text", "label"]]
    for name, colour in COLOURS.items():
        for number in range(4):
            Image.fromarray(np.full((24, 32, 3), colour, np.uint8)).save(folder / f"{name}{number}.png")
            with VideoWriter(folder / f"{name}{number}.mp4", (32, 24), crf=4, fps_hint=4) as writer:
                for t in range(8):
                    writer.write((np.full((24, 32, 3), colour) * (t + 1) / 8).astype(np.uint8), t / 4)
            rows.append([f"{name}{number}.png", f"A {name} card, number {number}.", name])
            rows.append([f"{name}{number}.mp4", f"{name} grows bright", f"{name} light"])
    with (folder / "all.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return folder / "all.csv"


def sources(table: Path, config: SourcesConfig = ALL, network: OmniVLConfig = SMALL) -> TableSources:
    return TableSources(replace(config, table=str(table)), network.visual, network.text)


def test_rows_become_the_four_kinds_of_samples(table: Path) -> None:
    own = sources(table)
    assert own.class_names("images") == ("blue", "red")
    assert own.class_ids("clips") == {"blue light": 3, "red light": 4}  # after those of pictures
    for kind in ("images", "clips"):
        captioned, labelled = own.captioned(kind), own.labelled(kind)  # type: ignore[arg-type]
        assert len(captioned) == len(labelled) == 6  # type: ignore[arg-type]
        assert {int(captioned[i]["target"]) for i in range(6)} == {0}
        texts = {own.tokenizer.decode(labelled[i]["text_ids"]) for i in range(6)}
        name = "red" if kind == "images" else "red light"
        assert texts & {name, f"a {'picture' if kind == 'images' else 'video'} of {name}"}
    picture = own.captioned("images")[0]
    assert own.tokenizer.decode(picture["text_ids"]).startswith("a ")
    assert "card , number" in own.tokenizer.decode(picture["text_ids"])
    red = np.full((24, 32, 3), COLOURS["red"], np.uint8)
    seen = [own.labelled("images")[i] for i in range(6)]
    one = next(sample for sample in seen if int(sample["target"]) == 2)
    assert one["vision"].allclose(images_to_batch([red], SMALL.visual)[0], atol=1e-5)


def test_a_clip_is_seen_over_its_whole_length(table: Path) -> None:
    clip = sources(table).captioned("clips")[0]["vision"]
    assert clip.shape == (3, 4, 16, 16)
    means = clip.mean(dim=(0, 2, 3))
    # Eight frames, brighter by an eighth each: the second, fourth, sixth and last are seen.
    steps = means.diff()
    assert (steps > 0).all()
    assert float(steps.max() / steps.min()) < 1.4


def test_what_is_held_out_is_seen_in_the_test_alone(table: Path) -> None:
    own = sources(table)
    held_out, classes = own.test("images"), own.labelled_test("images")
    assert len(held_out.vision) == len(held_out.captions) == len(classes.classes) == 2
    assert sorted(classes.classes.tolist()) == [0, 1]
    trained = {own.tokenizer.decode(own.captioned("images")[i]["text_ids"]) for i in range(6)}
    assert not trained & {own.tokenizer.decode(own.ids([text])[0]) for text in held_out.captions}
    assert held_out.references == tuple((text,) for text in held_out.captions)
    assert own.fingerprint() != sources(table, replace(ALL, seed=1)).fingerprint()


def test_a_small_vocabulary_holds_the_commonest_words_and_a_large_one_is_berts(table: Path) -> None:
    assert {"red", "light", "card", "grows"} <= set(sources(table).tokenizer.vocabulary)
    few = replace(SMALL, text=replace(SMALL.text, vocab_size=12))
    assert len(sources(table, network=few).tokenizer.vocabulary) == 10  # two more are [DEC] and [ENC]
    bert = TextConfig(width=32, layers=1, heads=2, ffn=64)
    assert len(sources(table, network=replace(SMALL, text=bert)).tokenizer.vocabulary) == 30522


def test_pretraining_on_a_table_serves_the_describer(table: Path, tmp_path: Path) -> None:
    from onlooker.train.recipe import load_recipe
    from onlooker.training import train_recipe

    counts = "".join(f"{name} = 1\n" for name in ("image_text", "video_text", "image_label", "video_label"))
    (tmp_path / "own.toml").write_text(
        'method = "omnivl"\nconfig = "tiny"\ntask = "pretrain"\n[model]\nembed_dim = 16\n'
        "[model.visual]\nimage_size = 16\npatch_size = 8\nwidth = 32\ndepth = 1\nheads = 2\n"
        "[model.text]\nwidth = 32\nlayers = 1\nheads = 2\nffn = 64\n[model.contrast]\nqueue_size = 16\n"
        f'[task_options.sources]\ntable = "{table}"\nheld_out = 0.25\ntext_length = 12\n{counts}'
        "[train]\nsteps = 4\nbatch_size = 4\n",
        encoding="utf-8",
    )
    result = train_recipe(load_recipe(str(tmp_path / "own.toml")), tmp_path / "run", device="cpu")
    assert {"images_zero_shot_top1_percent", "clips_forward_recall_at_1_percent"} <= set(result.metrics)
    assert "grows" in (tmp_path / "run" / "vocab.txt").read_text(encoding="utf-8").split()
    vectors = OmniVLDescriber(str(tmp_path / "run")).embed_texts(["a red card"])
    assert np.isfinite(vectors).all()


@pytest.mark.slow
def test_classes_and_captions_are_finetuned_on_a_table(table: Path) -> None:
    for kind in ("images", "clips"):
        options = FinetuneOptions(kind=kind, sources=replace(ALL, table=str(table)))  # type: ignore[arg-type]
        scores = train(ClassifyTask(OmniVLEmbedder(replace(SMALL, head="embed")), options), TRAIN, device="cpu").metrics
        assert scores["top1_percent"] in (0, 50, 100)
    captioner = OmniVLCaptioner(replace(SMALL, head="caption"))
    options = FinetuneOptions(kind="images", sources=replace(ALL, table=str(table)))
    assert "cider_d" in train(CaptionTask(captioner, options), TRAIN, device="cpu").metrics


def test_a_table_without_what_a_run_needs_is_refused_before_the_first_step(table: Path, tmp_path: Path) -> None:
    lines = [{"video": str(table.parent / f"red{n}.mp4"), "label": "red"} for n in range(4)]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    own = sources(tmp_path / "labels.jsonl")
    with pytest.raises(FormatError, match=r"no train rows that are images with `label`; .* `sources.image_label = 0`"):
        own.labelled("images")
    with pytest.raises(ConfigError, match="no questions"):
        own.questioned("clips")
    only = replace(ALL, image_text=0, image_label=0, table=str(tmp_path / "labels.jsonl"))
    with pytest.raises(FormatError, match="no test rows that are clips with `text`, by which the run is judged"):
        ContrastTask(OmniVLPretrain(SMALL), ContrastOptions(sources=only))
    stills = replace(SMALL, visual=replace(SMALL.visual, backbone="vit", num_frames=1, time_stride=1))
    with pytest.raises(ConfigError, match="takes clips"):
        sources(table, network=stills)
    with pytest.raises(FormatError, match="there is no table"):
        sources(tmp_path / "absent.csv")


def test_a_caption_source_without_labels_is_not_judged_by_classes(table: Path, tmp_path: Path) -> None:
    lines = [{"image": str(table.parent / f"red{n}.png"), "text": f"card {n}"} for n in range(4)]
    (tmp_path / "captions.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    only = replace(ALL, video_text=0, image_label=0, video_label=0, table=str(tmp_path / "captions.jsonl"))
    scores = train(ContrastTask(OmniVLPretrain(SMALL), ContrastOptions(sources=only)), TRAIN, device="cpu").metrics
    assert "images_zero_shot_top1_percent" not in scores
    assert scores["recall_at_1_percent"] >= 0
