from collections.abc import Mapping
from pathlib import Path

import pytest

from onlooker.errors import ConfigError
from onlooker.video.masks.config import MaskConfig
from onlooker.video.wiring import ModelPool, RoleChoice, Settings, make_toolbox, parse_role_choice


def test_a_role_choice_keeps_types_of_its_options() -> None:
    role, choice = parse_role_choice("detector=rtdetr_v2:threshold=0.4,tiles=2,fast=true,weights=/data/a b")
    assert role == "detector"
    assert choice == RoleChoice("rtdetr_v2", {"threshold": 0.4, "tiles": 2, "fast": True, "weights": "/data/a b"})


@pytest.mark.parametrize("text", ["", "detector", "=x", "detector=", "detector=x:threshold"])
def test_a_malformed_role_choice_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match="expected"):
        parse_role_choice(text)


@pytest.mark.parametrize("rate", [0.0, -1.0, 1000.0, float("nan")])
def test_a_detector_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(ConfigError, match="detector_hz"):
        Settings(detector_hz=rate)


def test_a_slow_detector_rate_lowers_the_minimum_rate_with_it() -> None:
    sampling = ModelPool(Settings(detector_hz=0.5)).tracker_config().sampling
    assert (sampling.detector_hz, sampling.minimum_hz) == (0.5, 0.5)


def test_the_fingerprint_of_tracking_names_rate_and_models_without_building_any() -> None:
    default, slow = ModelPool(Settings()), ModelPool(Settings(detector_hz=1.0))
    assert default.tracker_fingerprint() != slow.tracker_fingerprint()
    assert not default._built
    assert not slow._built


def test_a_role_switched_off_is_empty_and_says_so() -> None:
    pool = ModelPool(Settings(roles={"tagger": RoleChoice("none")}))
    assert not pool.has("tagger")
    with pytest.raises(ConfigError, match="--set tagger=NAME"):
        pool.get("tagger", object)


def test_a_role_switched_off_that_an_ingest_needs_is_named() -> None:
    pool = ModelPool(Settings(roles={"detector": RoleChoice("none")}))
    with pytest.raises(ConfigError, match=r"no model fills the role `detector`.*--set detector=NAME"):
        make_toolbox(pool)


def test_one_model_in_two_roles_is_built_once_unless_its_options_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[tuple[str, str]] = []

    def create(role: str, name: str, options: Mapping[str, object]) -> object:
        built.append((role, name))
        return object()

    monkeypatch.setattr("onlooker.catalogue.create", create)
    both = {"appearance_embedder": RoleChoice("siglip2-base"), "text_embedder": RoleChoice("siglip2-base")}
    pool = ModelPool(Settings(roles=both))
    assert pool.get("appearance_embedder", object) is pool.get("text_embedder", object)
    assert built == [("appearance_embedder", "siglip2-base")]
    pool = ModelPool(Settings(roles=both | {"text_embedder": RoleChoice("siglip2-base", {"batch_size": 2})}))
    assert pool.get("appearance_embedder", object) is not pool.get("text_embedder", object)


def test_a_role_that_no_stage_asks_for_is_refused_instead_of_ignored() -> None:
    with pytest.raises(ConfigError, match="no stage of the application uses the role `language_model`"):
        ModelPool(Settings(roles={"language_model": RoleChoice("smollm2-135m")}))


def test_a_segmenter_adds_a_stage_keyed_by_its_weights_and_by_how_it_is_led(tmp_path: Path) -> None:
    assert make_toolbox(ModelPool(Settings())).masks is None
    (tmp_path / "model.safetensors").write_bytes(b"one")
    roles = {"segmenter": RoleChoice("isvos", {"weights": str(tmp_path)})}
    keys = [make_toolbox(ModelPool(Settings(roles=roles))).masks.spec.full_version]
    (tmp_path / "model.safetensors").write_bytes(b"two")
    for config in (MaskConfig(), MaskConfig(least_overlap=0.3)):
        pool = ModelPool(Settings(roles=roles, masks=config))
        tools = make_toolbox(pool)
        keys.append(tools.masks.spec.full_version)
        assert not pool._built
        colour = next(a.spec for a in tools.annotators if a.spec.name == "colour")
        assert colour.after == (tools.masks.spec,)
    assert len(set(keys)) == 3


def test_settings_of_masks_without_a_segmenter_are_refused_instead_of_ignored() -> None:
    with pytest.raises(ConfigError, match="--set segmenter=NAME"):
        ModelPool(Settings(masks=MaskConfig(max_objects=3)))
