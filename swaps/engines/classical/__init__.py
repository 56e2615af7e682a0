"""The classical face-swap engine: arrays in, arrays out. No Django, no network.

The only files it reads are its models.
"""

from swaps.engines.classical.engine import Engine
from swaps.engines.classical.types import DetectedFace, ModelError, NoFace, SameFace, SwapOutput

__all__ = ["DetectedFace", "Engine", "ModelError", "NoFace", "SameFace", "SwapOutput"]
