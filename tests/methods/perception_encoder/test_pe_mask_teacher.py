"""SAM 2 as the teacher of borders, with a small model of random weights in transformers' own class."""

from __future__ import annotations

import pytest
import torch
from transformers import Sam2Config, Sam2Model

from onlooker.errors import ConfigError
from onlooker.methods.encoders.perception_encoder.mask_teacher import SamTeacher, point_grid


def small_model() -> Sam2Model:
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 8,
        "image_size": [64, 64],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 1, 2, 2],
        "global_attention_blocks": [3],
        "window_positional_embedding_background_size": [4, 4],
    }
    vision = {
        "backbone_config": backbone,
        "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        "fpn_hidden_size": 16,
    }
    torch.manual_seed(0)
    return Sam2Model(
        Sam2Config(
            vision_config=vision,
            prompt_encoder_config={"hidden_size": 16, "image_size": 64, "patch_size": 16},
            mask_decoder_config={"hidden_size": 16, "mlp_dim": 16, "num_attention_heads": 2, "iou_head_hidden_dim": 16},
        )
    ).eval()


def test_points_are_the_centres_of_equal_cells_row_by_row() -> None:
    assert point_grid(2, 64).tolist() == [[16, 16], [48, 16], [16, 48], [48, 48]]
    with pytest.raises(ConfigError, match="at least one point"):
        SamTeacher("somewhere", 0)


def test_every_point_has_its_own_map_as_the_model_gives_it_alone() -> None:
    model = small_model()
    images = torch.rand(2, 3, 48, 48) * 2 - 1
    maps = SamTeacher(model, points=3)(images)
    assert maps.shape[:2] == (2, 9)
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    pixels = torch.nn.functional.interpolate(((images + 1) / 2 - mean) / std, (64, 64), mode="bilinear", antialias=True)
    with torch.no_grad():
        alone = model(
            pixel_values=pixels[1:],
            input_points=point_grid(3, 64)[5].view(1, 1, 1, 2),
            input_labels=torch.ones(1, 1, 1, dtype=torch.int64),
            multimask_output=False,
        ).pred_masks[0, 0, 0]
    assert torch.allclose(maps[1, 5], alone, atol=1e-5)
    assert not torch.allclose(maps[1, 5], maps[1, 0])
