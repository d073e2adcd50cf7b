"""Captions of tiny-world scenes: canonical ones, varied English and Chinese ones, and the words they are made of."""

import re

from world import Scene, Thing

PLACES = {
    "black": ["on a black background"], "white": ["on a white background"],
    "grass": ["on green grass", "over green grass", "on the grass", "on a meadow", "on a green lawn", "over a grass field"],
    "night": ["in the night sky", "in the starry sky", "at night", "in a starry night sky"],
    "sea": ["on the sea", "over the sea", "on the ocean", "on the water"],
    "desert": ["in the desert", "on the sand", "over the sand", "in a sandy desert"],
    "snow": ["on the snow", "in the snow", "over white snow"],
    "sunset": ["at sunset", "under a sunset sky", "in the sunset"],
}
SHAPES = {"box": ["box", "square", "cube"], "moon": ["moon", "crescent moon"], "ring": ["ring"], "boat": ["boat", "sailboat"], "diamond": ["diamond"], "rocket": ["rocket"]}
COLOURS = {"purple": ["purple", "violet"]}
SIZES = {"small": ["small", "little", "tiny"], "large": ["large", "big", "huge"]}
SPEEDS = {"slowly": ["slowly", "gently"], "quickly": ["quickly", "fast"]}
# Of each motion: present, continuous and past form; the first row is canonical.
VERBS = {
    "bounces": [("bounces", "is bouncing", "bounced"), ("jumps up and down", "is jumping up and down", "jumped up and down")],
    "circles": [("circles", "is circling", "circled"), ("goes around in circles", "is going around in circles", "went around in circles"), ("moves in a circle", "is moving in a circle", "moved in a circle")],
    "swings": [("swings", "is swinging", "swung"), ("sways", "is swaying", "swayed"), ("swings from side to side", "is swinging from side to side", "swung from side to side")],
    "spins": [("spins", "is spinning", "spun"), ("rotates", "is rotating", "rotated"), ("turns around", "is turning around", "turned around")],
    "grows": [("grows", "is growing", "grew"), ("gets bigger", "is getting bigger", "got bigger")],
    "shrinks": [("shrinks", "is shrinking", "shrank"), ("gets smaller", "is getting smaller", "got smaller")],
    "still": [("stays still", "is staying still", "stayed still"), ("rests", "is resting", "rested"), ("does not move", "is not moving", "did not move")],
}
MOVES = [("moves", "is moving", "moved"), ("goes", "is going", "went"), ("travels", "is travelling", "travelled"), ("slides", "is sliding", "slid")]
WAYS = {"left": ["left", "to the left"], "right": ["right", "to the right"], "up": ["up", "upwards"], "down": ["down", "downwards"]}
CAMERAS = {
    "zoom in": ["the camera zooms in", "zooming in"], "zoom out": ["the camera zooms out", "zooming out"],
    "pan left": ["the camera pans left", "panning left"], "pan right": ["the camera pans right", "panning right"],
}
RELATIONS = {
    "left of": ["to the left of", "left of"], "right of": ["to the right of", "right of"], "above": ["above", "over"], "below": ["below", "under"],
}
FILM_BEFORE = ["video of", "a video of", "a clip showing", "footage of", "an animation of", "a scene with"]
FILM_AFTER = ["4k", "cinematic", "high quality", "smooth motion", "beautiful", "cartoon style", "simple shapes", "detailed", "hd"]
# Ordinary words put into a few captions so that the text encoder learns to pass over them.
ORDINARY = """nice pretty very quite lovely bright clear calm today morning evening world little story here there while then and with some
many just really great day time place good new old long way see look watch show seen slow quick wonderful view picture image film movie
shot scene animation render style art child children play toy happy funny""".split()

