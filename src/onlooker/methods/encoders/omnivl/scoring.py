"""Scores of trained models on held-out scenes: retrieval, zero-shot classes, captions, answers.

All are in percent but CIDEr-D. Models are used in evaluation mode by their callers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from onlooker.errors import ShapeError
from onlooker.evaluation.captions import bleu_percent, cider_d
from onlooker.evaluation.classification import top1_accuracy_percent
from onlooker.evaluation.retrieval import recall_both_ways_percent
from onlooker.methods.encoders.omnivl.answering import OmniVLAnswerer
from onlooker.methods.encoders.omnivl.captioning import OmniVLCaptioner
from onlooker.methods.encoders.omnivl.data import Kind, Sources
from onlooker.methods.encoders.omnivl.embedding import Towers, class_features
from onlooker.methods.encoders.omnivl.model import OmniVLPretrain
from onlooker.methods.encoders.omnivl.retrieval import rerank_texts, rerank_vision

View = Literal["as they are", "as frames", "as clips"]
"""How a model sees what it was not trained on: clips "as frames" (the mean of their features), pictures "as clips" of
one repeated frame."""

_AT_ONCE = 32
_YES_FROM = 3  # people who must have given an answer before it counts whole (VQA challenge)


@torch.no_grad()
def retrieval_scores(towers: Towers, sources: Sources, kind: Kind, view: View = "as they are") -> dict[str, float]:
    """Recall at 1, 5 and 10 by cosine: "forward" from text to picture or clip, "backward" the other way.

    Captions that are the same for several scenes are one text, right for all of them.
    """
    held_out = sources.test(kind)
    captions, relevant = _distinct(held_out.captions)
    vision = embed_held_out(towers, held_out.vision, view)
    texts = _embed_texts(towers, sources.ids(captions))
    return recall_both_ways_percent((texts @ vision.T).double().cpu().numpy(), relevant)


@torch.no_grad()
def reranked_scores(model: OmniVLPretrain, sources: Sources, kind: Kind, top_k: int) -> dict[str, float]:
    """As `retrieval_scores`, with the `top_k` nearest ranked again by the match logit, in both directions."""
    held_out = sources.test(kind)
    captions, relevant = _distinct(held_out.captions)
    device = model.temp.device
    ids = sources.ids(captions).to(device)
    tokens = torch.cat([model.visual_encoder(part.to(device)) for part in torch.split(held_out.vision, _AT_ONCE)])
    forward = rerank_vision(model, tokens, ids, min(top_k, len(tokens)))
    backward = rerank_texts(model, tokens, ids, min(top_k, len(ids)))
    there = recall_both_ways_percent(forward.double().cpu().numpy(), relevant)
    back = recall_both_ways_percent(backward.T.double().cpu().numpy(), relevant)
    ways = {name: there[name] if name.startswith("forward") else back[name] for name in there}
    return {f"reranked_{name}": score for name, score in ways.items()}


@torch.no_grad()
def zero_shot_top1(towers: Towers, sources: Sources, kind: Kind, view: View = "as they are") -> float:
    """Accuracy in percent of classes named by prompts alone."""
    held_out = sources.labelled_test(kind)
    logits = embed_held_out(towers, held_out.vision, view) @ class_vectors(towers, sources, kind).T
    return top1_accuracy_percent(logits.double().cpu().numpy(), held_out.classes.numpy())


def class_vectors(towers: Towers, sources: Sources, kind: Kind) -> Tensor:
    """(C, D) unit features of the classes of pictures or clips, from the prompts of each."""
    prompts = [sources.prompts(name, kind) for name in sources.class_names(kind)]
    numbers = torch.tensor([number for number, group in enumerate(prompts) for _ in group])
    ids = sources.ids([prompt for group in prompts for prompt in group])
    device = towers.vision_proj.weight.device
    return class_features(towers, ids.to(device), numbers.to(device))


@torch.no_grad()
def embed_held_out(towers: Towers, vision: Tensor, view: View) -> Tensor:
    """(N, D) unit features of pictures (N, 3, H, W) or clips (N, 3, T, H, W).

    Raises:
        ShapeError: pictures cannot be seen "as frames", nor clips "as clips".
    """
    if (view == "as frames" and vision.ndim != 5) or (view == "as clips" and vision.ndim != 4):
        raise ShapeError(f"clips can be seen `as frames` and pictures `as clips`, got {tuple(vision.shape)} `{view}`")
    device = towers.vision_proj.weight.device
    rows = []
    for part in torch.split(vision.to(device), _AT_ONCE):
        if view == "as clips":
            part = part.unsqueeze(2).expand(-1, -1, towers.config.visual.num_frames, -1, -1)
        if view == "as frames":
            frames = part.transpose(1, 2).flatten(0, 1)  # (n * T, 3, H, W)
            features = towers.embed_vision(frames).view(len(part), part.shape[2], -1).mean(1)  # (n, D)
            rows.append(functional.normalize(features, dim=-1))
        else:
            rows.append(towers.embed_vision(part))
    return torch.cat(rows)


@torch.no_grad()
def write_captions(model: OmniVLCaptioner, sources: Sources, kind: Kind) -> list[str]:
    """One caption per held-out scene, without the prompt."""
    prompt = sources.tokenizer.encode_prompt(model.config.generation.prompt).to(model.visual_encoder.cls_token.device)
    captions = []
    for part in torch.split(sources.test(kind).vision, _AT_ONCE):
        rows = model.generate(part.to(prompt.device), prompt)
        captions += [sources.tokenizer.decode(row[len(prompt) :]) for row in rows]
    return captions


def caption_scores(captions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """CIDEr-D and BLEU-4 of captions."""
    return {"cider_d": cider_d(captions, references), "bleu4_percent": bleu_percent(captions, references)}


@torch.no_grad()
def answer_scores(model: OmniVLAnswerer, sources: Sources, kind: Kind, answers: Sequence[str]) -> dict[str, float]:
    """Answers chosen from a list ("ranked") and written freely ("free"), by `vqa_accuracy_percent`.

    Args:
        model, sources, kind: see there.
        answers: the list.
    """
    held_out = sources.test(kind)
    device = model.visual_encoder.cls_token.device
    listed = sources.ids(answers).to(device)
    ranked: list[str] = []
    free: list[str] = []
    for start in range(0, len(held_out.vision), _AT_ONCE):
        vision = held_out.vision[start : start + _AT_ONCE].to(device)
        asked = sources.ids([q.text for q in held_out.questions[start : start + _AT_ONCE]]).to(device)
        ranking = model.rank(vision, asked, listed, min(128, len(answers)))  # k_test of the authors' files
        ranked += [answers[place] for place in ranking.best.tolist()]
        free += [sources.tokenizer.decode(row) for row in model.generate(vision, asked)]
    truths = [(question.answer,) * 10 for question in held_out.questions]  # ten people who agree
    return {
        "ranked_accuracy_percent": vqa_accuracy_percent(ranked, truths),
        "free_accuracy_percent": vqa_accuracy_percent(free, truths),
    }


def vqa_accuracy_percent(answers: Sequence[str], truths: Sequence[Sequence[str]]) -> float:
    """Mean of min(n / 3, 1), n the people who gave that answer, averaged over leaving each of them out (VQA challenge).

    Args:
        answers: one per question; case and outer blanks do not matter.
        truths: for each question what people answered, at least four of them.

    Raises:
        ShapeError: other numbers of either.
    """
    if len(answers) != len(truths) or not answers or min(map(len, truths)) <= _YES_FROM:
        raise ShapeError("every answer needs at least four of people to compare it with")
    scores = []
    for answer, given in zip(answers, truths, strict=True):
        same = [truth.strip().lower() == answer.strip().lower() for truth in given]
        left = [min((sum(same) - one) / _YES_FROM, 1.0) for one in same]
        scores.append(sum(left) / len(left))
    return 100.0 * sum(scores) / len(scores)


def _distinct(captions: Sequence[str]) -> tuple[list[str], np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """Distinct captions, and (Q, N) which scene each of them is of."""
    distinct = list(dict.fromkeys(captions))
    return distinct, np.array([[caption == query for caption in captions] for query in distinct])


def _embed_texts(towers: Towers, ids: Tensor) -> Tensor:
    device = towers.vision_proj.weight.device
    return torch.cat([towers.embed_text(part.to(device)) for part in torch.split(ids, _AT_ONCE)])
