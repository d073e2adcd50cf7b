"""Draws scenes of the tiny world as clips: signed distances, soft shading, one pixel of anti-aliasing."""

import numpy as np

from world import COLOUR_RGB, COLOURS, PART, SIZES, SMALLEST, Part, Scene, Thing, random_scene

MARGIN = 0.02
APART = 0.05  # least room between two things
# Range of the distance, angle or factor that each motion uses over a clip; slowly and quickly take its outer thirds.
EXTENT = {
    "left": (0.33, 0.60), "right": (0.33, 0.60), "up": (0.33, 0.60), "down": (0.33, 0.60),
    "bounces": (0.24, 0.48), "circles": (315.0, 405.0), "swings": (0.28, 0.52), "spins": (200.0, 380.0),
    "grows": (1.9, 3.4), "shrinks": (1.9, 3.4), "still": (0.0, 0.0),
}
SAND, GRASS, DARK = (214, 178, 116), (84, 160, 66), (46, 32, 44)


# ---- shapes: signed distance in units of the enclosing circle's radius, negative inside ----

def polygon(x, y, points):
    """Signed distance to a simple polygon, points listed once around."""
    points = np.asarray(points, np.float32)
    best = np.full(x.shape, 1e9, np.float32)
    inside = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, 0)):
        ex, ey = bx - ax, by - ay
        px, py = x - ax, y - ay
        along = np.clip((px * ex + py * ey) / (ex * ex + ey * ey), 0, 1)
        best = np.minimum(best, (px - ex * along) ** 2 + (py - ey * along) ** 2)
        if ay != by:
            inside ^= ((ay > y) != (by > y)) & (px < ex * py / ey)
    best = np.sqrt(best)
    return np.where(inside, -best, best)


def circle(x, y, cx, cy, r):
    return np.sqrt((x - cx) ** 2 + (y - cy) ** 2) - r


def box(x, y, cx, cy, hw, hh):
    dx, dy = np.abs(x - cx) - hw, np.abs(y - cy) - hh
    return np.sqrt(np.maximum(dx, 0) ** 2 + np.maximum(dy, 0) ** 2) + np.minimum(np.maximum(dx, dy), 0)


def corners(count, inner=None, turn=-90.0):
    """Points of a regular polygon, or of a star when `inner` gives the inner radius."""
    n = count if inner is None else 2 * count
    angles = np.radians(turn + 360.0 / n * np.arange(n))
    radii = np.where(np.arange(n) % 2, inner or 1.0, 1.0)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], 1)


def heart(x, y):
    lobes = np.minimum(circle(x, y, -0.46, -0.32, 0.5), circle(x, y, 0.46, -0.32, 0.5))
    tip = polygon(x, y, [(-0.86, 0.0), (-0.46, -0.32), (0.0, -0.52), (0.46, -0.32), (0.86, 0.0), (0.0, 0.92)])
    return np.minimum(lobes, tip)