C_COLOURS = {"red": "红", "orange": "橙", "yellow": "黄", "green": "绿", "blue": "蓝", "purple": "紫", "pink": "粉", "white": "白", "black": "黑"}
C_SHAPES = {
    "ball": "球", "box": "方块", "triangle": "三角形", "star": "星星", "heart": "爱心", "ring": "圆环", "diamond": "菱形",
    "cross": "十字", "moon": "月亮", "car": "汽车", "boat": "小船", "fish": "鱼", "rocket": "火箭",
}
C_MOTIONS = {
    "left": "向左移动", "right": "向右移动", "up": "向上移动", "down": "向下移动", "bounces": "弹跳", "circles": "转圈",
    "swings": "左右摇摆", "spins": "旋转", "grows": "变大", "shrinks": "变小", "still": "静止不动",
}
C_PLACES = {"black": "黑色背景上", "white": "白色背景上", "grass": "草地上", "night": "夜空中", "sea": "海面上", "desert": "沙漠里", "snow": "雪地上", "sunset": "日落时"}
C_CAMERAS = {"zoom in": "镜头拉近", "zoom out": "镜头拉远", "pan left": "镜头左移", "pan right": "镜头右移"}
C_RELATIONS = {"left of": "左边", "right of": "右边", "above": "上方", "below": "下方"}
C_SIZES = {"small": "小的", "large": "大的", "": ""}
C_SPEEDS = {"slowly": "慢慢地", "quickly": "快速地", "": ""}
C_GOES = ("移动", "移", "走", "游", "游动", "行驶", "开", "航行", "飞", "飞行", "滚", "滚动", "滑动", "平移")
TRADITIONAL = str.maketrans(
    "个红黄绿蓝动弹转摇摆变静块爱圆环车鱼里镜头远时边颗条辆轮钻轿体阳渐缩来长只飞跃儿弯开侧从纯滚滩驶",
    "個紅黃綠藍動彈轉搖擺變靜塊愛圓環車魚裡鏡頭遠時邊顆條輛輪鑽轎體陽漸縮來長隻飛躍兒彎開側從純滾灘駛",
)
# Other words for one word (of Chinese also for one phrase), which can stand wherever it stands.
SYNONYMS = {
    "ball": ["sphere"], "boat": ["ship"], "car": ["automobile"], "red": ["crimson", "scarlet"], "bounces": ["hops"],
    "bouncing": ["hopping"], "bounced": ["hopped"], "moves": ["flies", "drives", "rolls", "sails", "swims"],
    "moving": ["flying", "driving", "rolling", "sailing", "swimming"],
    "moved": ["flew", "drove", "rolled", "sailed", "swam"],
    "一个": ["一颗", "一只", "一条", "一艘", "一辆", "一枚", "一块", "一轮", "一台", "一部", "一架", "一支"],
    **{f"{colour}色的": [f"{colour}色", colour, f"{colour}的"] for colour in C_COLOURS.values()},
    "粉色的": ["粉色", "粉", "粉的", "粉红色的", "粉红色", "粉红的", "粉红"], "橙色的": ["橙色", "橙", "橙的", "橘色的", "橘色", "桔色的", "桔色"],
    "球": ["圆球", "皮球", "球体", "圆形"], "方块": ["正方形", "正方体", "立方体", "方形", "盒子", "箱子"], "三角形": ["三角"], "爱心": ["心", "心形"], "菱形": ["钻石"],
    "十字": ["十字架", "十字形"], "月亮": ["弯月", "新月", "月牙", "月"], "汽车": ["车", "小汽车", "轿车", "车子"], "小船": ["船", "帆船", "船只"],
    "鱼": ["小鱼", "鱼儿"], "星星": ["五角星"], "圆环": ["环", "圆圈"],
    **{
        f"向{way}移动": [f"{to}{way}{verb}" for to in "向往朝" for verb in C_GOES if f"{to}{verb}" != "向移动"]
        + [f"向{way}{side}移动" for side in ("边", "侧", "方")] + [f"往{way}边移动", f"{way}移"] + [f"从{other}{to}{way}移动" for to in "向往到"]
        for way, other in ("左右", "右左")
    },
    "向上移动": ["往上移动", "向上移", "往上移", "上移", "上升", "升起", "向上升起", "向上飞", "往上飞", "向上飞行", "起飞", "升空", "从下往上移动", "从下向上移动"], "向下移动": ["往下移动", "向下移", "往下移", "下移", "下降", "落下", "下落", "向下飞", "往下飞", "往下落", "掉落", "从上往下移动", "从上向下移动"],
    "弹跳": ["跳动", "上下弹跳", "上下跳动", "上下跳", "上下移动", "蹦跳", "跳跃", "跳来跳去", "蹦蹦跳跳"], "左右摇摆": ["摇摆", "左右摆动", "摆动", "来回摆动", "来回摇摆", "摇晃", "左右摇晃", "左右晃动", "晃动", "摇动", "左右移动", "来回移动", "左右来回移动"],
    "变大": ["长大", "放大", "逐渐变大", "渐渐变大", "慢慢变大", "越来越大"], "变小": ["缩小", "逐渐变小", "渐渐变小", "慢慢变小", "越来越小"],
    "静止不动": ["静止", "不动", "保持静止", "保持不动", "一动不动", "一动也不动"],
    **{
        f"{colour}色背景上": [f"{colour}{of}背景{spot}" for of in ("色", "色的", "") for spot in "上前中里下" if of + spot != "色上"] + [f"纯{colour}色背景上", f"{colour}色背景"]
        for colour in "黑白"
    },
    "草地上": ["草坪上", "绿草地上", "绿色的草地上", "绿色草地上", "绿色的草坪上", "草原上", "青草地上", "草地里", "草地", "草坪"],
    "夜空中": ["夜空里", "夜空下", "夜空", "星空中", "星空下", "星空里", "星空", "黑色的夜空中", "夜晚的天空中", "夜晚", "夜里", "晚上"],
    "海面上": ["海上", "大海上", "蓝色的海面上", "蓝色的大海上", "水面上", "水上", "海洋上", "海里", "大海里", "海中", "大海中", "水里", "水中"],
    "沙漠里": ["沙漠中", "沙漠上", "黄色的沙漠里", "金色的沙漠里", "沙地上", "沙滩上", "沙漠"], "雪地上": ["雪地里", "雪地中", "白色的雪地上", "雪地", "雪上", "雪里", "雪中", "白雪上"],
    "日落时": ["夕阳下", "夕阳中", "落日下", "日落时分", "日落", "黄昏时", "黄昏下", "黄昏中", "黄昏里", "黄昏", "傍晚时", "傍晚"],
}
_WORD = re.compile("|".join(rf"\b{word}\b" if word.isascii() else word for word in sorted(SYNONYMS, key=len, reverse=True)))


