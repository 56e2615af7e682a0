"""Matches the warped face to the target's complexion and light.

Plain skin, its features filled in, is taken apart into what is broad (colour and light: the
target's) and four bands of lightness (the source's, but locally no stronger than in the target,
after Shih et al. 2014, "Style transfer for headshot portraits"). Features are put back as shares of
the skin around. All of it is worked out on the grid and comes down to one smooth factor for each
channel of f, by which the pixels are multiplied.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from swaps.engines.classical.accents import match_brows, match_lips, match_whites
from swaps.engines.classical.filters import blur, lab, mix, smooth
from swaps.engines.classical.layout import Layout
from swaps.engines.classical.light import (
    SideLight,
    blur_within,
    from_f,
    from_tint,
    to_f,
    to_tint,
)
from swaps.engines.classical.mesh import (
    LEFT_BROW,
    LEFT_EYE,
    LIPS,
    NOSE,
    RIGHT_BROW,
    RIGHT_EYE,
)
from swaps.engines.classical.types import Floats, Mask

_WIDE, _HUES, _RIM = 0.20, 0.08, 0.05  # of the face: blurs of light, of hues, and at the rim
_RIM_REACH = 0.01, 0.09  # of the face: inwards from where the source's face ends
_LASHES = 0.02  # of the face: around eyes and brows are lashes, shadows and single hairs
_FILL = 0.03  # of the face: blur of the skin that is put where features are
_BANDS = (0.018, 0.04, 0.085)  # of the face: the bands' edges; the last band is open
_MIN_GAIN, _MAX_GAIN = 0.40, 1.2  # of a band
_SLACK = 1.25  # a band may be stronger than the target's by this
_OUTLIER = 2.2  # deviations: what is beyond (highlights, cast shadows) is compressed
_TARGETS = np.array([0, 0, 0.1, 0.4])  # how much of what a band lacks is the target's own …
_TARGETS_HARD = np.array([0, 0.4, 0.9, 0.9])  # … and where hard light falls across it
_TRUST = 0.5  # in plain places of the source that look like no skin: shadows and highlights
_HUE_DETAIL = 0.6  # freckles and veins
_HUE_OUTLIER = 2.0  # deviations of the target's
_SHINE = 0.5  # of a highlight: dark skin shines, fair skin hardly does
_FOLDS = 0.35  # how much of the folds around the mouth is the target's when only one smiles
_KEEP_EYES, _KEEP_NOSE = 0.75, 0.65  # from being evened: there the likeness lies …
_HARD_KEEPS_LESS = 0.3  # … and shadows that do not belong here
_LIGHTEST = 0.05  # log f: what lids that shine on dark skin may be lighter than fair skin
_FEATURE_HUE = 0.05  # the strongest hue of what is no lip
_KNEE = 88.0  # L: highlights above are compressed so that they do not clip
_STRIP = 32  # rows recoloured at a time: they stay in the processor's cache


@dataclass(frozen=True, kw_only=True)
class FaceColours:
    """One face on the grid: CIE Lab (H×W×3), and H×W 0…1 where it is skin and where covered."""

    lab: Floats
    skin: Mask
    covered: Mask
    side: SideLight


@dataclass(frozen=True, kw_only=True)
class _Complexion:
    """One face on the grid; its side light is taken out of the tints (H×W×3)."""

    tint: Floats
    filled: Floats  # the same with skin instead of features
    weight: Mask
    base: Floats  # the filled tint, blurred wide
    side: SideLight


@dataclass(frozen=True, kw_only=True)
class _Gap:
    """How far apart tone and light of the two faces are."""

    brighter: float  # log f: the target's skin over the source's
    far: float  # 0.3…1: alike faces keep more of the source
    hard: float  # 0…1: how one-sided the target's light is


def match_tone(
    warped: Floats, source: FaceColours, target: FaceColours, seen: Mask, layout: Layout
) -> Floats:
    """Return the warped face (H×W×3 float32, 0…255) in the target's tone and light.

    ``source`` is the warped face on the grid, ``target`` is what is there in the target, and
    ``seen`` is 1 where the source's face will be seen: at its edges the colours meet.
    """
    core = layout.parts.core
    soft = _soft_features(layout)
    shown = np.maximum(source.skin, _TRUST * core) * (1 - source.covered)
    bare_target = target.skin * (1 - target.covered)
    own = _complexion(source, shown, layout, soft)
    other = _complexion(target, bare_target, layout, soft)
    gap = _measure_gap(own, other, core * bare_target, core)
    bare = _bare_skin(own, other, layout, soft, gap, seen=seen)

    # From fair to dark the contrast of brows and lashes stays as it was in lightness.
    features = (own.tint - own.filled) * soft[..., None]
    stronger = np.float32(np.clip(np.exp(-gap.brighter), 1.0, 2.0))
    features = _without_stains(features, layout, gap)
    features[..., 0] = np.where(features[..., 0] < 0, stronger * features[..., 0], features[..., 0])
    tint = bare + features
    _match_lips(tint, (own, shown), (other, bare_target), layout, gap)
    colours = from_tint(tint)
    solid = core > 0.5
    lightness = float(colours[..., 0][solid].mean()) if solid.any() else 60.0
    darker = bare[..., 0] - tint[..., 0]
    match_brows(colours, target.lab, darker, layout)
    match_whites(colours, source.lab, target.lab, layout, skin=lightness)
    gain = np.clip(to_f(colours) / to_f(source.lab), 0.27, 4.0)
    return _multiply(warped, layout.grid.upsample(blur(gain, 0.6)))


def _without_stains(features: Floats, layout: Layout, gap: _Gap) -> Floats:
    """Return features (tint) without shine and strong hues.

    Eyes keep them, and so do lips unless the source's skin is much darker than the target's.
    """
    grid, goal = layout.grid, layout.goal
    eyes = [grid.hull_mask(goal[ring], 0.008) for ring in (RIGHT_EYE, LEFT_EYE)]
    lips = grid.hull_mask(goal[LIPS], 0.008) * (1 - smooth(gap.brighter, 0.1, 0.4))
    free = np.maximum.reduce([*eyes, lips])
    calm = np.empty_like(features)
    lightest = _LIGHTEST + 0.15 * (1 - smooth(gap.brighter, 0.05, 0.3))
    calm[..., 0] = np.minimum(features[..., 0], lightest)
    calm[..., 1:] = _FEATURE_HUE * np.tanh(features[..., 1:] / _FEATURE_HUE)
    return mix(calm, features, np.asarray(free, np.float32))


def _complexion(colours: FaceColours, probability: Mask, layout: Layout, soft: Mask) -> _Complexion:
    parts, face = layout.parts, layout.grid.face
    tint = to_tint(colours.lab)
    tint[..., 0] -= colours.side.log_f
    little = np.float32(1e-3) * (parts.distance > 0)
    bare = parts.inner * (1 - parts.features)
    weight = bare * np.maximum(probability, np.float32(0.02)) + little
    keep = (1 - soft) * np.minimum(1.2 * weight, 1)
    filled = mix(blur_within(tint, weight, _FILL * face), tint, keep)
    base = blur_within(filled, weight, _WIDE * face)
    return _Complexion(tint=tint, filled=filled, weight=weight, base=base, side=colours.side)


def _measure_gap(own: _Complexion, other: _Complexion, plain: Mask, core: Mask) -> _Gap:
    weight = plain if plain.sum() >= 50 else core
    brighter = float(((other.base - own.base)[..., 0] * weight).sum() / weight.sum())
    far = max(
        float(smooth(abs(brighter), 0.06, 0.25)),
        float(smooth(own.side.contrast, 0.15, 0.40)),
        float(smooth(other.side.contrast, 0.20, 0.45)),
        0.3,
    )
    return _Gap(brighter=brighter, far=far, hard=float(smooth(other.side.contrast, 0.25, 0.7)))


def _bare_skin(
    own: _Complexion, other: _Complexion, layout: Layout, soft: Mask, gap: _Gap, *, seen: Mask
) -> Floats:
    """Return the tint of the result's skin without features."""
    face = layout.grid.face
    bare = np.empty_like(own.tint)
    bare[..., 0] = other.base[..., 0] + other.side.log_f + _relief(own, other, layout, soft, gap)
    hues = _HUES * face
    bare[..., 1:] = blur_within(other.filled[..., 1:], other.weight, hues)
    own_hues = blur_within(own.filled[..., 1:], own.weight, hues)
    detail = own.filled[..., 1:] - own_hues
    # No stronger than in the target: dark skin in blue light or under paint would leave stains.
    theirs = (other.filled[..., 1:] - bare[..., 1:]) ** 2 * other.weight[..., None]
    most = _HUE_OUTLIER * np.sqrt(theirs.sum((0, 1)) / (other.weight.sum() + 1e-3)) + 0.006
    bare[..., 1:] += _HUE_DETAIL * most * np.tanh(detail / most)
    # Finer at the edges, so that the colours meet where the blend is.
    lit = other.filled.copy()
    lit[..., 0] += other.side.log_f
    narrow, plain = _RIM * face, 1 - _soft_features(layout, _LASHES)
    seam = blur_within(lit, other.weight * plain + np.float32(1e-4), narrow)
    seam -= blur_within(bare, own.weight * plain + np.float32(1e-4), narrow)
    inside = cv2.distanceTransform(np.asarray(seen > 0.5, np.uint8), cv2.DIST_L2, 3)
    rim = 0.8 * (1 - smooth(np.asarray(inside), *(edge * face for edge in _RIM_REACH)))
    bare += seam * rim[..., None]
    return bare