def silhouette(shape, x, y):
    """Signed distance of a named shape."""
    if shape == "ball":
        return circle(x, y, 0, 0, 1.0)
    if shape == "box":
        return box(x, y, 0, 0, 0.7, 0.7)
    if shape == "triangle":
        return polygon(x, y, corners(3))
    if shape == "star":
        return polygon(x, y, corners(5, 0.45))
    if shape == "heart":
        return heart(x, y)
    if shape == "ring":
        return np.abs(circle(x, y, 0, 0, 0.76)) - 0.24
    if shape == "diamond":
        return polygon(x, y, [(0, -1), (0.66, 0), (0, 1), (-0.66, 0)])
    if shape == "cross":
        return np.minimum(box(x, y, 0, 0, 0.94, 0.32), box(x, y, 0, 0, 0.32, 0.94))
    if shape == "moon":
        return np.maximum(circle(x, y, 0, 0, 1.0), -circle(x, y, 0.48, -0.12, 0.78))
    if shape == "car":
        body = box(x, y, 0, 0.16, 0.96, 0.24)
        cabin = polygon(x, y, [(-0.62, 0.0), (-0.42, -0.46), (0.28, -0.46), (0.58, 0.0)])
        return np.minimum(np.minimum(body, cabin), np.minimum(circle(x, y, -0.52, 0.42, 0.23), circle(x, y, 0.52, 0.42, 0.23)))
    if shape == "boat":
        hull = polygon(x, y, [(-0.96, 0.22), (0.96, 0.22), (0.58, 0.78), (-0.58, 0.78)])
        sail = polygon(x, y, [(-0.02, -0.98), (0.62, 0.06), (-0.02, 0.06)])
        jib = polygon(x, y, [(-0.12, -0.7), (-0.12, 0.06), (-0.56, 0.06)])
        return np.minimum(np.minimum(hull, np.minimum(sail, jib)), box(x, y, -0.07, -0.3, 0.06, 0.62))
    if shape == "fish":
        body = (np.sqrt(((x - 0.2) / 0.78) ** 2 + (y / 0.5) ** 2) - 1.0) * 0.55
        return np.minimum(body, polygon(x, y, [(-0.4, 0.0), (-0.97, -0.5), (-0.8, 0.0), (-0.97, 0.5)]))
    body = polygon(x, y, [(0, -1), (0.2, -0.74), (0.3, -0.4), (0.3, 0.66), (-0.3, 0.66), (-0.3, -0.4), (-0.2, -0.74)])
    fins = polygon(x, y, [(-0.3, 0.12), (0.3, 0.12), (0.66, 0.72), (0.62, 0.92), (0.3, 0.66), (-0.3, 0.66), (-0.62, 0.92), (-0.66, 0.72)])
    return np.minimum(body, fins)


def details(shape, x, y):
    """(signed distance, kind) of each detail; kind is "mark" (contrasts with the background), "dark" or "glass"."""
    if shape == "ball":
        return [(np.abs(y + 0.35 * x) - 0.19, "mark")]
    if shape == "car":
        window = polygon(x, y, [(-0.46, -0.04), (-0.34, -0.36), (0.2, -0.36), (0.4, -0.04)])
        wheels = np.minimum(circle(x, y, -0.52, 0.42, 0.2), circle(x, y, 0.52, 0.42, 0.2))
        return [(window, "glass"), (wheels, "dark")]
    if shape == "boat":
        return [(box(x, y, -0.07, -0.3, 0.05, 0.62), "dark"), (polygon(x, y, [(-0.12, -0.7), (-0.12, 0.06), (-0.56, 0.06)]), "glass")]
    if shape == "fish":
        return [(circle(x, y, 0.6, -0.12, 0.1), "eye")]
    if shape == "rocket":
        return [(circle(x, y, 0, -0.28, 0.16), "glass")]
    return []


# ---- backgrounds ----

def horizon_of(name, rng):
    low, high = {"grass": (0.5, 0.6), "sea": (0.36, 0.46), "desert": (0.5, 0.6), "snow": (0.5, 0.6), "sunset": (0.6, 0.68)}.get(name, (1.0, 1.0))
    return rng.uniform(low, high)


SKIES = {
    "grass": ((104, 170, 240), (176, 212, 246)), "sea": ((206, 226, 238), (224, 234, 238)),
    "desert": ((120, 182, 232), (190, 212, 222)), "snow": ((150, 158, 170), (184, 187, 190)),
    "sunset": ((96, 58, 128), (246, 150, 78)), "night": ((14, 18, 54), (32, 42, 98)),
}
GROUNDS = {
    "grass": ((104, 180, 78), (64, 138, 56)), "sea": ((58, 132, 192), (28, 88, 156)), "desert": ((228, 194, 132), (204, 164, 100)),
    "snow": ((232, 237, 244), (246, 249, 252)), "sunset": ((66, 44, 56), (34, 24, 34)),
}
MARKS = {
    "grass": (44, 112, 44), "sea": (112, 176, 222), "desert": (172, 132, 84), "snow": (196, 206, 218), "sunset": (98, 68, 76), "night": (176, 184, 222),
}


