#!/usr/bin/env python3
"""Makes an HTML page of what `t2v bench --json` wrote: a table, and plots of time by phase and of time against tokens.

    scripts/t2v bench e2e.model --json | scripts/bench_page.py > bench.html
    scripts/bench_page.py now.json > bench.html

The page is one file and needs no network.
"""

import json
import math
import sys
from html import escape
from pathlib import Path

STYLE = """
body { font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color: #222; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { padding: .25em .6em; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; }
text { font: 12px sans-serif; fill: #222; }
@media (prefers-color-scheme: dark) {
  body { background: #181818; color: #ddd; } text { fill: #ddd; } th, td { border-color: #444; }
}
"""
COLORS = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377"]
HEADINGS = ["case", "dtype", "median s", "p10", "p90", "TFLOP/s", "share %", "memory GiB", "attention", "GPU s", "J", "price/run", "note"]


def number(value, form=".4g"):
    return "" if value is None else format(value, form)


def table(report):
    rows = []
    for result in report["results"]:
        share = result["share"]
        cells = [result["name"], result["dtype"], *(number(result[key]) for key in ("median", "p10", "p90", "tflops")),
                 number(None if share is None else 100 * share, ".0f"), number(result["peak_bytes"] / 2**30, ".2f"),
                 result["attention"], *(number(result[key]) for key in ("gpu_seconds", "joules", "price")), result["note"]]  # fmt: skip
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>\n")
    heading = "<tr>" + "".join(f"<th>{title}</th>" for title in HEADINGS) + "</tr>\n"
    lines = []
    if report["price_per_hour"] is not None:
        lines.append(f"price/run: of a clip for e2e; the machine at {report['price_per_hour']:g} an hour, in that currency.")
    for case in report["failed"] + report["skipped"]:
        lines.append(f"{case['name']} was not timed: {case['reason']}")
    return f"<table>{heading}{''.join(rows)}</table>\n" + "".join(f"<p>{escape(line)}</p>\n" for line in lines)


def text(x, y, words, color=None):
    fill = f' fill="{color}"' if color else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{fill}>{escape(words)}</text>\n'


def phases_plot(report):
    """One bar for each whole clip, divided into its phases."""
    left, width, height = 150, 700, 30
    clips = [result for result in report["results"] if result["phases"]]
    if not clips:
        return ""
    longest = max(sum(clip["phases"].values()) for clip in clips) or 1
    drawn, top = "", 10
    for clip in clips:
        drawn += text(0, top + 20, clip["name"])
        x = left
        for index, (name, seconds) in enumerate(clip["phases"].items()):
            color = COLORS[index % len(COLORS)]
            share = width * seconds / longest
            drawn += f'<rect x="{x:.1f}" y="{top}" width="{share:.1f}" height="{height}" fill="{color}"/>'
            drawn += text(left + 160 * index, top + height + 18, f"\u25a0 {name} {seconds:.3g} s", color)
            x += share
        top += height + 40
    return f'<h2>Time by phase</h2>\n<svg viewBox="0 0 900 {top}" role="img" aria-label="time by phase">\n{drawn}</svg>\n'


class DecadeAxis:
    """An axis on a logarithmic scale of whole decades, drawn from `begin` to `end`."""

    def __init__(self, values, begin, end):
        self.first = math.floor(math.log10(min(values)))
        self.last = max(math.ceil(math.log10(max(values))), self.first + 1)
        self.begin, self.end = begin, end

    def at(self, value):
        return self.begin + (self.end - self.begin) * (math.log10(value) - self.first) / (self.last - self.first)

    def ticks(self):
        return [10.0**decade for decade in range(self.first, self.last + 1)]


def cost_plot(report):
    """Time against tokens, with a colour for each kind of case."""
    left, right, top, bottom = 70, 830, 20, 380
    results = [result for result in report["results"] if result["tokens"] > 0]
    if not results:
        return ""
    tokens = DecadeAxis([result["tokens"] for result in results], left, right)
    seconds = DecadeAxis([result["median"] for result in results], bottom, top)
    line = '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="#8884"/>'
    drawn = ""
    for tick in tokens.ticks():
        drawn += line.format(tokens.at(tick), top, tokens.at(tick), bottom) + text(tokens.at(tick) - 8, bottom + 18, f"{tick:.0f}")
    for tick in seconds.ticks():
        drawn += line.format(left, seconds.at(tick), right, seconds.at(tick)) + text(0, seconds.at(tick) + 4, f"{tick:g} s")
    kinds = []
    for result in results:
        kind = result["name"].split(".")[0]
        if kind not in kinds:
            kinds.append(kind)
        x, y = tokens.at(result["tokens"]), seconds.at(result["median"])
        drawn += f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{COLORS[kinds.index(kind) % len(COLORS)]}"/>'
        drawn += text(x + 8, y + 4, result["name"])
    return f'<h2>Time against tokens</h2>\n<svg viewBox="0 0 980 420" role="img" aria-label="time against tokens">\n{drawn}</svg>\n'


def page(report):
    about = f"{report['device_name']}, t2v {report['t2v']}, LibTorch {report['libtorch']}"
    if report["driver"]:
        about += f", driver {report['driver']}"
    products = "".join(f"{dtype} {tflops:.4g} TFLOP/s; " for dtype, tflops in report["ceilings"].items())
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>t2v bench</title>\n<style>{STYLE}</style></head><body>\n'
            f"<h1>t2v bench</h1>\n<p>{escape(about)}</p>\n<p>Matrix products: {escape(products)}share is relative to these.</p>\n"
            f"{table(report)}{phases_plot(report)}{cost_plot(report)}</body></html>\n")  # fmt: skip


def main():
    source = sys.argv[1] if len(sys.argv) > 1 else "-"
    try:
        report = json.loads(sys.stdin.read() if source == "-" else Path(source).read_text())
        html = page(report)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        sys.exit(f"bench_page.py: reading {source}: expected what t2v bench --json wrote: {error!r}")
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(html)


if __name__ == "__main__":
    main()