def reworded(text, rng, chance):
    """A caption (Chinese: in simplified characters), each word that has synonyms replaced by one of them with a probability."""

    def other(found):
        words = SYNONYMS[found[0]]
        return words[rng.integers(len(words))] if rng.random() < chance else found[0]

    return _WORD.sub(other, text)


def _with_article(words, rng, varied):
    if varied and rng.random() < 0.12:
        return words
    return ("an " if words[0] in "aeiou" else "a ") + words


def _pick(table, key, rng, varied, chance=0.4):
    forms = table.get(key, [key])
    return forms[rng.integers(len(forms))] if varied and rng.random() < chance else forms[0]


def _noun(thing: Thing, rng, varied):
    words = [_pick(SIZES, thing.size, rng, varied)] if thing.size else []
    words += [_pick(COLOURS, thing.colour, rng, varied), _pick(SHAPES, thing.shape, rng, varied)]
    return _with_article(" ".join(words), rng, varied)


def _verb(thing: Thing, rng, varied, tense):
    rows = MOVES if thing.motion in WAYS else VERBS[thing.motion]
    row = rows[rng.integers(len(rows))] if varied and rng.random() < 0.5 else rows[0]
    words = row[tense]
    if thing.motion in WAYS:
        words += " " + _pick(WAYS, thing.motion, rng, varied, 0.5)
    if thing.speed:
        words += " " + _pick(SPEEDS, thing.speed, rng, varied)
    return words