def background(name, x, y, u, rng, pixel, jitter):
    """RGB [T,H,W,3] of a background at world places x, y [T or 1,H,W] and times u [T]."""
    if name in ("black", "white"):
        level = np.float32(10 if name == "black" else 245) + (jitter[0] if name == "black" else -abs(jitter[0])) * 0.3
        return np.full(x.shape + (3,), level, np.float32)
    horizon = horizon_of(name, rng)
    top, bottom = (np.float32(c) + jitter for c in SKIES[name])
    sky = np.clip(y / horizon, -0.2, 1.0)[..., None]
    picture = top + (bottom - top) * sky
    if name == "snow":
        picture = np.minimum(picture, 189)
    first, last = horizon, 1.0
    if name != "night":
        near, far = (np.float32(c) + jitter for c in GROUNDS[name])
        depth = np.clip((y - horizon) / (1 - horizon), 0, 1.2)[..., None]
        land = np.clip((y - horizon) / pixel + 0.5, 0, 1)[..., None]
        picture = picture + (near + (far - near) * depth - picture) * land
        first = horizon + 0.03
    else:
        first, last = 0.0, 1.0
    colour = np.float32(MARKS[name])
    wide, high = {"grass": (0.022, 0.026), "sea": (0.030, 0.018), "desert": (0.028, 0.020), "snow": (0.028, 0.020), "sunset": (0.024, 0.024), "night": (0.020, 0.020)}[name]
    places = np.linspace(-0.75, 1.75, 26) + rng.uniform(-0.04, 0.04, 26)
    heights = first + (last - first) * ((np.arange(26) * 0.618 + rng.uniform()) % 1.0)
    span = (float(x.min()) - 0.1, float(x.max()) + 0.1)
    for place, height in zip(places, heights):
        if not span[0] < place < span[1]:
            continue
        at = height
        if name == "sea":
            at = height + 0.012 * np.sin(2 * np.pi * (1.5 * u[:, None, None] + place))
        blob = np.exp(-(((x - place) / wide) ** 2 + ((y - at) / np.maximum(high, 0.6 * pixel)) ** 2))
        picture = picture + (colour - picture) * blob[..., None]
    return picture


# ---- paths ----

def path(thing: Thing, u, rng, least=SIZES[""][0]):
    """Offsets of the centre [T,2], diameters [T] and turns in degrees [T] of a thing over the clip."""
    low, high = EXTENT[thing.motion]
    third = (high - low) / 3
    if thing.speed:
        low, high = (low, low + third) if thing.speed == "slowly" else (high - third, high)
    extent = rng.uniform(low, high)
    size = np.full(len(u), rng.uniform(*(SIZES[thing.size] if thing.size else (least, SIZES[""][1]))))
    offset, turn = np.zeros((len(u), 2)), np.zeros(len(u))
    ahead = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
    if thing.motion in ahead:
        direction = np.array(ahead[thing.motion])
        eased = u + rng.uniform(-0.1, 0.1) * np.sin(2 * np.pi * u)
        offset = extent * eased[:, None] * (direction + rng.uniform(-0.08, 0.08) * direction[::-1])
    elif thing.motion == "bounces":
        offset[:, 1] = -extent * np.abs(np.sin(2 * np.pi * u))
        offset[:, 0] = rng.uniform(-0.25, 0.25) * extent * u
    elif thing.motion == "circles":
        radius, start = rng.uniform(0.15, 0.24), rng.uniform(0, 2 * np.pi)
        angle = start + np.radians(extent) * u
        offset = radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    elif thing.motion == "swings":
        wave = rng.choice([-1, 1]) * np.cos(3 * np.pi * u)
        offset = extent / 2 * np.stack([wave, 0.3 * (1 - wave**2)], 1)
    elif thing.motion == "spins":
        turn = extent * u
    elif thing.motion == "grows":
        size = size * np.sqrt(extent) ** u
    elif thing.motion == "shrinks":
        size = size / np.sqrt(extent) ** u
    return offset, size, turn


def camera_path(name, u, rng):
    """Zoom factors [T] and horizontal shifts of the view [T]."""
    zoom, shift = np.ones(len(u)), np.zeros(len(u))
    if name == "zoom in":
        zoom = rng.uniform(1.35, 1.6) ** u
    elif name == "zoom out":
        zoom = rng.uniform(1.35, 1.6) ** -u
    elif name == "pan left":
        shift = -rng.uniform(0.24, 0.36) * u
    elif name == "pan right":
        shift = rng.uniform(0.24, 0.36) * u
    return zoom, shift


