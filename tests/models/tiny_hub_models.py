"""Tiny random networks of the official classes, saved as the hub stores them: config, weights, processor, tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers as tf
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WORDS = ["a", "the", "red", "car", "dog", "person", "on", "street", "runs", "bus", "two", "words", "describe", "."]


def rtdetr_folder(path: Path) -> Path:
    torch.manual_seed(0)
    backbone = tf.RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = tf.RTDetrV2Config(
        backbone_config=backbone,
        encoder_hidden_dim=16, encoder_in_channels=[8, 16, 16], encoder_ffn_dim=16, encoder_attention_heads=2,
        decoder_in_channels=[16, 16, 16], d_model=16, num_queries=12, decoder_layers=2, decoder_ffn_dim=16,
        decoder_attention_heads=2, num_denoising=0, anchor_image_size=None,
        id2label={0: "person", 1: "aeroplane", 2: "dog"}, label2id={"person": 0, "aeroplane": 1, "dog": 2},
    )  # fmt: skip
    tf.RTDetrV2ForObjectDetection(config).save_pretrained(path)
    tf.RTDetrImageProcessor(size={"height": 64, "width": 64}).save_pretrained(path)
    return path


def sam2_folder(path: Path) -> Path:
    torch.manual_seed(0)
    backbone = tf.Sam2HieraDetConfig(
        hidden_size=8, image_size=[64, 64], blocks_per_stage=[1, 1, 2, 1], embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 1, 1], window_size_per_stage=[4, 4, 4, 2], global_attention_blocks=[3],
    )  # fmt: skip
    vision = tf.Sam2VisionConfig(
        backbone_config=backbone, backbone_channel_list=[64, 32, 16, 8], fpn_hidden_size=128,
        backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
    )  # fmt: skip
    config = tf.Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 128, "image_size": 64},
        mask_decoder_config={
            "hidden_size": 128, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 32,
        },
        image_size=64, memory_attention_hidden_size=128, memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=32, memory_attention_rope_feat_sizes=[4, 4],
        memory_encoder_hidden_size=128, memory_encoder_output_channels=64, mask_downsampler_embed_dim=128,
        memory_fuser_embed_dim=128, memory_fuser_intermediate_dim=32, num_maskmem=3, max_object_pointers_in_encoder=5,
    )  # fmt: skip
    network = tf.Sam2VideoModel(config)
    # A random network is as likely as not to say that there is no object, and then there is nothing to look at.
    torch.nn.init.constant_(network.mask_decoder.pred_obj_score_head.proj_out.bias, 9.0)
    network.save_pretrained(path)
    size = {"height": 64, "width": 64}
    processor = tf.Sam2VideoProcessor(tf.Sam2ImageProcessor(size=size), tf.Sam2VideoVideoProcessor(size=size))
    processor.save_pretrained(path)
    return path


def bert_tokenizer(path: Path) -> tf.BertTokenizer:
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (path / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    return tf.BertTokenizer(vocab={word: i for i, word in enumerate(vocabulary)}, do_lower_case=True)


def grounding_dino_folder(path: Path) -> Path:
    torch.manual_seed(0)
    path.mkdir(parents=True, exist_ok=True)
    tokenizer = bert_tokenizer(path)
    config = tf.GroundingDinoConfig(
        backbone_config=tf.SwinConfig(
            image_size=64, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1], window_size=4,
            out_features=["stage2", "stage3", "stage4"],
        ),
        text_config=tf.BertConfig(
            vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
        ),
        d_model=32, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=16, decoder_ffn_dim=16, num_queries=9, num_feature_levels=4, fusion_droppath=0.0,
        disable_custom_kernels=True,
    )  # fmt: skip
    tf.GroundingDinoForObjectDetection(config).save_pretrained(path)
    processor = tf.GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 96})
    tf.GroundingDinoProcessor(image_processor=processor, tokenizer=tokenizer).save_pretrained(path)
    return path


def siglip_folder(path: Path) -> Path:
    torch.manual_seed(0)
    path.mkdir(parents=True, exist_ok=True)
    tokenizer = bert_tokenizer(path)
    config = tf.SiglipConfig(
        text_config={
            "vocab_size": len(tokenizer), "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 16, "max_position_embeddings": 64, "projection_size": 16,
            "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0,
        },
        vision_config={
            "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
            "image_size": 32, "patch_size": 16,
        },
    )  # fmt: skip
    tf.SiglipModel(config).save_pretrained(path)
    tf.SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def ast_folder(path: Path) -> Path:
    torch.manual_seed(0)
    config = tf.ASTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, max_length=128,
        num_mel_bins=32, id2label={0: "Speech", 1: "Music"}, label2id={"Speech": 0, "Music": 1},
    )  # fmt: skip
    tf.ASTForAudioClassification(config).save_pretrained(path)
    tf.ASTFeatureExtractor(max_length=128, num_mel_bins=32).save_pretrained(path)
    return path


def _whisper_tokenizer(path: Path) -> tf.WhisperTokenizer:
    letters = pre_tokenizers.ByteLevel.alphabet()
    vocabulary = {letter: i for i, letter in enumerate(sorted(letters))}
    tokenizer = tf.WhisperTokenizer(vocab=vocabulary, merges=[], unk_token="<|endoftext|>")
    specials = [
        "<|endoftext|>",
        "<|startoftranscript|>",
        "<|en|>",
        "<|de|>",
        "<|translate|>",
        "<|transcribe|>",
        "<|notimestamps|>",
    ]
    tokenizer.add_special_tokens({"additional_special_tokens": specials[1:]})
    tokenizer.save_pretrained(path)
    return tokenizer


def whisper_folder(path: Path) -> Path:
    torch.manual_seed(0)
    path.mkdir(parents=True, exist_ok=True)
    tokenizer = _whisper_tokenizer(path)
    end, start, notimes = tokenizer.convert_tokens_to_ids(
        ["<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"]
    )
    config = tf.WhisperConfig(
        vocab_size=len(tokenizer), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_target_positions=64, num_mel_bins=80,
        bos_token_id=end, eos_token_id=end, pad_token_id=end, decoder_start_token_id=start,
        suppress_tokens=[], begin_suppress_tokens=[],
    )  # fmt: skip
    model = tf.WhisperForConditionalGeneration(config)
    language = {f"<|{code}|>": tokenizer.convert_tokens_to_ids(f"<|{code}|>") for code in ("en", "de")}
    task = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in ("transcribe", "translate")}
    model.generation_config = tf.GenerationConfig(
        bos_token_id=end, eos_token_id=end, pad_token_id=end, decoder_start_token_id=start, max_length=24,
        is_multilingual=True, lang_to_id=language, task_to_id=task, no_timestamps_token_id=notimes,
        suppress_tokens=[], begin_suppress_tokens=[],
    )  # fmt: skip
    model.save_pretrained(path)
    tf.WhisperProcessor(tf.WhisperFeatureExtractor(feature_size=80), tokenizer).save_pretrained(path)
    return path


def _word_tokenizer(extra: list[str]) -> tf.PreTrainedTokenizerFast:
    vocabulary = {word: i for i, word in enumerate(["<unk>", "<pad>", "<end>", *extra, *WORDS])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.normalizer = normalizers.Lowercase()
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing(single="$A", special_tokens=[])
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="<unk>", pad_token="<pad>", eos_token="<end>",
        additional_special_tokens=extra,
    )  # fmt: skip


def smolvlm_folder(path: Path) -> Path:
    torch.manual_seed(0)
    extra = ["<image>", "<fake_token_around_image>", "<global-img>", "<row_1_col_1>", "<end_of_utterance>"]
    tokenizer = _word_tokenizer(extra)
    tokenizer.image_token, tokenizer.fake_image_token = "<image>", "<fake_token_around_image>"
    tokenizer.global_image_token, tokenizer.end_of_utterance_token = "<global-img>", "<end_of_utterance>"
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in ("<image>", "<pad>", "<end>")}
    config = tf.SmolVLMConfig(
        image_token_id=ids["<image>"], pad_token_id=ids["<pad>"], scale_factor=2,
        vision_config={
            "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
            "image_size": 32, "patch_size": 8,
        },
        text_config={
            "model_type": "llama", "vocab_size": len(tokenizer), "hidden_size": 16, "num_hidden_layers": 1,
            "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 16, "pad_token_id": ids["<pad>"],
            "bos_token_id": ids["<end>"], "eos_token_id": ids["<end>"],
        },
    )  # fmt: skip
    tf.SmolVLMForConditionalGeneration(config).save_pretrained(path)
    template = (
        "{% for turn in messages %}{% for part in turn.content %}{% if part.type == 'image' %}<image>{% else %}"
        "{{ part.text }}{% endif %}{% endfor %}<end_of_utterance>{% endfor %}"
    )
    processor = tf.SmolVLMProcessor(
        tf.SmolVLMImageProcessor(
            size={"longest_edge": 32}, max_image_size={"longest_edge": 32}, do_image_splitting=False
        ),
        tokenizer,
        tf.SmolVLMVideoProcessor(size={"longest_edge": 32}, max_image_size={"longest_edge": 32}),
        image_seq_len=4,
        chat_template=template,
    )
    processor.save_pretrained(path)
    return path


def timm_folder(path: Path) -> Path:
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(0)
    path.mkdir(parents=True, exist_ok=True)
    arguments = {"embed_dim": 32, "depth": 1, "num_heads": 2, "num_classes": 12, "img_size": 32}
    network = timm.create_model("vit_pe_core_tiny_patch16_384", **arguments)
    save_file(network.state_dict(), path / "model.safetensors")
    config = {
        "architecture": "vit_pe_core_tiny_patch16_384",
        "num_classes": 12,
        "model_args": arguments,
        "pretrained_cfg": {
            "input_size": [3, 32, 32], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "interpolation": "bicubic",
            "crop_pct": 1.0, "num_classes": 12, "classifier": "head", "first_conv": "patch_embed.proj",
        },
    }  # fmt: skip
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return path
