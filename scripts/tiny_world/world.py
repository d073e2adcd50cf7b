"""What the tiny world contains: its names, its held-out combinations and random scenes of it.

Lengths are shares of the frame's short side; x runs right, y runs down.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

OBJECTS = ("ball", "box", "triangle", "star", "heart", "ring", "diamond", "cross", "moon", "car", "boat", "fish", "rocket")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black")
COLOUR_RGB = (
    (220, 40, 40), (240, 140, 30), (245, 215, 50), (50, 170, 70), (50, 90, 220),
    (140, 70, 200), (245, 130, 180), (240, 240, 240), (25, 25, 25),
)
MOTIONS = ("left", "right", "up", "down", "bounces", "circles", "swings", "spins", "grows", "shrinks", "still")
BACKGROUNDS = ("black", "white", "grass", "night", "sea", "desert", "snow", "sunset")
CAMERAS = ("still", "zoom in", "zoom out", "pan left", "pan right")
RELATIONS = ("left of", "right of", "above", "below")
SIZES = {"": (0.20, 0.34), "small": (0.13, 0.19), "large": (0.36, 0.48)}
SMALLEST = 0.095

# (colour, background) pairs that could not be told apart.
UNSEEN = {
    ("white", "white"), ("white", "snow"), ("white", "sea"),
    ("black", "black"), ("black", "night"), ("black", "sunset"),
    ("green", "grass"), ("blue", "sea"),
    ("orange", "sunset"), ("purple", "sunset"), ("yellow", "sunset"),
}


@dataclass(frozen=True)
class Part:
    """What random scenes are drawn from, and the form of their clips. `two`, `camera`, `sized` and `speed` are shares of scenes."""

    objects: tuple[str, ...] = OBJECTS
    colours: tuple[str, ...] = COLOURS
    motions: tuple[str, ...] = MOTIONS
    backgrounds: tuple[str, ...] = BACKGROUNDS
    two: float = 0.08
    camera: float = 0.08
    sized: float = 0.16
    speed: float = 0.16
    least: float = SIZES[""][0]  # diameter of a thing without a size word; SIZES[""][1] at most
    height: int = 96
    width: int = 96
    frames: int = 17


WORLD = Part()
# The part that the bundled model is drawn for, and measured on.
BUNDLED = Part(
    objects=tuple(name for name in OBJECTS if name not in ("ring", "star")),
    motions=tuple(name for name in MOTIONS if name not in ("spins", "circles")),
    two=0.0, camera=0.0, sized=0.0, speed=0.0, least=0.26,
)
# All of the world, with more of what takes long to learn; things without a size word are in the upper part of their range, which keeps them apart from small ones.
WHOLE = replace(WORLD, two=0.2, camera=0.2, sized=0.2, speed=0.2, least=0.26)
PARTS = {"bundled": BUNDLED, "whole": WHOLE}
PART = PARTS[os.environ.get("TINY_WORLD_PART", "bundled")]
# Width, height and frames of the other clips that the transformer sees; the VAE, whose middle alone looks further than a pixel's surroundings, does without.
OTHER_FORMS = ((160, 96, 17), (96, 160, 17), (96, 96, 9), (96, 96, 33))


@dataclass
class Thing:
    """One object of a scene. `size` is "", "small" or "large"; `speed` is "", "slowly" or "quickly"."""

    shape: str
    colour: str
    motion: str
    size: str = ""
    speed: str = ""


@dataclass
class Scene:
    """One or two things before a background. `relation` places the first thing against the second."""

    things: list[Thing]
    background: str
    camera: str = "still"
    relation: str = ""


def held_out_kind(shape: str, colour: str, motion: str, background: str) -> int:
    """1 or 2 for a combination never drawn for training (the two rules below), else 0."""
    o, c, m, b = OBJECTS.index(shape), COLOURS.index(colour), MOTIONS.index(motion), BACKGROUNDS.index(background)
    if (o + 3 * c + 7 * m) % 11 == 0:
        return 1
    if (o + 5 * b + 3 * m) % 13 == 0:
        return 2
    return 0


def possible(shape: str, colour: str, motion: str, background: str) -> bool:
    """Whether the combination can be seen at all."""
    return (colour, background) not in UNSEEN and not (shape == "ring" and motion == "spins")


def belongs(scene: Scene, part: Part) -> bool:
    """Whether all that a scene shows is of a part of the world."""
    things = all(t.shape in part.objects and t.colour in part.colours and t.motion in part.motions for t in scene.things)
    if len(scene.things) == 2 and not part.two or scene.camera != "still" and not part.camera:
        return False
    return things and scene.background in part.backgrounds


def random_thing(rng, background: str, kind: int | None = 0, part: Part = PART, motions: tuple[str, ...] | None = None) -> Thing | None:
    """A random visible thing; `kind` is the wanted held_out_kind, None for any. None where a background seems to have no such thing."""
    for _ in range(1000):
        shape, colour, motion = rng.choice(part.objects), rng.choice(part.colours), rng.choice(motions or part.motions)
        if possible(shape, colour, motion, background) and kind in (None, held_out_kind(shape, colour, motion, background)):
            return Thing(str(shape), str(colour), str(motion))
    return None


def random_scene(rng, kind: int | None = 0, part: Part = PART) -> Scene:
    """A random scene of a part of the world; of two things the first is of a held-out `kind`, while neither is where `kind` is 0."""
    background = str(rng.choice(part.backgrounds))
    if rng.random() < part.two:
        relation = str(rng.choice(RELATIONS)) if rng.random() < 0.5 else ""
        room = ("still",) if relation else tuple(m for m in part.motions if m not in ("left", "right", "circles", "swings"))
        things = [random_thing(rng, background, k, part, room) for k in (kind, kind and None)]
        if None in things or things[0].shape == things[1].shape or things[0].colour == things[1].colour:
            return random_scene(rng, kind, part)
        return Scene(things, background, relation=relation)
    thing = random_thing(rng, background, kind, part)
    if thing is None:
        return random_scene(rng, kind, part)
    if rng.random() < part.sized:
        thing.size = str(rng.choice(["small", "large"]))
    if thing.motion != "still" and rng.random() < part.speed:
        thing.speed = str(rng.choice(["slowly", "quickly"]))
    scene = Scene([thing], background)
    if background not in ("black", "white") and rng.random() < part.camera:
        # A zoom over bobbing waves can hardly be told.
        scene.camera = str(rng.choice(CAMERAS[3:] if background == "sea" else CAMERAS[1:]))
    return scene
