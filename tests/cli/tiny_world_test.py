"""The bundled model's world: what is held out of its training, its captions, and what its card and the README say of it."""

import json
import random
import re
import struct
import sys
import unittest
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "tiny_world"))

import captions  # noqa: E402
import world  # noqa: E402

try:
    import numpy
except ImportError:
    numpy = None

NUMBERS = {8: "eight", 9: "nine", 10: "ten", 11: "eleven", 12: "twelve", 13: "thirteen"}


class Rng(random.Random):
    """Python's generator with the function of NumPy's that captions.py calls."""

    def integers(self, count):
        return self.randrange(count)


class HeldOut(unittest.TestCase):
    def test_what_is_trained_on_is_never_held_out(self):
        rng = random.Random(1)
        for part in (world.PART, replace(world.WORLD, two=0.5, camera=0.5)):
            for _ in range(3000):
                scene = world.random_scene(rng, part=part)
                self.assertTrue(world.belongs(scene, part))
                for thing in scene.things:
                    o, c = world.OBJECTS.index(thing.shape), world.COLOURS.index(thing.colour)
                    m, b = world.MOTIONS.index(thing.motion), world.BACKGROUNDS.index(scene.background)
                    self.assertNotEqual((o + 3 * c + 7 * m) % 11, 0, scene)
                    self.assertNotEqual((o + 5 * b + 3 * m) % 13, 0, scene)

    def test_what_is_measured_is_held_out(self):
        rng = random.Random(1)
        for kind in (1, 2):
            for _ in range(500):
                scene = world.random_scene(rng, kind, world.PART)
                thing = scene.things[0]
                self.assertEqual(world.held_out_kind(thing.shape, thing.colour, thing.motion, scene.background), kind)


class Captions(unittest.TestCase):
    def test_canonical(self):
        scene = world.Scene([world.Thing("ball", "red", "bounces")], "grass")
        self.assertEqual(captions.english(scene), "a red ball bounces on green grass")
        self.assertEqual(captions.chinese(scene, traditional=False), "一个红色的球在草地上弹跳")
        self.assertEqual(captions.chinese(scene, traditional=True), "一個紅色的球在草地上彈跳")

    def test_other_words(self):
        scene = world.Scene([world.Thing("heart", "pink", "left")], "sunset")
        for make in (captions.english, captions.chinese):
            said = {make(scene, Rng(n), other_words=1.0) for n in range(200)}
            self.assertGreaterEqual(len(said), 5)
            self.assertTrue(all("心" in text or "heart" in text for text in said), said)

    def test_traditional(self):
        """No character that only simplified Chinese writes is left in a traditional caption: Big5 has none of them but four."""
        for word in [*captions.SYNONYMS, *(other for others in captions.SYNONYMS.values() for other in others)]:
            traditional = word.translate(captions.TRADITIONAL)
            traditional.encode("big5")
            self.assertFalse(set(traditional) & set("里体只儿"), word)

    def test_a_word_stands_for_one_other(self):
        others = [other for words in captions.SYNONYMS.values() for other in words]
        self.assertEqual(len(others), len(set(others)))
        self.assertFalse(set(others) & set(captions.SYNONYMS))


def embedded(model):
    """The embedding of each piece of a model's tokenizer, as bytes."""
    folder = ROOT / "models" / model
    content = (folder / "text_encoder" / "model.safetensors").read_bytes()
    start = 8 + struct.unpack("<Q", content[:8])[0]
    first, last = json.loads(content[8:start])["shared.weight"]["data_offsets"]
    pieces = [piece for piece, _ in json.loads((folder / "tokenizer" / "tokenizer.json").read_text())["model"]["vocab"]]
    width = 2 * json.loads((folder / "text_encoder" / "config.json").read_text())["d_model"]
    assert width * len(pieces) <= last - first
    return {piece: content[start + first + i * width :][:width] for i, piece in enumerate(pieces)}