def place(thing, u, zoom, shift, aspect, rng, least):
    """Screen centres [T,2], diameters [T] and turns [T] with the whole thing inside the frame, or None where it does not fit."""
    offset, size, turn = path(thing, u, rng, least)
    if (size * zoom).min() < SMALLEST:
        return None
    centre = np.empty(2)
    frame = np.array([aspect[0], aspect[1]])
    view = np.stack([shift, np.zeros_like(shift)], 1)
    reach = (frame / 2 - (size * zoom / 2 + MARGIN)[:, None]) / zoom[:, None]
    low = (frame / 2 + view - offset - reach).max(0)
    high = (frame / 2 + view - offset + reach).min(0)
    if (low > high).any():
        return None
    centre = low + (high - low) * rng.beta(2, 2, 2)
    if thing.motion == "bounces":
        centre[1] = high[1] - (high[1] - low[1]) * 0.3 * rng.random()
    screen = frame / 2 + zoom[:, None] * (centre + offset - frame / 2 - view)
    return screen, size * zoom, turn


def layout(scene: Scene, u, aspect, rng, least):
    """Places of all things of a scene and the camera's path; keeps two things apart and in their relation."""
    for _ in range(300):
        zoom, shift = camera_path(scene.camera, u, rng)
        places = [place(thing, u, zoom, shift, aspect, rng, least) for thing in scene.things]
        if any(p is None for p in places):
            continue
        if len(places) == 2:
            (a, sa, _), (b, sb, _) = places
            gap = b - a
            if (np.hypot(*gap.T) < 0.5 * (sa + sb) + APART).any():
                continue
            along = {"left of": gap[:, 0], "right of": -gap[:, 0], "above": gap[:, 1], "below": -gap[:, 1]}.get(scene.relation)
            across = gap[:, 1] if scene.relation in ("left of", "right of") else gap[:, 0]
            if along is not None and not ((along > 0.3).all() and (np.abs(across) < 0.15).all()):
                continue
        return places, zoom, shift
    raise ValueError(f"no room for {scene}")


# ---- pictures ----