def _relief(own: _Complexion, other: _Complexion, layout: Layout, soft: Mask, gap: _Gap) -> Floats:
    """Return the lightness (log f, H×W) of the source's skin, less its base, as in the target."""
    face, distance = layout.grid.face, layout.parts.distance
    keep = _likeness_mask(layout)
    keep *= 1 - _HARD_KEEPS_LESS * smooth(own.side.contrast, 0.15, 0.4)
    # A relief of dark skin is stronger in logarithms (it shines more); the reverse for fair skin.
    contrast = np.exp(-gap.brighter * (0.5 if gap.brighter > 0 else 0.75))
    inside = smooth(distance, 0, 0.05 * face)
    source = (own.filled - own.base)[..., 0] * (inside * np.clip(contrast, 0.6, 1.6))
    shine = 1 - _SHINE * smooth(gap.brighter, 0.1, 0.5)
    source = np.where(source > 0, shine * source, source)
    target = (other.filled - other.base)[..., 0] * inside
    of_own, of_other = (np.maximum(c.weight, 0.02) * (1 - soft) + 0.001 for c in (own, other))
    slack, least = _SLACK + 1 - gap.far, _MIN_GAIN + 0.4 * (1 - gap.far)
    shares = gap.far * (_TARGETS + gap.hard * (_TARGETS_HARD - _TARGETS))
    relief = np.zeros_like(source)
    folds = _folds_of_expression(layout, keep)
    of_target = folds * target
    for edge, share in zip((*_BANDS, None), shares, strict=True):
        band, targets = source, target
        if edge is not None:
            source, target = (blur(plane, edge * face) for plane in (source, target))
            band, targets = band - source, targets - target
        around = max(2 * (edge or 1.6 * _BANDS[-1]), 0.07) * face
        energy = np.sqrt(blur_within(band * band, of_own, around))
        wanted = np.sqrt(blur_within(targets * targets, of_other, around))
        gain = np.clip((slack * wanted + 0.006) / (energy + 0.004), least, _MAX_GAIN)
        # Nostrils are dark in any light.
        limit = (_OUTLIER * slack * wanted + 0.012) * (1 + np.where(band < 0, 3, 1) * keep)
        relief += limit * np.tanh((gain + (1 - gain) * keep) * band / limit)
        if share:
            lack = np.sqrt(np.clip(1 - (gain * energy / (wanted + 1e-3)) ** 2, 0, 1))
            most = 2.5 * wanted + 0.01
            relief += share * lack * np.clip(targets, -most, most)
    return np.asarray((1 - folds) * relief + of_target, np.float32)


