"""Tells what a tiny-world clip shows from its pixels alone: background, camera, things with shape, colour and motion.

    measure.py truth                        how often the measurement is right on drawn clips, in three styles
    measure.py clips PROMPTS FOLDER         the figures of clips made from a prompts file, one by one and by kind
"""

import argparse
import json
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

import draw
from world import COLOUR_RGB, COLOURS, OBJECTS, OTHER_FORMS, PART, WORLD, Part, Scene, Thing

# Colour of the frame's upper and lower edge.
EDGES = {
    "black": ((10, 10, 10), (10, 10, 10)), "white": ((245, 245, 245), (245, 245, 245)), "grass": ((108, 172, 240), (70, 145, 60)),
    "night": ((16, 20, 56), (30, 40, 96)), "sea": ((208, 227, 238), (32, 94, 160)), "desert": ((122, 184, 232), (206, 166, 102)),
    "snow": ((152, 160, 171), (244, 247, 251)), "sunset": ((98, 60, 126), (36, 26, 36)),
}
HORIZON = ("grass", "sea", "desert", "snow", "sunset")
GRID = 24


# ---- background ----

def background_of(clip):
    """Name of the background [T,H,W,3] by its upper and lower edge, or "?"."""
    band = max(1, clip.shape[1] // 20)
    top = np.median(clip[:, :band].reshape(-1, 3), 0)
    bottom = np.median(clip[:, -band:].reshape(-1, 3), 0)
    distance = {n: np.linalg.norm(np.concatenate([top - a, bottom - b])) for n, (a, b) in EDGES.items()}
    name = min(distance, key=distance.get)
    return name if distance[name] < 90 else "?"


def empty_scene(clip, name):
    """The picture without its things [T,H,1,3]: each row's usual colour; row by row and frame by frame where the horizon moves."""
    t, h, w, _ = clip.shape
    rows = clip.transpose(1, 0, 2, 3)
    still = np.median(rows.reshape(h, t * w, 3), 1)
    edge = max(1, w // 48)
    left, right = (np.median(part.reshape(h, t * edge, 3), 1) for part in (rows[:, :, :edge], rows[:, :, -edge:]))
    outer = (left + right) / 2
    # Both edges show the same, and it is not the usual colour: things take more than half of the row.
    covered = (np.linalg.norm(left - right, axis=-1, keepdims=True) < 20) & (np.linalg.norm(still - outer, axis=-1, keepdims=True) > 40)
    still = np.where(covered, outer, still)
    if name not in HORIZON:
        return np.broadcast_to(still[None, :, None], (t, h, 1, 3))
    rows = np.median(clip, 2)
    middle = (rows[:, 1] + rows[:, -2]) / 2
    axis = rows[:, -2] - rows[:, 1]
    below = ((rows - middle[:, None]) * axis[:, None]).sum(-1) > 0
    horizon = np.array([np.argmin([np.sum(b[:k]) + np.sum(~b[k:]) for k in range(h + 1)]) for b in below])
    if int(np.median(horizon[-3:])) == int(np.median(horizon[:3])):
        return np.broadcast_to(still[None, :, None], (t, h, 1, 3))
    side = max(2, w // 8)
    left, right = np.median(clip[:, :, :side], 2), np.median(clip[:, :, -side:], 2)
    nearer = np.linalg.norm(left - still, axis=-1) < np.linalg.norm(right - still, axis=-1)
    return np.where(nearer[..., None], left, right)[:, :, None]


# ---- things ----

def components(mask):
    """The connected parts of a mask [H,W], largest first."""
    left = mask.copy()
    parts = []
    while left.any():
        seed = np.zeros_like(left)
        seed.flat[np.argmax(left)] = True
        while True:
            wide = seed.copy()
            wide[1:] |= seed[:-1]
            wide[:-1] |= seed[1:]
            wide[:, 1:] |= wide[:, :-1]
            wide[:, :-1] |= wide[:, 1:]
            wide &= left
            if (wide == seed).all():
                break
            seed = wide
        left &= ~seed
        parts.append(seed)
    return sorted(parts, key=lambda p: -p.sum())


def shadows(clip, empty):
    """Where [T,H,W] a clip shows only its background, darkened."""
    share = clip / np.maximum(empty, 1)
    return (share.min(-1) > 0.7) & (share.max(-1) < 1) & (np.ptp(share, -1) < 0.08)


def things_of(clip, empty):
    """Tracks of the one or two things: a list of per-frame soft masks [T,H,W], largest first."""
    distance = np.linalg.norm(clip - empty, axis=-1)
    soft = np.where(shadows(clip, empty), 0, np.clip((distance - 16) / 40, 0, 1))
    least = max(6, 0.0035 * clip.shape[1] * clip.shape[2])
    frames = []
    for s in soft:
        parts = [p for p in components(s > 0.5) if p.sum() >= least]
        frames.append([p for p in parts if p.sum() >= 0.12 * parts[0].sum()][:2])
    counts = [len(f) for f in frames]
    number = 2 if np.mean([c == 2 for c in counts]) > 0.6 else 1 if np.mean([c > 0 for c in counts]) > 0.6 else 0
    if number == 0:
        return []
    tracks = [[] for _ in range(number)]
    last = None
    for s, parts in zip(soft, frames):
        if len(parts) < number:
            parts = parts + [np.zeros_like(s, bool)] * (number - len(parts))
        middles = [np.argwhere(p).mean(0) if p.any() else np.full(2, np.nan) for p in parts[:number]]
        if number == 2 and last is not None and not np.isnan(np.array(middles + last)).any():
            kept = sum(np.linalg.norm(a - b) for a, b in zip(middles, last))
            swapped = sum(np.linalg.norm(a - b) for a, b in zip(middles[::-1], last))
            if swapped < kept:
                parts, middles = parts[::-1], middles[::-1]
        last = middles
        for track, part in zip(tracks, parts):
            near = np.zeros_like(part)
            near[1:-1, 1:-1] = sum(np.roll(np.roll(part, i, 0), j, 1) for i in (-1, 0, 1) for j in (-1, 0, 1))[1:-1, 1:-1] > 0
            track.append(np.where(near | part, s, 0))
    return [np.stack(track) for track in tracks]


def path_of(masks):
    """Centres [T,2] (x, y) and areas [T] of a thing in shares of the short side; NaN where it is missing."""
    t, h, w = masks.shape
    short = min(h, w)
    total = masks.sum((1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        x = (masks.sum(1) * (np.arange(w) + 0.5)).sum(1) / total / short
        y = (masks.sum(2) * (np.arange(h) + 0.5)).sum(1) / total / short
    return np.stack([x, y], 1), total / short**2


def sample(image, x, y):
    """Bilinear values of an image [H,W] or [H,W,C] at pixel places; zero outside."""
    h, w = image.shape[:2]
    padded = np.pad(image, [(1, 2), (1, 2)] + [(0, 0)] * (image.ndim - 2))
    x, y = np.clip(x - 0.5, -1, w) + 1, np.clip(y - 0.5, -1, h) + 1
    i, j = y.astype(int), x.astype(int)
    fy, fx = y - i, x - j
    if image.ndim == 3:
        fy, fx = fy[..., None], fx[..., None]
    upper = padded[i, j] * (1 - fx) + padded[i, j + 1] * fx
    lower = padded[i + 1, j] * (1 - fx) + padded[i + 1, j + 1] * fx
    return upper * (1 - fy) + lower * fy


def normalised(mask):
    """A soft mask [H,W] brought to one place and size: unit-length vector over a GRID x GRID window, or None."""
    h, w = mask.shape
    total = mask.sum()
    if total < 4:
        return None
    x, y = np.arange(w) + 0.5, np.arange(h) + 0.5
    cx, cy = (mask.sum(0) * x).sum() / total, (mask.sum(1) * y).sum() / total
    spread = np.sqrt(((mask * ((x[None] - cx) ** 2 + (y[:, None] - cy) ** 2)).sum() / total))
    at = np.linspace(-2.1, 2.1, GRID) * spread
    vector = sample(mask, cx + at[None, :] + 0 * at[:, None], cy + at[:, None] + 0 * at[None, :]).ravel()
    return vector / (np.linalg.norm(vector) + 1e-9)


@cache
def templates(turned):
    """Normalised silhouettes [K,GRID*GRID] and their object numbers [K], at all turns or upright only; also without their details."""
    at = (np.arange(48, dtype=np.float32) + 0.5) / 24 - 1
    x, y = np.meshgrid(at * 1.3, at * 1.3)
    vectors, names = [], []
    for number, shape in enumerate(OBJECTS):
        mirrored = (1, -1) if shape in ("fish", "car", "boat", "moon") else (1,)
        for angle in np.radians(np.arange(0, 360, 10) if turned else [0]):
            u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
            for side in mirrored:
                whole = np.clip(0.5 - draw.silhouette(shape, side * u, v) * 8, 0, 1)
                forms = [whole]
                if shape != "ball":
                    for distance, _ in draw.details(shape, side * u, v):
                        forms.append(forms[0] * np.clip(0.5 + distance * 8, 0, 1))
                for form in forms:
                    for blur in (1, 3):
                        soft = form
                        for _ in range(blur):
                            soft = sum(np.roll(np.roll(soft, i, 0), j, 1) for i in (-1, 0, 1) for j in (-1, 0, 1)) / 9
                        vectors.append(normalised(soft))
                        names.append(number)
    return np.stack(vectors), np.array(names)


def shape_of(masks, turned):
    """Name of the object whose silhouette fits best over all frames."""
    bank, names = templates(turned)
    score = np.zeros(len(OBJECTS))
    for mask in masks:
        vector = normalised(mask)
        if vector is not None:
            similar = bank @ vector
            score += [similar[names == k].max() for k in range(len(OBJECTS))]
    return OBJECTS[int(np.argmax(score))]


def colour_of(clip, masks):
    """Name of the palette colour nearest to the thing's middle, shading allowed."""
    inner = masks > 0.95
    deep = inner.copy()
    for axis in (1, 2):
        deep &= np.roll(inner, 1, axis) & np.roll(inner, -1, axis)
    pixels = clip[deep] if deep.sum() > 3 * len(clip) else clip[inner] if inner.any() else clip[masks > 0.4]
    if len(pixels) == 0:
        return "?"
    votes = np.zeros(len(COLOURS))
    shades = np.linspace(0.62, 1.05, 12)
    palette = np.array(COLOUR_RGB, float)
    pixels = pixels[:: max(1, len(pixels) // 1500)].astype(float)
    away = np.linalg.norm(pixels[:, None, None] - palette[None, :, None] * shades[None, None, :, None], axis=-1).min(-1)
    near = away.argmin(1)
    votes = np.bincount(near, minlength=len(COLOURS))
    return COLOURS[int(votes.argmax())]


@cache
def outline(shape):
    """Area and circumference of a silhouette whose enclosing circle has radius 1."""
    at = np.linspace(-1.1, 1.1, 881, dtype=np.float32)
    distance, pixel = draw.silhouette(shape, *np.meshgrid(at, at)), (at[1] - at[0]) ** 2
    inner, outer = ((distance < edge).sum() * pixel for edge in (-0.01, 0.01))
    return (inner + outer) / 2, (outer - inner) / 0.02


def diameters_of(clip, empty, masks, shape):
    """Diameters [T] of the enclosing circle in shares of the short side, from the areas that a thing of that shape has; NaN where it is missing.

    A soft mask reaches beyond the edge by a distance that grows with how far the thing's colour is from the background's, and with how wide the edge is.
    """
    inside = masks > 0.95
    apart = max(56.0, float(np.median(np.linalg.norm(clip - empty, axis=-1)[inside]))) if inside.any() else 56.0
    total = masks.sum((1, 2))
    area, edge = outline(shape)
    rim = ((masks > 0.02) & (masks < 0.98)).sum((1, 2)) / np.maximum(edge * np.sqrt(total / area), 1)
    wide = np.clip(np.median(rim[total > 0]) * apart / 40, 1, 2) if total.any() else 1.0
    beyond = wide * (0.5 - 36 / apart)
    radius = (np.sqrt((edge * beyond) ** 2 + 4 * area * total) - edge * beyond) / (2 * area)
    return np.where(total > 0, 2 * radius, np.nan) / min(clip.shape[1:3])


def turning(clip, masks, zoom):
    """Degrees by which the thing turns over the clip, from the shifts of its picture around its middle."""
    short = min(clip.shape[1:3])
    centres, areas = path_of(masks)
    middle = 1.15 * short * np.sqrt(2 * np.nanmedian(areas / zoom**2) / np.pi)
    angles = np.radians(np.arange(0, 360, 5))
    rings = []
    for frame, mask, centre, radius in zip(clip.astype(float), masks, centres, middle * zoom):
        if np.isnan(centre).any():
            continue
        layers = np.concatenate([frame * mask[..., None], 160 * mask[..., None]], -1)
        values = [sample(layers, centre[0] * short + r * radius * np.cos(angles), centre[1] * short + r * radius * np.sin(angles)) for r in (0.35, 0.55, 0.75, 0.95)]
        ring = np.concatenate(values, -1)
        rings.append(ring - ring.mean(0))
    total, shifts = 0.0, np.arange(-7, 8)
    for a, b in zip(rings[:-1], rings[1:]):
        score = np.array([(np.roll(a, s, 0) * b).sum() for s in shifts])
        k = int(score.argmax())
        step = float(shifts[k])
        if 0 < k < len(shifts) - 1:
            bend = score[k - 1] - 2 * score[k] + score[k + 1]
            step += 0.5 * (score[k - 1] - score[k + 1]) / bend if bend else 0.0
        total += 5 * step
    return total


def swaps(values, span):
    """How often a path [T] goes from one end of its range to the other."""
    low, high = values.min(), values.max()
    state, count = 0, 0
    for v in (values - low) / max(high - low, span):
        now = 1 if v > 0.68 else -1 if v < 0.32 else state
        count += state * now < 0
        state = now
    return count


def motion_of(clip, masks, centres, diameters, zoom):
    """Name of the motion of a path, and its extent as EXTENT of draw.py counts it; `centres` and `diameters` are already freed of the camera's zoom [T] and shift."""
    good = ~np.isnan(centres).any(1) & (diameters > 0)
    if good.sum() < 0.6 * len(good):
        return "?", 0.0
    c, size = centres[good], diameters[good]
    c, raw = c.copy(), c
    zoomed = abs(np.log(zoom[-1])) > np.log(1.2)
    if len(c) > 4:
        c[1:-1] = np.median(np.stack([c[:-2], c[1:-1], c[2:]]), 0)
    span = np.ptp(c, 0)
    travel = c[-1] - c[0]
    growth = growth_of(size)
    across = int(np.abs(travel).argmax())
    along, aside = abs(travel[across]), abs(travel[1 - across])
    back = np.abs(np.diff(c[:, across])).sum() - along
    if along >= 0.24 and aside < 0.35 * along and back < 0.06:
        return (("left", "right"), ("up", "down"))[across][int(travel[across] > 0)], along
    angle = _circle(c)
    if angle >= 250 and min(span) > 0.16:
        return "circles", _circle(raw)
    if span[1] >= 0.16 and span[0] < 0.6 * span[1] and swaps(c[:, 1], 0.1) >= 2:
        return "bounces", np.ptp(raw[:, 1])
    if span[0] >= 0.2 and swaps(c[:, 0], 0.1) >= 2:
        return "swings", np.ptp(raw[:, 0])
    least = 1.85 if zoomed else 1.47
    if max(span) < 0.12 and growth > least:
        return "grows", growth
    if max(span) < 0.12 and growth < 1 / least:
        return "shrinks", 1 / growth
    if max(span) < 0.1 or max(span) < 0.66 * np.median(size):
        angle = abs(turning(clip, masks, zoom))
        if angle >= 110:
            return "spins", angle
        return "still" if max(span) < 0.1 else "?", 0.0
    return "?", 0.0


def growth_of(diameters):
    """Growth of a thing's area over the clip: the even rate that fits all its diameters best."""
    t = np.arange(len(diameters))
    return float(np.exp(2 * np.polyfit(t, np.log(diameters), 1)[0] * t[-1]))


def first_of(diameters):
    """The diameter in the first frame, estimated from the diameters in all frames."""
    good = diameters[diameters > 0]
    if len(good) < 4:
        return 0.0
    return float(np.median(good / growth_of(good) ** (np.arange(len(good)) / 2 / (len(good) - 1))))


def pace_of(motion, extent):
    """Where an extent lies in the range that the drawing uses for the motion: 0 for its lower end, 1 for its upper; "slowly" is the lower third."""
    low, high = draw.EXTENT.get(motion, (0.0, 0.0))
    return float((extent - low) / (high - low)) if high > low else 0.5


def _circle(c):
    """Degrees a path [T,2] goes around the centre of the circle that fits it best, 0 where none does."""
    left = np.column_stack([2 * c, np.ones(len(c))])
    solution, _, rank, _ = np.linalg.lstsq(left, (c**2).sum(1), rcond=None)
    if rank < 3:
        return 0.0
    radius = np.linalg.norm(c - solution[:2], axis=1)
    if radius.mean() < 0.09 or radius.std() > 0.25 * radius.mean():
        return 0.0
    turn = np.unwrap(np.arctan2(*(c - solution[:2]).T[::-1]))
    return float(np.degrees(abs(turn[-1] - turn[0])))


# ---- camera ----

CLEARLY = 0.05  # by which a move has to fit better than none
UNMOVED, SURE = 0.24, 0.8  # landmarks always so like those before them stand still, unless those moved are surely the same


def _likeness(a, b):
    return (a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-6)


def camera_of(clip, empty, tracks, name):
    """Name of the camera's move, its zoom factors [T] and shifts [T] in shares of the short side, from the landmarks."""
    t, h, w, _ = clip.shape
    still = "still", np.ones(t), np.zeros(t)
    if name in ("black", "white", "?") or t == 1:
        return still
    marks = (clip - empty).mean(-1)
    for masks in tracks:
        hidden = masks > 0.02
        for axis in (1, 2):
            hidden = hidden | np.roll(hidden, 2, axis) | np.roll(hidden, -2, axis)
        marks = np.where(hidden, 0, marks)
    marks = np.clip(marks, -60, 60)
    step = max(1, (t - 1) // 4)
    points = list(range(0, t, step))
    zooms, shifts, likeness = [1.0], [0.0], []
    y, x = np.mgrid[0:h, 0:w] + 0.5
    for a, b in zip(points[:-1], points[1:]):
        unmoved = _likeness(marks[a], marks[b])
        best, at = unmoved + CLEARLY, (1.0, 0.0)
        for zoom in np.exp(np.linspace(-0.15, 0.15, 17)):
            for shift in np.arange(-8, 9) * w / 64:
                if abs(np.log(zoom)) > 0.01 and abs(shift) > 1.5 * w / 64:
                    continue
                moved = sample(marks[a], (x - w / 2 - shift) / zoom + w / 2, (y - h / 2) / zoom + h / 2)
                score = _likeness(moved, marks[b])
                if score > best:
                    best, at = score, (zoom, shift)
        likeness.append((unmoved, best))
        zooms.append(zooms[-1] * at[0])
        shifts.append(shifts[-1] + at[1] / min(h, w))
    unmoved, best = np.transpose(likeness)
    if unmoved.min() > UNMOVED and best.mean() < SURE:
        return still
    zoom, shift = (np.interp(np.arange(t), points, v) for v in (zooms, shifts))
    if zoom[-1] > 1.2:
        return "zoom in", zoom, shift
    if zoom[-1] < 1 / 1.2:
        return "zoom out", zoom, shift
    if abs(shift[-1]) > 0.15:
        return "pan right" if shift[-1] < 0 else "pan left", np.ones(t), shift
    return still


# ---- everything ----

def flicker_of(clip, tracks):
    """Mean difference of consecutive frames where no thing is near, of 255."""
    near = np.zeros(clip.shape[:3], bool)
    for masks in tracks:
        near |= masks > 0.02
    for _ in range(4):
        for axis in (1, 2):
            near |= np.roll(near, 1, axis) | np.roll(near, -1, axis)
    free = ~(near[1:] | near[:-1])
    return float(np.abs(np.diff(clip, axis=0)).mean(-1)[free].mean()) if free.any() else 0.0


def measure(clip):
    """What a clip uint8 [T,H,W,3] shows: a dict with background, camera, things (shape, colour, motion), relation and flicker."""
    clip = clip.astype(np.float32)
    name = background_of(clip)
    empty = empty_scene(clip, name)
    tracks = things_of(clip, empty)
    camera, zoom, shift = camera_of(clip, empty, tracks, name)
    frame = np.array([clip.shape[2], clip.shape[1]]) / min(clip.shape[1:3])
    things, middles = [], []
    for masks in tracks:
        centres, _ = path_of(masks)
        world = (centres - frame / 2 - np.stack([shift, 0 * shift], 1)) / zoom[:, None] + frame / 2
        shape = shape_of(masks, False)
        diameters = diameters_of(clip, empty, masks, shape) / zoom
        motion, extent = motion_of(clip, masks, world, diameters, zoom)
        if motion in ("spins", "?"):
            shape = shape_of(masks, True)
            diameters = diameters_of(clip, empty, masks, shape) / zoom
        things.append({"shape": shape, "colour": colour_of(clip, masks), "motion": motion, "size": first_of(diameters), "pace": pace_of(motion, extent)})
        middles.append(np.nanmean(centres, 0))
    relation = ""
    if len(things) == 2:
        gap = middles[1] - middles[0]
        relation = ("left of" if gap[0] > 0 else "right of") if abs(gap[0]) > abs(gap[1]) else ("above" if gap[1] > 0 else "below")
    return {"background": name, "camera": camera, "things": things, "relation": relation, "flicker": flicker_of(clip, tracks)}


LEAST_RIGHT = 0.98  # share of drawn clips of which each attribute has to be measured right
OPPOSITE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above", "": ""}


# Diameters below which a thing is small and above which it is large, 0.015 and 0.025 beyond what is drawn; and how far beyond its third a slow or quick motion may go.
SMALL, LARGE, BEYOND = 0.205, 0.335, 0.10


def as_sized(wanted: Thing, seen) -> bool:
    """Whether a thing is small, or large, as was asked for."""
    return seen["size"] < SMALL if wanted.size == "small" else seen["size"] > LARGE


def as_fast(wanted: Thing, seen) -> bool:
    """Whether a thing moves as fast as was asked for."""
    return {"slowly": seen["pace"] < 1 / 3 + BEYOND, "quickly": seen["pace"] > 2 / 3 - BEYOND, "": True}[wanted.speed]


def compare(scene: Scene, seen) -> dict[str, bool]:
    """Which attributes of a scene a measurement confirms; attributes that the scene does not have are left out."""
    right = {"background": seen["background"] == scene.background, "camera": seen["camera"] == scene.camera}
    things = seen["things"]
    if len(scene.things) == 1:
        wanted = scene.things[0]
        first = things[0] if things else {"shape": "?", "colour": "?", "motion": "?"}
        right |= {"colour": first["colour"] == wanted.colour, "object": first["shape"] == wanted.shape, "motion": first["motion"] == wanted.motion}
        right["one thing"] = len(things) == 1
        if wanted.size:
            right["size"] = bool(things) and as_sized(wanted, first)
        if wanted.speed:
            right["speed"] = right["motion"] and as_fast(wanted, first)
        return right
    right["two things"] = len(things) == 2
    best = (-1, None)
    for order in ((0, 1), (1, 0)):
        if len(things) < 2:
            continue
        pairs = list(zip(scene.things, (things[i] for i in order)))
        checks = {
            "two colours": all(w.colour == s["colour"] for w, s in pairs), "two objects": all(w.shape == s["shape"] for w, s in pairs),
            "two motions": all(w.motion == s["motion"] for w, s in pairs),
        }
        if scene.relation:
            checks["relation"] = (seen["relation"] if order == (0, 1) else OPPOSITE[seen["relation"]]) == scene.relation
        matches = sum(w.colour == s["colour"] for w, s in pairs) + sum(w.shape == s["shape"] for w, s in pairs)
        best = max(best, (matches, checks), key=lambda item: item[0])
    checks = best[1] or {"two colours": False, "two objects": False, "two motions": False} | ({"relation": False} if scene.relation else {})
    return right | checks | {"both": right["two things"] and checks["two colours"] and checks["two objects"]}


def table(results):
    """Shares of right answers by attribute: {attribute: (right, asked)}."""
    sums = {}
    for right in results:
        for name, value in right.items():
            done = sums.setdefault(name, [0, 0])
            done[0] += bool(value)
            done[1] += 1
    return sums


def interval(right, asked):
    """The 95 % interval of a share (Wilson's), in percent."""
    share, z = right / asked, 1.96
    middle, half = share + z * z / (2 * asked), z * np.sqrt(share * (1 - share) / asked + (z / (2 * asked)) ** 2)
    return tuple(100 * float(x) / (1 + z * z / asked) for x in (middle - half, middle + half))


def show(title, sums):
    print(f"{title:24s}" + "  ".join(f"{n} {100 * a / b:.1f} % ({a}/{b})" for n, (a, b) in sums.items()), flush=True)


def truth(count, part: Part, seed=3):
    """Measures drawn clips of a part of the world in each style and prints how often the measurement is right; whether that is often enough."""
    enough = True
    for style in ("soft", "flat", "grain"):
        rng = np.random.default_rng(seed)
        results, wrong = [], []
        while len(results) < count:
            scene, clip, _ = draw.draw_one(rng, None, part, style)
            seen = measure(clip)
            results.append(compare(scene, seen))
            if not all(results[-1].values()):
                wrong.append((scene, seen))
        show(f"drawn, {style}", table(results))
        for scene, seen in wrong[:12]:
            print("   ", scene, "->", seen)
        enough = enough and all(right >= LEAST_RIGHT * asked for right, asked in table(results).values())
    return enough


def read_clip(path: Path):
    """Frames uint8 [T,H,W,3] of a folder of pictures, a NumPy file or a video."""
    if path.is_dir():
        from PIL import Image

        return np.stack([np.asarray(Image.open(p).convert("RGB")) for p in sorted(path.glob("*.png"))])
    if path.suffix == ".npy":
        return np.load(path)
    import imageio.v3 as iio

    return np.stack([frame[..., :3] for frame in iio.imiter(path)])


def scene_of(row) -> Scene:
    """The scene of one line of a prompts file."""
    return Scene([Thing(**thing) for thing in row["things"]], row["background"], row["camera"], row["relation"])


def measure_clips(prompts: Path, folder: Path, report: Path | None):
    """Measures FOLDER/0000*, 0001*... against the lines of a prompts file and prints the figures by kind."""
    rows = [json.loads(line) for line in prompts.read_text().splitlines()]
    results, by_kind = [], {}
    for i, row in enumerate(rows):
        paths = sorted(folder.glob(f"{i:04d}*"))
        if not paths:
            continue
        seen = measure(read_clip(paths[0]))
        right = compare(scene_of(row), seen)
        results.append({"prompt": row["prompt"], "kind": row["kind"], "seen": seen, "right": right})
        by_kind.setdefault(row["kind"], []).append(right)
    for kind, rights in sorted(by_kind.items()):
        show(f"kind {kind}, {len(rights)} clips", table(rights))
    show(f"all, {len(results)} clips", table([r["right"] for r in results]))
    if report:
        report.write_text("".join(json.dumps(r, default=bool) + "\n" for r in results))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    drawn = commands.add_parser("truth")
    drawn.add_argument("--count", type=int, default=200)
    drawn.add_argument("--whole", action="store_true", help="of the whole world in the usual form, instead of the part that the model is to follow in every form")
    made = commands.add_parser("clips")
    made.add_argument("prompts", type=Path)
    made.add_argument("folder", type=Path)
    made.add_argument("--report", type=Path)
    args = parser.parse_args()
    if args.command == "truth":
        part = replace(WORLD, two=0.25, camera=0.25, sized=0.3, speed=0.3) if args.whole else PART
        enough = [truth(args.count, part)]
        for width, height, frames in () if args.whole else OTHER_FORMS:
            print(f"{width}x{height}, {frames} frames:")
            enough.append(truth(args.count // 4, replace(part, width=width, height=height, frames=frames)))
        sys.exit(0 if all(enough) else f"the measurement is right on fewer than {LEAST_RIGHT:.0%}")
    else:
        measure_clips(args.prompts, args.folder, args.report)