def paint(picture, thing, centres, sizes, turns, x, y, pixel, style):
    """Paints one thing over `picture` [T,H,W,3] in place; returns its coverage [T,H,W]."""
    t, h, w, _ = picture.shape
    coverage = np.zeros((t, h, w), np.float32)
    colour = np.float32(COLOUR_RGB[COLOURS.index(thing.colour)])
    reach = sizes.max() / 2 + 2 * pixel
    columns = np.flatnonzero((x[0, 0] > centres[:, 0].min() - reach) & (x[0, 0] < centres[:, 0].max() + reach))
    rows = np.flatnonzero((y[0, :, 0] > centres[:, 1].min() - reach) & (y[0, :, 0] < centres[:, 1].max() + reach))
    window = np.s_[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    radius = (sizes / 2).astype(np.float32)[:, None, None]
    dx = (x[window] - centres[:, 0].astype(np.float32)[:, None, None]) / radius
    dy = (y[window] - centres[:, 1].astype(np.float32)[:, None, None]) / radius
    angle = np.radians(turns).astype(np.float32)[:, None, None]
    ox, oy = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    if thing.motion == "left":
        ox = -ox
    soft = pixel / radius
    distance = silhouette(thing.shape, ox, oy)
    cover = np.clip(0.5 - distance / soft, 0, 1)
    if style == "flat":
        light = np.ones_like(cover)
    else:
        rim = np.clip(-distance / 0.45, 0, 1)
        light = 0.74 + 0.26 * rim * (2 - rim)
        light = light * np.clip(1.0 - 0.10 * (dx + dy), 0.8, 1.0)
    paintwork = colour * light[..., None]
    if thing.colour == "black" and style != "flat":
        paintwork = paintwork + 26 * np.clip(0.6 - (dx + 0.4) ** 2 - (dy + 0.4) ** 2, 0, 1)[..., None]
    behind = picture[window]
    lightness = float(behind[cover > 0.5].mean()) if (cover > 0.5).any() else 128.0
    for detail, kind in details(thing.shape, ox, oy):
        tone = {"dark": (40, 40, 46), "glass": (206, 228, 240), "eye": (250, 250, 250)}.get(kind)
        if kind == "dark" and (lightness < 70 or thing.colour == "black"):
            tone = (120, 120, 126)
        if kind == "mark":
            bright = colour.mean() < 180 and lightness < 150 or lightness < 110
            tone = (250, 250, 250) if bright and thing.colour != "white" else (70, 60, 66)
            if thing.colour == "black":
                tone = (92, 92, 98) if lightness > 110 else (160, 160, 166)
        if thing.colour == "white" and kind in ("glass", "eye"):
            tone = (90, 120, 150)
        share = np.clip(0.5 - detail / soft, 0, 1)[..., None]
        paintwork = paintwork + (np.float32(tone) * (0.5 + 0.5 * light[..., None]) - paintwork) * share
    picture[window] = behind + (paintwork - behind) * cover[..., None]
    coverage[window] = cover
    return coverage


def shadow(picture, centres, sizes, ground, x, y):
    """Darkens the ground under a thing, softly; stronger the nearer the thing is to the ground."""
    cx, cy = (centres[:, i].astype(np.float32)[:, None, None] for i in range(2))
    radius = (sizes / 2).astype(np.float32)[:, None, None]
    height = np.clip(ground - (cy + radius), 0, 1)
    blob = np.exp(-(((x - cx) / (0.9 * radius)) ** 2) - ((y - ground) / (0.22 * radius)) ** 2)
    picture *= (1 - 0.22 * np.clip(1 - 2.2 * height, 0, 1) * blob)[..., None]


def draw(scene: Scene, rng, part: Part = PART, style: str = "soft"):
    """Clip of a scene: frames uint8 [T,H,W,3] and the things' coverage uint8 [T,H,W].

    Styles: "soft" (shaded, shadows; the one trained on), "flat" (no shading, no shadow) and "grain" (shaded, with film grain and blur).
    """
    frames, height, width = part.frames, part.height, part.width
    short = min(height, width)
    pixel = 1.0 / short
    aspect = (width / short, height / short)
    u = np.linspace(0, 1, frames) if frames > 1 else rng.uniform(0, 1, 1)
    places, zoom, shift = layout(scene, u, aspect, rng, part.least)
    x, y = np.meshgrid((np.arange(width, dtype=np.float32) + 0.5) / short, (np.arange(height, dtype=np.float32) + 0.5) / short)
    x, y = x[None], y[None]
    wx, wy = x, y
    if scene.camera != "still":
        z = zoom.astype(np.float32)[:, None, None]
        wx = (x - aspect[0] / 2) / z + aspect[0] / 2 + shift.astype(np.float32)[:, None, None]
        wy = (y - aspect[1] / 2) / z + aspect[1] / 2
    jitter = rng.uniform(-6, 6, 3).astype(np.float32)
    picture = background(scene.background, wx, wy, u.astype(np.float32), rng, pixel, jitter)
    picture = np.array(np.broadcast_to(picture, (frames, height, width, 3)), np.float32)
    if style != "flat" and scene.background in ("grass", "desert", "snow") and scene.camera == "still":
        for centres, sizes, _ in places:
            lowest = float((centres[:, 1] + sizes / 2).max())
            if lowest > 0.68:
                shadow(picture, centres, sizes, min(lowest, 0.97), x, y)
    x, y = np.broadcast_to(x, picture.shape[:3]), np.broadcast_to(y, picture.shape[:3])
    cover = np.zeros(picture.shape[:3], np.float32)
    for thing, (centres, sizes, turns) in zip(scene.things, places):
        cover = np.maximum(cover, paint(picture, thing, centres, sizes, turns, x, y, pixel, style))
    if style == "grain":
        for axis in (1, 2):
            picture = 0.5 * picture + 0.25 * (np.roll(picture, 1, axis) + np.roll(picture, -1, axis))
        picture += rng.normal(0, 4, picture.shape)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8), (cover * 255).astype(np.uint8)


def draw_one(rng, kind: int | None = 0, part: Part = PART, style: str = "soft"):
    """A random scene whose things found room, with its clip and cover."""
    while True:
        scene = random_scene(rng, kind, part)
        try:
            return scene, *draw(scene, rng, part, style)
        except ValueError:
            continue