def _folds_of_expression(layout: Layout, keep: Mask) -> Mask:
    """Return 0…1 around the mouth: folds of a smile belong to the mouth, which is the target's."""
    below_eyes = smooth(layout.maps.down, 0.02, 0.10) * (1 - np.minimum(keep / 0.4, 1))
    lips = layout.grid.hull_mask(layout.goal[LIPS], 0.015)
    much = _FOLDS * smooth(layout.smile_gap, 0.08, 0.25)
    return np.asarray(much * below_eyes * (1 - lips), np.float32)


def _likeness_mask(layout: Layout) -> Mask:
    """Return 0…1, high where the source's own relief shall stay."""
    grid, goal = layout.grid, layout.goal
    right, left = (
        grid.hull_mask(goal[ring], 0.02) for ring in (RIGHT_EYE + RIGHT_BROW, LEFT_EYE + LEFT_BROW)
    )
    eyes = _KEEP_EYES * np.maximum(right, left)
    return blur(np.maximum(eyes, _KEEP_NOSE * grid.hull_mask(goal[NOSE])), 0.02 * grid.face)


def _soft_features(layout: Layout, grow: float = 0.0) -> Mask:
    side = 3 + 2 * int(grow * layout.grid.face)
    grown = cv2.dilate(layout.parts.features, np.ones((side, side), np.uint8))
    return np.clip(blur(np.asarray(grown, np.float32), layout.grid.radius(0.008)), 0, 1)