def english(scene: Scene, rng=None, varied: bool = False, other_words: float = 0.0) -> str:
    """An English caption; without `varied` the canonical one. `other_words`: how many of the words that have synonyms are one of those."""
    tense = int(rng.choice(3, p=[0.6, 0.3, 0.1])) if varied else 0
    spot = _pick(PLACES, scene.background, rng, varied, 0.5)
    things = scene.things
    if len(things) == 1:
        verb = _verb(things[0], rng, varied, tense)
        noun = _noun(things[0], rng, varied)
        order = rng.random() if varied else 0.0
        if order < 0.7:
            text = f"{noun} {verb} {spot}"
        elif order < 0.85:
            text = f"{spot}, {noun} {verb}"
        else:
            text = f"{noun} {spot} {verb}"
    elif scene.relation:
        text = f"{_noun(things[0], rng, varied)} {_pick(RELATIONS, scene.relation, rng, varied)} {_noun(things[1], rng, varied)} {spot}"
    else:
        first, second = ((_noun(t, rng, varied), _verb(t, rng, varied, tense)) for t in things)
        text = f"{first[0]} {first[1]} {spot} and {second[0]} {second[1]}"
    if scene.camera != "still":
        text += ", " + _pick(CAMERAS, scene.camera, rng, varied)
    if other_words:
        text = reworded(text, rng, other_words)
    if not varied:
        return text
    if rng.random() < 0.1:
        text = FILM_BEFORE[rng.integers(len(FILM_BEFORE))] + " " + text
    if rng.random() < 0.1:
        text += ", " + FILM_AFTER[rng.integers(len(FILM_AFTER))]
    if rng.random() < 0.06:
        words = text.split(" ")
        words.insert(rng.integers(len(words) + 1), ORDINARY[rng.integers(len(ORDINARY))])
        text = " ".join(words)
    if rng.random() < 0.2:
        text = text[0].upper() + text[1:]
    elif rng.random() < 0.02:
        text = text.upper()
    if rng.random() < 0.2:
        text += ".!"[int(rng.random() < 0.1)]
    return text


def _chinese_noun(thing: Thing):
    return f"一个{C_SIZES[thing.size]}{C_COLOURS[thing.colour]}色的{C_SHAPES[thing.shape]}"


def chinese(scene: Scene, rng=None, varied: bool = False, traditional: bool = False, other_words: float = 0.0) -> str:
    """A Chinese caption; `varied` also puts the place first or last. `other_words` as in english()."""
    spot = C_PLACES[scene.background]
    things = scene.things
    nouns = [_chinese_noun(t) for t in things]
    verbs = [C_SPEEDS[t.speed] + C_MOTIONS[t.motion] for t in things]
    order = rng.random() if varied else 0.0
    if len(things) == 1:
        text = f"{nouns[0]}在{spot}{verbs[0]}" if order < 0.6 else f"{spot}，{nouns[0]}{verbs[0]}" if order < 0.8 else f"{nouns[0]}{verbs[0]}，在{spot}"
    elif scene.relation:
        text = f"{nouns[0]}在{nouns[1]}的{C_RELATIONS[scene.relation]}，{spot}"
    else:
        text = f"{nouns[0]}在{spot}{verbs[0]}，{nouns[1]}{verbs[1]}"
    if scene.camera != "still":
        text += "，" + C_CAMERAS[scene.camera]
    if other_words:
        text = reworded(text, rng, other_words)
    if varied and rng.random() < 0.2:
        text += "。"
    if varied and rng.random() < 0.5:
        text = text.replace("，", ",")
    return text.translate(TRADITIONAL) if traditional else text


def caption(scene: Scene, rng) -> str:
    """A random caption in one of the languages."""
    draw = rng.random()
    other_words = 0.5 if rng.random() < 0.3 else 0.0
    if draw < 0.45:
        return english(scene, rng, True, other_words)
    if draw < 0.7:
        return english(scene, rng)
    return chinese(scene, rng, True, draw > 0.85, other_words)


def words() -> tuple[list[str], list[str]]:
    """Every English word and every Chinese word of the captions."""
    tables = [PLACES, SHAPES, COLOURS, SIZES, SPEEDS, WAYS, CAMERAS, RELATIONS]
    phrases = [p for table in tables for forms in table.values() for p in forms]
    phrases += [p for rows in [MOVES, *VERBS.values()] for row in rows for p in row] + FILM_BEFORE + FILM_AFTER + ORDINARY
    phrases += [*C_COLOURS, *C_SHAPES, "a", "an", "the"]
    synonyms = [other for others in SYNONYMS.values() for other in others]
    phrases += [other for other in synonyms if other.isascii()]
    han = [other for other in synonyms if not other.isascii()] + ["一个", "在", "的", "，", "。", "、", "色的", "色"]
    for table in (C_SHAPES, C_MOTIONS, C_PLACES, C_CAMERAS, C_RELATIONS, C_SIZES, C_SPEEDS):
        han += [w for w in table.values() if w]
    for colour in C_COLOURS.values():
        han += [f"{colour}色的", f"{colour}色", colour]
    han += [w.translate(TRADITIONAL) for w in han]
    return list(dict.fromkeys(" ".join(phrases).split())), list(dict.fromkeys(han))