@unittest.skipUnless(numpy, "needs NumPy")
class Measurement(unittest.TestCase):
    """What is measured of drawn clips is what was drawn."""

    def seen(self, scene, seed=1, **form):
        import draw
        import measure

        clip, _ = draw.draw(scene, numpy.random.default_rng(seed), replace(world.WORLD, **form))
        return measure.compare(scene, measure.measure(clip))

    def assert_right(self, scene, *asked, **form):
        right = self.seen(scene, **form)
        self.assertTrue(all(right.values()), (scene, right))
        self.assertLessEqual(set(asked), set(right))

    def test_motions(self):
        for shape, motion in zip(world.OBJECTS[2:], world.MOTIONS):
            self.assert_right(world.Scene([world.Thing(shape, "red", motion)], "desert"), "motion", "object")

    def test_sizes_and_speeds(self):
        for motion in ("right", "bounces", "spins", "shrinks"):
            for size, speed in (("small", "quickly"), ("large", "slowly"), ("", "slowly")):
                if (size, motion) != ("small", "shrinks"):
                    self.assert_right(world.Scene([world.Thing("box", "yellow", motion, size, speed)], "grass"), "speed", *["size"] * bool(size))

    def test_wrong_sizes_and_speeds_are_told(self):
        import draw
        import measure

        scene = world.Scene([world.Thing("fish", "red", "up", "", "quickly")], "snow")
        clip, _ = draw.draw(scene, numpy.random.default_rng(2), world.WORLD)
        scene.things[0] = world.Thing("fish", "red", "up", "large", "slowly")
        right = measure.compare(scene, measure.measure(clip))
        self.assertEqual((right["motion"], right["size"], right["speed"]), (True, False, False))

    def test_spins_under_a_moving_camera(self):
        for camera in world.CAMERAS[1:]:
            self.assert_right(world.Scene([world.Thing("star", "purple", "spins")], "grass", camera), "camera", "motion")

    def test_two_things(self):
        things = [world.Thing("ball", "black", "still"), world.Thing("ring", "orange", "still")]
        self.assert_right(world.Scene(things, "snow", relation="left of"), "both", "relation", "two motions")
        self.assert_right(world.Scene([world.Thing("boat", "pink", "bounces"), world.Thing("moon", "green", "down")], "white"), "both", "two motions")

    def test_the_interval_of_a_share(self):
        import measure

        low, high = measure.interval(431, 500)
        self.assertAlmostEqual(low, 82.9, delta=0.1)
        self.assertAlmostEqual(high, 88.9, delta=0.1)
        self.assertLess(measure.interval(20, 20)[0], 85)


class Files(unittest.TestCase):
    def test_sizes(self):
        weights = sum(file.stat().st_size for file in (ROOT / "models").rglob("*.safetensors"))
        everything = sum(file.stat().st_size for file in (ROOT / "models").rglob("*") if file.is_file())
        self.assertLess(weights, 30e6)
        self.assertLess(everything, 45e6)

    def test_weights_are_bfloat16(self):
        for file in (ROOT / "models").rglob("*.safetensors"):
            content = file.read_bytes()
            tensors = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
            self.assertEqual({tensor["dtype"] for name, tensor in tensors.items() if name != "__metadata__"}, {"BF16"}, file)

    def test_what_both_models_share(self):
        for part in ("text_encoder", "tokenizer", "vae", "scheduler"):
            for file in (ROOT / "models" / "tiny-world" / part).iterdir():
                self.assertEqual(file.read_bytes(), (ROOT / "models" / "tiny-world-i2v" / part / file.name).read_bytes(), file)


class Synonyms(unittest.TestCase):
    def test_the_models_take_one_for_the_other(self):
        for model in ("tiny-world", "tiny-world-i2v"):
            rows = embedded(model)
            self.assertNotEqual(rows["▁ball"], rows["▁boat"])
            for word, others in captions.SYNONYMS.items():
                start = "▁" if word.isascii() else ""
                for other in others:
                    self.assertEqual(rows[start + other], rows[start + word], (model, word, other))
                    # What both scripts write alike has the embedding of the simplified word.
                    self.assertIn(rows[start + other.translate(captions.TRADITIONAL)], (rows[start + word], rows.get(word.translate(captions.TRADITIONAL))))


class WhatIsWritten(unittest.TestCase):
    def test_the_card_has_the_words_of_the_part(self):
        card = (ROOT / "models" / "tiny-world" / "README.md").read_text()
        part = world.PART
        rows = {name: words for name, words in re.findall(r"^\| (\w+) \| (.*) \|$", card, re.M)}
        self.assertEqual(re.sub(r" \(.*?\)", "", rows["things"]).split(", "), list(part.objects))
        self.assertEqual(rows["colours"].split(", "), list(part.colours))
        told = re.sub("moves |stays ", "", rows["motions"])
        self.assertEqual(re.split("[;,] ", told), list(part.motions))
        self.assertEqual(rows["places"].split(", "), [captions.PLACES[name][0] for name in part.backgrounds])
        for name, words in (
            ("东西", [captions.C_SHAPES[shape] for shape in part.objects]),
            ("颜色", [captions.C_COLOURS[colour] + "色的" for colour in part.colours]),
            ("动作", [captions.C_MOTIONS[motion] for motion in part.motions]),
            ("地方", ["在" + captions.C_PLACES[place] for place in part.backgrounds]),
        ):
            self.assertEqual(rows[name].split(", "), words)
        self.assertIn(f" {sum(map(len, captions.SYNONYMS.values()))} synonyms", card)
        pairs = re.search(r"never drawn: (.*?)\.", card.replace("\n", " ")).group(1)
        never = {(colour, place) for colours, places in re.findall(r"([\w, ]+?) on ([\w, ]+?)(?:;|$)", pairs) for colour in colours.strip().split(", ") for place in places.split(", ")}
        self.assertEqual(never, world.UNSEEN)

    def test_the_readme_counts_them(self):
        readme = " ".join((ROOT / "README.md").read_text().split())
        part = world.PART
        counts = [NUMBERS[len(names)] for names in (part.objects, part.colours, part.backgrounds)]
        self.assertIn("one of {} things, in {} colours, before {} backgrounds".format(*counts), readme)


if __name__ == "__main__":
    unittest.main()