def _match_lips(
    tint: Floats,
    source: tuple[_Complexion, Mask],
    target: tuple[_Complexion, Mask],
    layout: Layout,
    gap: _Gap,
) -> None:
    """Match lips as shares of the skin of cheeks and nose: below there may be a beard.

    With each complexion comes the probability of skin (H×W).
    """
    parts, face = layout.parts, layout.grid.face
    above = 1 - 0.9 * smooth(layout.maps.down, 0.12, 0.22)
    clear = parts.inner * (1 - parts.features) * above
    little = np.float32(1e-3) * (parts.distance > 0)
    skin, target_skin = (
        blur_within(
            one.filled,
            clear * np.maximum(probability, np.float32(0.02)) + little,
            _WIDE * face,
        )
        for one, probability in (source, target)
    )
    lit = target_skin.copy()
    lit[..., 0] += target[0].side.log_f
    far = float(smooth(abs(gap.brighter), 0.05, 0.3))
    match_lips(tint, source[0].tint - skin, target[0].tint - target_skin, lit, layout, far=far)


def _multiply(warped: Floats, gain: Floats) -> Floats:
    """Return ``warped`` (RGB, 0…255) with each channel of f times ``gain``."""
    matched = np.empty_like(warped)
    for top in range(0, len(warped), _STRIP):
        rows = slice(top, top + _STRIP)
        f = to_f(lab(warped[rows]))
        f *= gain[rows]
        colours = from_f(f)
        lightness = colours[..., 0]
        bright = lightness > _KNEE
        lightness[bright] = _KNEE + 11 * np.tanh((lightness[bright] - _KNEE) / 14)
        np.maximum(lightness, 0, out=lightness)
        back = np.asarray(cv2.cvtColor(colours, cv2.COLOR_LAB2RGB), np.float32)
        np.clip(back, 0, 1, out=back)
        np.multiply(back, np.float32(255), out=matched[rows])
    return matched
