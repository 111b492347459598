#!/usr/bin/env python3
"""`phasor capacity` against a real server under load: is its queueing true on this machine?

    capacity_check.py --phasor target/release/phasor --pictures FOLDER [--request '/resize?width=300'] [--seconds 28]

Measures service times with `phasor bench`, then sends open-loop Poisson arrivals (a request is sent when its time has come,
whether or not others are still under way, and its time counts from then) at shares of what one thread can do, and lets
`phasor capacity` say what should come of the very same arrival times. Twice: with the bench's times as they are, and
with the same distribution at the mean that the server's threads had in that run, which shows the queueing alone. Exits with
1 when p50, p99 or the busy share of the latter is off by more than --tolerance. Needs nothing beside Python. Let nothing
else run on the machine (the last column says what did), which must have one processor more than --threads.
"""
import argparse
import asyncio
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def stages(admin):
    """Seconds that threads have worked, and jobs done."""
    text = urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=10).read().decode()
    figure = lambda name, stage: next(
        (float(l.rsplit(" ", 1)[1]) for l in text.splitlines() if l.startswith(f'phasor_stage_duration_seconds_{name}{{stage="{stage}"')), 0.0
    )
    return sum(figure("sum", s) for s in ("decode", "steps", "encode")), figure("count", "encode")


