"""Runs the cases of every scenario against one or two servers."""

import collections
import concurrent.futures
import dataclasses
import pathlib
import shutil
import tempfile

from . import client
from .judge import Seen, judge, listed
from .model import FIXTURES
from .origin import Origin
from .server import Refused, Server

# A source on loopback is refused by default; the fake origins live there.
SUBJECT_EXTRA = ("--source-networks", "127.0.0.1/32,::1/128")


@dataclasses.dataclass
class Result:
    section: str
    name: str
    scenario: object
    why: str
    wrong: list
    reference: str = ""
    subject: str = ""
    intended: bool = False  # the row stands in place of the reference's answer


def sides(reference, subject):
    """(name, command line, flags that only this side gets)."""
    return (("reference", reference, ()), ("subject", subject, () if subject == reference else SUBJECT_EXTRA))


class Tools:
    """What a procedure gets: one template to start servers from, and the surroundings."""

    def __init__(self, template, extra, world):
        self.template, self.extra, self.world = template, extra, world
        self.send, self.raw = client.send, client.raw

    def start(self, *flags, env=(), **rest):
        flags = [self.world.expand(flag) for flag in flags]
        return Server(self.template, flags, env, self.extra, **rest)

    def refusal(self, *flags, env=(), **rest):
        """Facts about a start that should fail."""
        try:
            with self.start(*flags, env=env, **rest):
                return "starts"
        except Refused as refused:
            return "refused" if refused.code not in (0, None) else f"exit {refused.code}"


class World:
    """The fake origins and a folder of files around the mount, for one run."""

    def __init__(self):
        self.origin, self.other = Origin(), Origin()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="compat-world-"))
        mount, sibling = self.folder / "mount", self.folder / "mount-sibling"
        for folder in (mount / "sub", sibling):
            folder.mkdir(parents=True)
        for name in ("photo.jpg", "rgb.png"):
            shutil.copy(FIXTURES / name, mount)
        for name in ("sub/deep.png", "a b.png", "a+b.png", "100%.png", "ünï.png", "..dots.png"):
            shutil.copy(FIXTURES / "rgb.png", mount / name)
        shutil.copy(FIXTURES / "rgb.png", sibling / "x.png")
        (mount / "inside.png").symlink_to("sub/deep.png")
        (mount / "outside.png").symlink_to(sibling / "x.png")
        (mount / "empty.png").touch()

    def expand(self, text):
        for mark, value in (("{ORIGIN}", self.origin.place), ("{ORIGIN2}", self.other.place), ("{FIXTURES}", str(FIXTURES)),
                            ("{PORT_OF_ORIGIN}", self.origin.place.split(":")[1]), ("{TMP}", str(self.folder))):
            text = text.replace(mark, value)
        return text

    def close(self):
        self.origin.shutdown()
        self.other.shutdown()
        shutil.rmtree(self.folder, ignore_errors=True)


def ask(case, port, world):
    headers = [(name, world.expand(value)) for name, value in case.headers]
    body = case.body_bytes(world.expand)
    return Seen.of(client.send(port, case.method, world.expand(case.target), headers, body, case.chunked))


def run_case(case, reference, subject, world):
    try:
        one = ask(case, reference.port, world) if reference else None
        two = ask(case, subject.port, world) if subject else None
        if two is None:
            one, two = None, one
        wrong = judge(case, one, two, world.expand)
    except Exception as error:  # a fault of ours must not hide the other cases
        return Result(case.section, case.name, case.scenario, case.why, [f"harness: {type(error).__name__}: {error}"]), None
    shown = one.show() if one else ""
    return Result(case.section, case.name, case.scenario, case.why, wrong, shown, two.show(), bool(case.fix)), one


def run(cases, procedures, reference, subject, jobs=2, on_answer=None):
    """→ results. The reference may stand on both sides. `on_answer(case, seen)` gets the reference's answers (recording)."""
    world, results = World(), []
    groups = collections.defaultdict(list)
    for case in cases:
        groups[case.scenario].append(case)
    try:
        for scenario, group in groups.items():
            results += run_scenario(scenario, group, reference, subject, world, jobs, on_answer)
        for item in procedures:
            results.append(run_procedure(item, reference, subject, world))
    finally:
        world.close()
    return results


def run_scenario(scenario, group, reference, subject, world, jobs, on_answer):
    flags = [world.expand(flag) for flag in scenario.flags]
    started = {}
    try:
        for name, template, extra in sides(reference, subject):
            if template:
                started[name] = Server(template, flags, scenario.env, extra)
    except Refused as refused:
        for server in started.values():
            server.stop()
        fault = [f"{'the subject' if 'reference' in started or not reference else 'the reference'} does not start: {refused}"]
        return [Result(case.section, case.name, scenario, case.why, fault) for case in group]
    try:
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            work = [pool.submit(run_case, case, started.get("reference"), started.get("subject"), world) for case in group]
            results = []
            for case, future in zip(group, work):
                result, seen = future.result()
                results.append(result)
                if on_answer and seen:
                    on_answer(case, seen)
        return results
    finally:
        for server in started.values():
            with server:
                pass


def run_procedure(item, reference, subject, world):
    facts = {}
    for name, template, extra in sides(reference, subject):
        if template:
            try:
                facts[name] = item.run(Tools(template, extra, world))
            except Exception as error:
                facts[name] = {"failure": f"{type(error).__name__}: {error}"}
    theirs, ours = facts.get("reference"), facts.get("subject", facts.get("reference"))
    wrong = []
    for key, value in ours.items():
        if key in item.free:
            continue
        if key in item.fix:
            right = item.fix[key]
            if not (right(value) if callable(right) else value in listed(right) or value == right):
                wrong.append(f"{key}: {value!r}" + ("" if callable(right) else f", not {right!r}"))
        elif key == "failure" or (theirs is not None and value != theirs.get(key)):
            wrong.append(f"{key}: {value!r}, reference {theirs.get(key) if theirs else None!r}")
    return Result(item.section, item.name, None, item.why, wrong, str(theirs)[:600], str(ours)[:600], bool(item.fix))
