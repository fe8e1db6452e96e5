"""What holds for any Perception Encoder, whatever its weights: sizes, layers, masks, rotations, truncation."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from onlooker import build
from onlooker.errors import ConfigError, ShapeError, WeightsError
from onlooker.methods.encoders.perception_encoder import CONFIGS, METHOD, PerceptionEncoder, PerceptionEncoderConfig
from onlooker.methods.encoders.perception_encoder.config import RELEASED, TextConfig, VisionConfig
from onlooker.methods.encoders.perception_encoder.rope import TurnTable, grid_angles, rotate
from onlooker.methods.encoders.perception_encoder.tokenizer import make_tokenizer
from onlooker.methods.encoders.perception_encoder.vision import AttentionPool
from onlooker.methods.encoders.perception_encoder.weights import from_timm, key_map
from onlooker.weights.load import load_state

TINY = CONFIGS["tiny"]


@pytest.fixture(scope="module")
def network() -> PerceptionEncoder:
    made = METHOD.create(TINY, 0).eval()
    assert isinstance(made, PerceptionEncoder)
    return made


def images(batch: int, height: int = 48, width: int = 48) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_angles_count_columns_first_and_leave_the_class_token_alone() -> None:
    angles = grid_angles(2, 3, 8, class_token=True, device=torch.device("cpu"))  # frequencies 1 and 1/100
    assert angles.shape == (7, 4)
    assert angles[0].tolist() == [0, 0, 0, 0]
    assert angles[6].tolist() == pytest.approx([3, 0.03, 2, 0.02]), "last patch: column 3, row 2, counted from 1"
    bare = grid_angles(2, 3, 8, class_token=False, device=torch.device("cpu"))
    assert bare[5].tolist() == pytest.approx([2, 0.02, 1, 0.01])


def test_a_quarter_turn_maps_a_pair_to_its_normal_and_keeps_lengths() -> None:
    quarter = torch.polar(torch.ones(2), torch.tensor([torch.pi / 2, 0.0]))
    turned = rotate(torch.tensor([[3.0, 4.0, 5.0, 6.0]]), quarter)
    assert turned.tolist() == [pytest.approx([-4, 3, 5, 6], abs=1e-6)]
    assert rotate(torch.ones(1, 4, dtype=torch.bfloat16), quarter).dtype == torch.bfloat16


def test_products_of_rotated_vectors_depend_on_the_distance_of_patches_alone() -> None:
    angles = grid_angles(4, 4, 8, class_token=False, device=torch.device("cpu"))
    q, k = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
    turns = torch.polar(torch.ones_like(angles), angles)
    near = [float(rotate(q, turns[a]) @ rotate(k, turns[b])) for a, b in ((0, 6), (5, 11), (9, 15))]  # down 1, right 2
    assert near == pytest.approx([near[0]] * 3, rel=1e-4)


def test_alternating_picture_sizes_do_not_meet_each_others_rotations(network: PerceptionEncoder) -> None:
    square, wide = images(1), images(1, 24, 80)
    with torch.no_grad():
        first, other = network.encode_image(square), network.encode_image(wide)
        assert network.encode_image(square).equal(first)
        assert copy.deepcopy(network).encode_image(wide).equal(other)


def test_rotations_made_in_inference_can_be_trained_through() -> None:
    network = METHOD.create(TINY, 0)
    with torch.inference_mode():
        network(images(1))
    network(images(1))["image_embed"].sum().backward()
    assert len(TurnTable(8, True)._kept) == 0, "a table belongs to its network"


def test_a_grid_of_the_native_size_is_what_resizing_to_it_would_give(network: PerceptionEncoder) -> None:
    vision = network.visual
    table = vision._positions_for(6, 6)
    assert table.equal(vision.positions)
    doubled = vision._positions_for(12, 6)
    assert doubled.shape == (1 + 72, 96)
    # Row 1 of twelve lies a quarter of the way from row 0 to row 1 of six.
    expected = 0.75 * vision.positions[1] + 0.25 * vision.positions[1 + 6]
    assert torch.allclose(doubled[1 + 6], expected, atol=1e-6)


def test_layers_are_counted_from_either_end_and_come_in_the_order_asked(network: PerceptionEncoder) -> None:
    with torch.no_grad():
        last, second, also_last = network.forward_layers(images(1), [-1, 1, 5])
        assert last.equal(also_last)
        assert not last.equal(second)
        assert network.forward_features(images(1), layer=1, strip_class_token=True).equal(second[:, 1:])
        normed = network.visual.ln_post(last)
        assert network.forward_features(images(1), norm=True).equal(normed)
        assert network.visual.pooled(normed).equal(network.encode_image(images(1)))
    for layer in (6, -7):
        with pytest.raises(ConfigError, match="6 blocks"):
            network.forward_features(images(1), layer=layer)


def test_truncation_keeps_what_the_layers_before_it_say(network: PerceptionEncoder) -> None:
    short = network.truncated(3)
    assert short.config.vision.depth == 4
    assert not short.training
    with torch.no_grad():
        assert short.forward_features(images(1)).equal(network.forward_features(images(1), layer=3))
    short.visual.patch_embed.weight.data.zero_()
    assert network.visual.patch_embed.weight.abs().max() > 0, "a copy"


def test_an_alignment_starts_from_core_weights_with_gains_added(network: PerceptionEncoder) -> None:
    vision = replace(
        TINY.vision, depth=5, layer_scale=0.1, drop_path=0.1, pool="none", embed_dim=None, final_norm=False
    )
    lang = network.derived(PerceptionEncoderConfig(vision))
    assert lang.visual.blocks[4].gain_2.tolist() == pytest.approx([0.1] * 96)
    assert lang.visual.blocks[4].mlp.fc1.weight.equal(network.visual.blocks[4].mlp.fc1.weight)
    assert lang(images(2))["tokens"].shape == (2, 37, 96)
    with pytest.raises(ConfigError, match="no counterpart"):
        network.derived(PerceptionEncoderConfig(replace(TINY.vision, depth=7), TINY.text))
    with pytest.raises(ConfigError, match="positions"):
        network.derived(PerceptionEncoderConfig(replace(TINY.vision, image_size=64), TINY.text))


def test_gains_of_one_equal_no_gains(network: PerceptionEncoder) -> None:
    scaled = network.derived(replace(TINY, vision=replace(TINY.vision, layer_scale=1.0)))
    with torch.no_grad():
        assert scaled.encode_image(images(1)).equal(network.encode_image(images(1)))


def test_drop_path_leaves_branches_out_in_training_only() -> None:
    config = replace(TINY, vision=replace(TINY.vision, drop_path=0.5))
    network = METHOD.create(config, 0)
    torch.manual_seed(0)
    batch = images(1).expand(4, -1, -1, -1)
    rows = network.train()(batch)["image_embed"]
    assert not rows[0].allclose(rows[1]), "samples lose branches independently"
    with torch.no_grad():
        assert network.eval()(batch)["image_embed"].std(0).max() < 1e-6


def test_hidden_patches_change_nothing_wherever_they_look_different(network: PerceptionEncoder) -> None:
    masked = torch.zeros(1, 36, dtype=torch.bool)
    masked[0, 7] = True  # second row, second column of 8 px patches
    other = images(1).clone()
    other[:, :, 8:16, 8:16] = 0.25
    value = torch.full((96,), 0.5)
    with torch.no_grad():
        assert not network.visual(images(1)).allclose(network.visual(other))
        assert network.visual(images(1), masked, value).allclose(network.visual(other, masked, value), atol=1e-6)
        assert not network.visual(other, masked).allclose(network.visual(other, masked, value))
    for wrong in (masked.float(), masked[:, :-1]):
        with pytest.raises(ShapeError, match="`masked` must be bool"):
            network.visual(images(1), wrong)


def test_without_rotations_and_table_the_order_of_patches_is_lost() -> None:
    for rope, table, same in ((False, False, True), (True, False, False), (False, True, False)):
        config = replace(TINY, vision=replace(TINY.vision, rope=rope, absolute_positions=table))
        network = METHOD.create(config, 0).eval()
        with torch.no_grad():
            straight = network(images(1))["image_embed"]
            swapped = network(torch.cat([images(1)[..., 8:], images(1)[..., :8]], dim=-1))["image_embed"]
        assert straight.allclose(swapped, atol=1e-5) == same


def test_attention_pooling_equals_multi_head_attention_with_its_matrices() -> None:
    torch.manual_seed(0)
    pool = AttentionPool(32, 4)
    for parameter in pool.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    reference = torch.nn.MultiheadAttention(32, 4, batch_first=True)
    reference.load_state_dict(
        {
            "in_proj_weight": pool.qkv.weight,
            "in_proj_bias": pool.qkv.bias,
            "out_proj.weight": pool.proj.weight,
            "out_proj.bias": pool.proj.bias,
        }
    )
    x = torch.randn(3, 10, 32)
    out = reference(pool.probe.expand(3, -1, -1), x, x, need_weights=False)[0]
    assert torch.allclose(pool(x), out + pool.mlp(pool.norm(out)), atol=1e-5)


def test_text_is_read_at_its_end_and_what_follows_is_not_seen(network: PerceptionEncoder) -> None:
    tokens = make_tokenizer(TINY.text)(["a red circle"])
    end = int(tokens.argmax())
    noise = tokens.clone()
    noise[0, end + 1 :] = 7
    with torch.no_grad():
        vector = network.encode_text(tokens)
        assert network.encode_text(noise).allclose(vector, atol=1e-6)
        assert network.encode_text(tokens[:, : end + 1]).allclose(vector, atol=1e-6)
        noise[0, end - 1] = 7
        assert not network.encode_text(noise).allclose(vector, atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 1, 48, 48), (1, 3, 50, 48), (1, 3, 48, 4), (3, 48, 48), (1, 3, 0, 48)])
def test_pictures_of_wrong_shape_are_refused(network: PerceptionEncoder, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"multiples of 8|pictures are float"):
        network.encode_image(torch.zeros(shape))


def test_other_wrong_inputs_say_what_is_wrong(network: PerceptionEncoder) -> None:
    with pytest.raises(ShapeError, match="normalised floats"):
        network.encode_image(torch.zeros(1, 3, 48, 48, dtype=torch.uint8))
    with pytest.raises(ShapeError, match="T >= 1"):
        network.encode_video(torch.zeros(1, 0, 3, 48, 48))
    with pytest.raises(ShapeError, match="at most 32 tokens"):
        network.encode_text(torch.zeros(1, 33, dtype=torch.int64))
    with pytest.raises(ShapeError, match="whole numbers"):
        network.encode_text(torch.zeros(1, 4))
    lang = PerceptionEncoder(PerceptionEncoderConfig(replace(TINY.vision, pool="none", embed_dim=None)))
    for call in (lambda: lang.encode_image(images(1)), lambda: lang.encode_text(torch.zeros(1, 4)), lang.scale):
        with pytest.raises(ConfigError, match="this configuration"):
            call()


def test_initial_spread_is_the_documented_one() -> None:
    text = TextConfig(64, 1, 4, 256, embed_dim=256, context_length=256, vocabulary=1000, tokenizer="bytes")
    vision = VisionConfig(64, 1, 4, 256, patch_size=8, image_size=160, embed_dim=256)
    network = METHOD.create(PerceptionEncoderConfig(vision, text), 0)
    spreads = {
        "text.positions": 0.01, "text.proj": 64**-0.5, "text.token_embedding.weight": 0.02,
        "visual.positions": 64**-0.5, "visual.proj": 64**-0.5,
    }  # fmt: skip
    for name, spread in spreads.items():
        assert float(network.get_parameter(name).detach().std()) == pytest.approx(spread, rel=0.03), name
    assert network.visual.blocks[0].attn.qkv.bias.abs().max() == 0
    assert float(network.scale().detach()) == pytest.approx(1 / 0.07)


def test_configurations_that_cannot_be_are_refused() -> None:
    for change in ({"heads": 5}, {"image_size": 50}, {"pool_heads": 7}, {"drop_path": 1.0}, {"depth": 0}):
        with pytest.raises(ConfigError):
            replace(TINY.vision, **change)
    with pytest.raises(ConfigError, match="one space"):
        replace(TINY, vision=replace(TINY.vision, embed_dim=32))
    assert set(RELEASED.values()) <= set(CONFIGS)


def official(network: PerceptionEncoder) -> dict[str, Tensor]:
    names = key_map(network.config)
    return {names.theirs(name)[0]: tensor for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize("prefix", ["", "module.", "visual.", "module.visual."])
def test_tokens_only_files_load_with_and_without_prefixes(prefix: str) -> None:
    vision = replace(TINY.vision, pool="none", embed_dim=None, final_norm=False, layer_scale=0.1)
    source, target = (METHOD.create(PerceptionEncoderConfig(vision), seed) for seed in (1, 2))
    state = {prefix + name: tensor for name, tensor in official(source).items()}
    load_state(target, state, key_map(target.config), "memory")
    assert all(tensor.equal(source.state_dict()[name]) for name, tensor in target.state_dict().items())


def test_official_pickles_load_from_their_wrappers_and_strictly(network: PerceptionEncoder, tmp_path) -> None:
    for wrapper in ("state_dict", "weights"):
        torch.save({wrapper: {f"module.{k}": v for k, v in official(network).items()}}, tmp_path / "x.pt")
        loaded = build("perception_encoder", "tiny", tmp_path / "x.pt")
        assert loaded.state_dict()["visual.proj"].equal(network.state_dict()["visual.proj"])
    torch.save(official(network) | {"visual.extra": torch.zeros(1)}, tmp_path / "x.pt")
    with pytest.raises(WeightsError, match="surplus"):
        build("perception_encoder", "tiny", tmp_path / "x.pt")


def test_a_projection_with_a_bias_is_not_taken_for_ours() -> None:
    with pytest.raises(WeightsError, match="not zero"):
        from_timm({"patch_embed.proj.weight": torch.zeros(1), "head.bias": torch.ones(2)})
    with pytest.raises(WeightsError, match="no name of timm"):
        from_timm({"patch_embed.proj.weight": torch.zeros(1), "reg_token": torch.ones(2)})