def processors():
    """Seconds that all processors together have worked, and seconds of them."""
    tick = os.sysconf("SC_CLK_TCK")
    fields = [int(field) / tick for field in open("/proc/stat").readline().split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


def own_seconds(pid):
    """Processor seconds of the server and of this program."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + time.process_time()


class Client:
    """Kept connections; a request takes an idle one or opens another."""

    def __init__(self, port):
        self.port, self.idle = port, []

    async def get(self, target):
        reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        length = next(int(l.split(b":")[1]) for l in head.lower().split(b"\r\n") if l.startswith(b"content-length:"))
        await reader.readexactly(length)
        self.idle.append((reader, writer))
        return status


async def load(client, targets, arrivals):
    """Seconds of each request from the moment at which it had to be sent, and how many were refused."""
    begun, times, refused = time.perf_counter() + 0.1, [], 0
    # The simulation does not count the first tenth either.
    counted = arrivals[len(arrivals) // 10]

    async def one(at, target):
        nonlocal refused
        status = await client.get(target)
        if status != 200:
            refused += 1
        elif at >= counted:
            times.append(time.perf_counter() - begun - at)

    tasks = []
    for at in arrivals:
        wait = begun + at - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(at, random.choice(targets))))
    await asyncio.gather(*tasks)
    return times, refused


def quantile(times, share):
    times = sorted(times)
    return times[round((len(times) - 1) * share)]


def capacity(phasor, folder, service, overhead, arrivals, threads):
    """What is foretold for these arrivals: the mean of several runs of chance."""
    with open(os.path.join(folder, "arrivals"), "w") as out:
        out.write("\n".join(f"{at:.6f}" for at in arrivals))
    runs = []
    for seed in range(1, 10):
        text = {
            "arrivals": "arrivals",
            "mix": [{"name": "all", "service": service, "overhead_ms": overhead * 1e3}],
            "nodes": [{"name": "this", "threads": threads, "count": 1}],
            "seed": seed,
        }
        path = os.path.join(folder, "capacity.json")
        with open(path, "w") as out:
            json.dump(text, out)
        runs.append(json.loads(subprocess.run([phasor, "capacity", path, "-json"], check=True, capture_output=True).stdout)[0])
    return {name: statistics.mean(run[name] for run in runs) for name in ("p50_ms", "p99_ms", "threads_busy", "shed")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phasor", required=True)
    parser.add_argument("--pictures", required=True)
    parser.add_argument("--request", default="/resize?width=300")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--loads", default="0.5,0.7,0.85")
    parser.add_argument("--seconds", type=float, default=28)
    parser.add_argument("--bench-seconds", type=float, default=5)
    parser.add_argument("--tolerance", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random.seed(args.seed)
    folder = tempfile.mkdtemp()
    common = [args.pictures, "-request", args.request, "-vips", "off", "-gpu", "off", "-json"]
    measured = subprocess.run(
        [args.phasor, "bench", *common, "-threads", str(args.threads), "-seconds", str(args.bench_seconds)], check=True, capture_output=True
    ).stdout
    row = json.loads(measured)["rows"][0]
    bench = os.path.join(folder, "bench.json")
    with open(bench, "wb") as out:
        out.write(measured)
    mean = row["mean_ms"] / 1e3

    port, admin = free_port(), free_port()
    server = subprocess.Popen(
        [args.phasor, "-a", "127.0.0.1", "-p", str(port), "-admin-port", str(admin), "-mount", args.pictures, "-gpu", "off",
         "-cpus", str(args.threads), "-log-level", "none"],
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=1)
                break
            except OSError:
                time.sleep(0.05)
        client = Client(port)
        join = "&" if "?" in args.request else "?"
        every = [f"{args.request}{join}file={urllib.parse.quote(name)}" for name in sorted(os.listdir(args.pictures))]
        loop = asyncio.new_event_loop()
        status = {target: loop.run_until_complete(client.get(target)) for target in every}
        targets = [target for target in every if status[target] == 200]
        # What a request takes besides its time on a thread: one after the other, nothing waits.
        before, alone = stages(admin), []
        for _ in range(max(1, 150 // len(targets))):
            for target in targets:
                begun = time.perf_counter()
                loop.run_until_complete(client.get(target))
                alone.append(time.perf_counter() - begun)
        after = stages(admin)
        own = (after[0] - before[0]) / (after[1] - before[1])
        overhead = max(0.0, statistics.mean(alone) - own)
        print(f"{len(targets)} pictures, {args.threads} thread(s): {mean * 1e3:.2f} ms a picture by the bench, "
              f"{own * 1e3:.2f} ms by the server, {overhead * 1e3:.2f} ms besides; saturation {args.threads / mean:.1f} a second\n")
        print("| load | requests | service ms | real: p50, p99 ms, busy | by the bench alone | off | its shape, the run's mean | off | others |")
        print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        # This program on the last processor, so that it and the server's thread are not put on one.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        good = True
        for share in map(float, args.loads.split(",")):
            rate, at, arrivals = share * args.threads / mean, 0.0, []
            while at < args.seconds:
                at += random.expovariate(rate)
                arrivals.append(at)
            before, all_before, own_before = stages(admin), processors(), own_seconds(server.pid)
            times, refused = loop.run_until_complete(load(client, targets, arrivals))
            after, all_after, own_after = stages(admin), processors(), own_seconds(server.pid)
            worked, jobs = (after[0] - before[0]), (after[1] - before[1])
            others = (all_after[0] - all_before[0] - (own_after - own_before)) / (all_after[1] - all_before[1])
            real = {"p50_ms": quantile(times, 0.5) * 1e3, "p99_ms": quantile(times, 0.99) * 1e3,
                    "threads_busy": worked / arrivals[-1] / args.threads}
            by_bench = capacity(args.phasor, folder, {"bench": bench}, overhead, arrivals, args.threads)
            same_mean = {"quantiles_ms": row["quantiles_ms"], "mean_ms": worked / jobs * 1e3}
            by_mean = capacity(args.phasor, folder, same_mean, overhead, arrivals, args.threads)
            off = lambda foretold: max((foretold[name] / real[name] - 1 for name in real), key=abs)
            shown = lambda f: f"{f['p50_ms']:.1f}, {f['p99_ms']:.1f}, {f['threads_busy']:.1%}"
            good = good and abs(off(by_mean)) <= args.tolerance and refused == 0
            print(f"| {share:.0%} | {len(arrivals)} | {worked / jobs * 1e3:.2f} | {shown(real)} | {shown(by_bench)} | {off(by_bench):+.0%} "
                  f"| {shown(by_mean)} | {off(by_mean):+.0%} | {others:.0%} |", flush=True)
            if refused:
                print(f"{refused} requests were refused", file=sys.stderr)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
    sys.exit(0 if good else 1)


main()
