"""Runs the four published networks with the TFLite runtime, one picture at a time."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from swaps.engines.classical.types import Floats, ModelError

_MANIFEST = json.loads(Path(__file__).with_name("models.json").read_text(encoding="utf-8"))
_HASHES = {Path(name).name: digest for name, digest in _MANIFEST["files"].items()}


class Model:
    """One network: a picture (H×W×3 float32) in, its named outputs (float32) out.

    The file's hash is checked, since the runtime does not survive every damaged file. Raises
    ModelError.
    """

    def __init__(self, folder: Path, name: str, outputs: tuple[str, ...], threads: int) -> None:
        self._interpreter: Any = Interpreter(
            model_content=_read_checked(folder / f"{name}.tflite"), num_threads=threads
        )
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        indices = {d["name"]: d["index"] for d in self._interpreter.get_output_details()}
        self._outputs = [indices[output] for output in outputs]

    def __call__(self, picture: Floats) -> list[Floats]:
        self._interpreter.set_tensor(self._input, picture[None])
        self._interpreter.invoke()
        return [np.asarray(self._interpreter.get_tensor(i)[0], np.float32) for i in self._outputs]


def _read_checked(path: Path) -> bytes:
    """Return the model file's bytes; raises ModelError if it is missing or its hash is wrong."""
    advice = "Run `manage.py fetch_models` to get it."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"The model file {path} cannot be read. {advice}") from error
    if hashlib.sha256(content).hexdigest() != _HASHES[path.name]:
        raise ModelError(f"The model file {path} is damaged. {advice}")
    return content
