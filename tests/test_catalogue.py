"""The catalogue is plain data that agrees with the classes it names."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from onlooker import catalogue
from onlooker.catalogue import PROFILES, ROLES, HubModel, RoleEntry, create, find_role_entry, role_entries
from onlooker.errors import ConfigError, MissingExtraError, UnknownNameError
from onlooker.video import protocols

PROTOCOLS = {
    "detector": protocols.Detector,
    "tracker": protocols.Tracker,
    "segmenter": protocols.Segmenter,
    "appearance_embedder": protocols.AppearanceEmbedder,
    "text_embedder": protocols.TextEmbedder,
    "tagger": protocols.Tagger,
    "captioner": protocols.Captioner,
    "action_recogniser": protocols.ActionRecogniser,
    "authenticity_judge": protocols.AuthenticityJudge,
    "face_finder": protocols.FaceFinder,
    "clip_captioner": protocols.ClipCaptioner,
    "transcriber": protocols.Transcriber,
    "sound_tagger": protocols.SoundTagger,
    "text_reader": protocols.TextReader,
    "language_model": protocols.LanguageModel,
}
ENTRIES = role_entries()


def factory_of(entry: RoleEntry) -> type:
    module, _, name = entry.factory.partition(":")
    return getattr(importlib.import_module(module), name)


def test_importing_the_catalogue_loads_no_model_library() -> None:
    script = (
        "import sys, onlooker.catalogue as c; c.role_entries(); c.profile('bundled'); "
        "heavy = ('torch', 'cv2', 'transformers', 'onnxruntime', 'timm', 'huggingface_hub'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_role_has_a_protocol_and_every_row_a_role() -> None:
    assert set(PROTOCOLS) == set(ROLES) == {entry.role for entry in ENTRIES}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e.role}-{e.name}")
def test_row_names_a_class_with_the_role_s_members_and_the_options_it_passes(entry: RoleEntry) -> None:
    found = factory_of(entry)
    members = {name for name in dir(PROTOCOLS[entry.role]) if not name.startswith("_")}
    assert members <= set(dir(found))
    parameters = inspect.signature(found).parameters
    assert set(entry.session_options) == {"device", "offline"} & set(parameters)
    assert {key for key, _ in entry.defaults} <= set(parameters)
    assert entry.note
    assert entry.weights_licence or not entry.weights


@pytest.mark.parametrize("profile", PROFILES)
def test_profiles_name_rows_that_exist(profile: str) -> None:
    for role, name in catalogue.profile(profile).items():
        assert find_role_entry(role, name).name == name


def test_bundled_profile_needs_no_network_and_no_extra() -> None:
    for role, name in catalogue.profile("bundled").items():
        entry = find_role_entry(role, name)
        assert entry.profile == "bundled"
        assert entry.extra is None
        assert not isinstance(entry.weights, HubModel)


@pytest.mark.models
@pytest.mark.parametrize("role", catalogue.profile("bundled"))
def test_row_and_model_agree_on_name_and_version(role: str) -> None:
    entry = find_role_entry(role, catalogue.profile("bundled")[role])
    model = create(role, entry.name, {})
    assert isinstance(model, protocols.Model)
    assert (model.name, model.version) == (entry.name, entry.version)
    assert isinstance(model, PROTOCOLS[role])


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean `detector`"):
        find_role_entry("detectr", "x")
    with pytest.raises(UnknownNameError, match="did you mean `rtdetr-v2-r18`"):
        find_role_entry("detector", "rtdetr_v2")
    with pytest.raises(UnknownNameError, match="did you mean `bundled`"):
        catalogue.profile("bundle")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quiet_dbb": -50.0}, "did you mean `quiet_db`"),
        ({"quiet_db": "low"}, "`quiet_db` must be float, got `'low'`"),
        ({"quiet_db": True}, "`quiet_db` must be float"),
    ],
)
def test_wrong_options_are_refused_by_name_and_type(options: dict[str, catalogue.Option], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create("sound_tagger", "sound-level", options)


def test_whole_numbers_serve_as_floats_and_options_reach_the_factory() -> None:
    create("sound_tagger", "sound-level", {"quiet_db": -50})
    with pytest.raises(ConfigError, match="levels rise"):
        create("sound_tagger", "sound-level", {"quiet_db": -10})


PLUGIN = """
class Loudest:
    name, version = "loudest", "2"
    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain
    def tag_sound(self, waveform):
        return []
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loud_plugin.py").write_text(PLUGIN)
    info = tmp_path / "loud_plugin-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud-plugin\nVersion: 2.0\nLicense: MIT\n")
    (info / "entry_points.txt").write_text(
        "[onlooker.roles]\nsound_tagger.loudest = loud_plugin:Loudest\n"
        "sound_tagger.sound-level = loud_plugin:Loudest\nsound_tagger.broken = loud_plugin:Absent\n"
        "sound_tagger.gone = no_such_module_here:X\nnonsense = loud_plugin:Loudest\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "loud_plugin", raising=False)


@pytest.mark.usefixtures("plugin")
def test_plugin_is_listed_unimported_and_built_with_checked_options() -> None:
    entry = find_role_entry("sound_tagger", "loudest")
    assert (entry.version, entry.profile, entry.code_licence) == ("2.0", "plugin", "MIT")
    assert "loud_plugin" not in sys.modules
    built = create("sound_tagger", "loudest", {"gain": 2})
    assert isinstance(built, protocols.SoundTagger)
    with pytest.raises(ConfigError, match="did you mean `gain`"):
        create("sound_tagger", "loudest", {"gian": 2.0})


@pytest.mark.usefixtures("plugin")
def test_plugin_cannot_replace_our_rows_and_bad_plugins_fail_alone() -> None:
    assert find_role_entry("sound_tagger", "sound-level").profile == "bundled"
    assert "nonsense" not in {entry.name for entry in role_entries()}
    with pytest.raises(ConfigError, match="has no `Absent`"):
        create("sound_tagger", "broken", {})
    with pytest.raises(MissingExtraError, match="reinstall the plugin"):
        create("sound_tagger", "gone", {})
