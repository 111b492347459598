"""Writes what the reference answers, small enough to keep in the repository.

One entry a line: {scenario, method, path, headers, body, any}; a request without `headers` sends its body as
application/octet-stream. `any` lists the answers that are fine, each with the
fields that count: status, message, text, type, size, alpha, icc, quads (mean R, G, B, A of the four quadrants,
premultiplied), tol. Rows that need an origin, a callable check or more than a fixture as their body are left out.
"""

import base64
import json
import pathlib

from . import runner
from .judge import contract

INLINE = 1500  # bytes of a body that is no fixture


def expectation(expect):
    """An Expect as data, or None when it cannot be written down."""
    if expect.pixels or any(callable(value) for value in (expect.headers or {}).values()):
        return None
    out = {}
    for name in ("status", "message", "message_has", "size", "format", "alpha", "orientation", "icc", "exif", "headers", "json"):
        value = getattr(expect, name)
        if value is not None:
            out[name] = list(value) if isinstance(value, tuple) else value
    return out


def tolerance(case, picture):
    """By how much the means of a quadrant may differ: nothing to speak of where nothing is resampled, much in pictures
    of a few pixels, where every kernel gives another answer."""
    if case.exact and picture.format == "PNG":
        return 4
    if min(picture.size) <= 20 or 0 < case.floor < 25:
        return 40 if max(picture.size) <= 4 else 24
    return 14 if case.pixels == "near" or case.floor else 8


def answer(case, seen):
    reply, picture = seen.answer, seen.picture
    out = {"status": reply.status}
    headers = {name: reply.header(name) for name in ("vary", "image-width", "image-height", "cache-control", "error",
                                                     "access-control-allow-origin") if reply.header(name)}
    if headers:
        out["headers"] = headers
    if picture:
        out.update(type=reply.kind(), size=list(picture.size), alpha=picture.alpha, icc=picture.icc)
        if case.slack:
            out["slack"] = case.slack
        elif case.pixels != "skip":
            out["quads"] = [[round(value) for value in quad] for quad in picture.quads()]
            out["tol"] = tolerance(case, picture)
    elif reply.message() is not None:
        text, whole = contract(reply.message())
        out["message" if whole else "message_has"] = text
    elif reply.kind() == "application/json" and reply.status == 200:
        out["json"] = reply.json()
    else:
        out["type"] = reply.kind()
    return out


def entry(case, seen):
    text = " ".join([case.target, *case.scenario.flags, *(value for _, value in case.headers)])
    if not case.recordable or any(mark in text for mark in ("{ORIGIN", "{PORT_OF", "{TMP}")) or case.method not in ("GET", "POST") or case.length:
        return None
    out = {"scenario": {"flags": list(case.scenario.flags)}, "method": case.method, "path": case.target}
    if case.scenario.env:
        out["scenario"]["env"] = dict(case.scenario.env)
    if case.headers != (("Content-Type", "application/octet-stream"),):  # the default of a request with a body
        out["headers"] = [list(pair) for pair in case.headers]
    if isinstance(case.body, str):
        out["body"] = {"fixture": case.body}
    elif case.body is not None and len(case.body) <= INLINE:
        out["body"] = {"base64": base64.b64encode(case.body).decode()}
    elif case.body is not None:
        return None
    if case.chunked:
        out["chunked"] = True
    if case.fix:
        options = [expectation(case.fix)]
    else:
        options = [answer(case, seen)] if seen.answer.status else []
        options += [expectation(option) for option in case.free]
    options = [option for option in options if option]
    if not options:
        return None
    out["any"] = options
    if case.why:
        out["why"] = case.why
    return out


def write(path, reference, cases, jobs):
    kept = {}

    def keep(case, seen):
        if row := entry(case, seen):
            kept[id(case)] = row

    # The reference stands on both sides: only its own answers are wanted.
    results = runner.run(cases, [], reference, reference, jobs, keep)
    rows = [kept[id(case)] for case in cases if id(case) in kept]
    scenarios = []
    for row in rows:
        if row["scenario"] not in scenarios:
            scenarios.append(row["scenario"])
        row["scenario"] = scenarios.index(row["scenario"])
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    heads = ",\n".join(json.dumps(item, separators=(",", ":")) for item in scenarios)
    target = pathlib.Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f'{{"scenarios":[\n{heads}\n],"cases":[\n{lines}\n]}}\n')
    unstable = sum(bool(result.wrong) and not result.intended for result in results)
    print(f"{len(rows)} of {len(cases)} rows recorded in {target} ({target.stat().st_size // 1024} KiB), {unstable} unstable")
    return 0
