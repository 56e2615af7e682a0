"""The engine: swaps faces in arrays. It knows no Django, no files but its models, and nobody."""

from swaps.engines.classical.pipeline import Engine
from swaps.engines.classical.types import ModelError, NoFace, SwapOutput

__all__ = ["Engine", "ModelError", "NoFace", "SwapOutput"]
