"""The network itself, and its export. Runs in the training's own venv (requirements.txt)."""

from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

SIDE = 192
CLASSES = 4


def build() -> Any:
    """Return the U-Net: colour (192×192×3) and maps (96×96×6) in, 192×192×4 logits out.

    Smaller squares do as well, if their sides are multiples of 32.
    """
    layers = tf.keras.layers
    colour = tf.keras.Input((None, None, 3), name="colour")
    maps = tf.keras.Input((None, None, 6), name="maps")

    def convolved(x: Any, count: int, stride: int = 1) -> Any:
        x = layers.Conv2D(count, 3, strides=stride, padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.97)(x))

    def joined(low: Any, high: Any) -> Any:
        return layers.Concatenate()([layers.UpSampling2D(2, interpolation="nearest")(low), high])

    x = layers.Conv2D(16, 2, strides=2)(colour)
    x = convolved(convolved(layers.Concatenate()([x, maps]), 16), 16)
    skips = []
    for count in (24, 40, 56, 64):
        skips.append(x)
        x = convolved(convolved(x, count, stride=2), count)
    for count in (56, 40, 24, 20):
        x = convolved(joined(x, skips.pop()), count)
    return tf.keras.Model([colour, maps], layers.Conv2DTranspose(CLASSES, 2, strides=2)(x))


def export(model: Any, path: Path) -> None:
    """Write the network with a softmax as a float16 TFLite file.

    The graph is frozen first: given a Keras 3 model itself, the converter silently drops weights.
    """
    colour = tf.TensorSpec((1, SIDE, SIDE, 3), name="colour")
    maps = tf.TensorSpec((1, SIDE // 2, SIDE // 2, 6), name="maps")
    answer = tf.function(lambda c, m: tf.nn.softmax(model([c, m], training=False)))
    frozen = convert_variables_to_constants_v2(answer.get_concrete_function(colour, maps))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    part = path.with_suffix(".part")
    part.write_bytes(converter.convert())
    part.replace(path)
