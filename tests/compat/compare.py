#!/usr/bin/env python3
"""Runs imaginary and Phasor side by side over every section of the HTTP API and reports each difference.

    compare.py --reference 'imaginary {args}' --subject 'target/release/phasor {args}'
    compare.py --subject 'target/release/phasor {args}'          only the rows that need no reference
    compare.py --reference 'imaginary {args}' --record ../data/reference.json
    compare.py --list --only 'zoom'

Needs Python 3.9+ and Pillow. Ends with 1 when a row fails. See README.md beside this file.
"""

import argparse
import collections
import importlib
import json
import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness import model, record, runner  # noqa: E402


def load():
    for path in sorted((HERE / "cases").glob("*.py")):
        importlib.import_module(f"cases.{path.stem}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", help="command line of the reference; {args} marks where flags go")
    parser.add_argument("--subject", help="command line of the server under test")
    parser.add_argument("--only", default="", metavar="PATTERN", help="rows whose section, request or flags match (regex)")
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON")
    parser.add_argument("--record", metavar="FILE", help="write the reference's answers for the tests that run without it")
    parser.add_argument("--jobs", type=int, default=2, help="requests in flight (2)")
    parser.add_argument("--list", action="store_true", help="print the rows and end")
    parser.add_argument("--brief", action="store_true", help="one line a failure")
    options = parser.parse_args()
    load()
    wanted = re.compile(options.only, re.IGNORECASE)
    cases = [case for case in model.CASES if wanted.search(f"{case.section} | {case.name} | {' '.join(case.scenario.flags)}")]
    procedures = [item for item in model.PROCEDURES if wanted.search(f"{item.section} | {item.name}")]
    if options.list:
        for item in [*cases, *procedures]:
            print(f"{item.section} | {item.name}")
        print(f"{len(cases)} requests, {len(procedures)} procedures")
        return 0
    if not (options.reference or options.subject):
        parser.error("give --reference, --subject or both")
    if options.record:
        return record.write(options.record, options.reference, cases, options.jobs)
    began = time.monotonic()
    results = runner.run(cases, procedures, options.reference, options.subject, options.jobs)
    return report(results, options, time.monotonic() - began)


def report(results, options, seconds):
    sections = collections.OrderedDict()
    for result in results:
        sections.setdefault(result.section, []).append(result)
    for result in results:
        if not result.wrong:
            continue
        mark = "FIX " if result.intended else ""
        print(f"✗ {result.section} | {result.name}\n    {mark}{'; '.join(result.wrong)[:900]}")
        if not options.brief:
            flags = " ".join(result.scenario.flags) if result.scenario else ""
            for label, text in (("why", result.why), ("flags", flags), ("reference", result.reference), ("subject", result.subject)):
                if text:
                    print(f"    {label}: {text[:600]}")
    print()
    for section, group in sorted(sections.items()):
        passed = sum(not result.wrong for result in group)
        print(f"{'✓' if passed == len(group) else '✗'} {section:<44} {passed}/{len(group)}")
    failed = [result for result in results if result.wrong]
    fixes = sum(result.intended for result in failed)
    print(f"\n{len(results) - len(failed)} of {len(results)} rows pass, {len(failed)} fail ({fixes} of them marked FIX), {seconds:.0f} s")
    if options.json:
        rows = [{"section": r.section, "name": r.name, "flags": list(r.scenario.flags) if r.scenario else [], "why": r.why,
                 "fix": r.intended, "wrong": r.wrong, "reference": r.reference, "subject": r.subject} for r in results]
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
