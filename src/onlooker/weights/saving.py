"""Networks that are saved as their configuration and their tensors, and come back from a folder or the hub alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from huggingface_hub import PyTorchModelHubMixin, hf_hub_download
from safetensors.torch import save_model
from torch import nn

from onlooker.configs import config_from_dict, config_to_dict
from onlooker.errors import WeightsError
from onlooker.weights.files import read_tensors
from onlooker.weights.keys import KeyMap
from onlooker.weights.load import CONFIG_FILE, TENSOR_FILE, load_state

N = TypeVar("N", bound="SavedNetwork")


class SavedNetwork(nn.Module, PyTorchModelHubMixin):  # type: ignore[misc]
    """Base of every network whose constructor takes one configuration, `config`, and keeps it as `self.config`.

    The mixin alone keeps nested configurations as plain dictionaries and loads what fits; here `config.json` holds
    `{"config": {...}}`, which `onlooker.build(NAME, weights=FOLDER)` reads too, and the annotation of `config` in
    `__init__` says what is made of it.
    """

    config: Any

    def _save_pretrained(self, save_directory: Path) -> None:
        """The mixin's hook: what `save_pretrained` writes."""
        content = json.dumps({"config": config_to_dict(self.config)}, indent=1)
        (save_directory / CONFIG_FILE).write_text(content + "\n", encoding="utf-8")
        save_model(self, str(save_directory / TENSOR_FILE))

    @classmethod
    def _from_pretrained(
        cls: type[N],
        *,
        model_id: str,
        revision: str | None,
        cache_dir: str | Path | None,
        force_download: bool,
        local_files_only: bool,
        token: str | bool | None,
        config: Mapping[str, object] | None = None,
    ) -> N:
        """The mixin's hook: what `from_pretrained` does. `config` is the content of `config.json`, or an object of the
        right class that the caller passed; the others are the mixin's.

        Raises:
            WeightsError: there is no stored configuration, or the tensors do not fit it.
            UnknownNameError, ConfigError: the configuration is not of this class.
        """
        if config is None:
            raise WeightsError(f"`{model_id}` holds no `{CONFIG_FILE}` of ours; `onlooker.build` takes other layouts")
        kind = get_type_hints(cls.__init__)["config"]
        network = cls(config_from_dict(kind, config) if isinstance(config, Mapping) else config)
        file = Path(model_id) / TENSOR_FILE
        if not Path(model_id).is_dir():
            file = Path(
                hf_hub_download(
                    model_id,
                    TENSOR_FILE,
                    revision=revision,
                    cache_dir=cache_dir,
                    force_download=force_download,
                    local_files_only=local_files_only,
                    token=token,
                )
            )
        load_state(network, read_tensors(file), KeyMap({}), model_id)
        return network.eval()
