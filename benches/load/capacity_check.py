#!/usr/bin/env python3
"""`phasor capacity` against a real server under load: is what it foretells true on this machine?

    capacity_check.py --phasor target/release/phasor --pictures FOLDER [--request '/resize?width=300'] [--seconds 18]

Measures service times with `phasor bench` (its line `served`), then sends open-loop Poisson arrivals (a request is sent when
its time has come, whether or not others are still under way) at shares of what the threads can do, and lets `phasor
capacity` say what should come of the moments at which they were really sent. Twice: with what the bench says as it is,
which is what decides, and with the same distribution at the mean that the server's threads had in that run, which shows the
queueing alone. Times are the server's own, from a request's head to its answer. Exits with 1 when p50, p99 or the busy
share of the former is off by more than --tolerance. Needs nothing beside Python. Let nothing else run on the machine (the
last column says what did), which must have one processor more than --threads: what the client takes of the threads'
processors is no longer the server's time.
"""
import argparse
import json
import os
import random
import select
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
    """Kept connections; a request takes an idle one or opens another. One loop over plain sockets, because this program must
    not take the server's processors."""

    def __init__(self, port):
        self.port, self.idle = port, []

    def send(self, target):
        if self.idle:
            connection = self.idle.pop()
        else:
            connection = socket.create_connection(("127.0.0.1", self.port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The time of connecting is no time of the server's.
        at = time.perf_counter()
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return connection, at

    def status(self, got):
        """Of a whole answer; nothing while there is more to come."""
        head, found, body = got.partition(b"\r\n\r\n")
        if not found:
            return None
        length = next(int(l.split(b":")[1]) for l in head.lower().split(b"\r\n") if l.startswith(b"content-length:"))
        return int(head.split(b" ", 2)[1]) if len(body) >= length else None

    def load(self, targets, arrivals):
        """When each request was sent, the seconds that each took, its status: in the order of sending."""
        begun, under_way, sent, took, status = time.perf_counter() + 0.1, {}, [], {}, {}
        while len(took) < len(arrivals):
            while len(sent) < len(arrivals) and begun + arrivals[len(sent)] <= time.perf_counter():
                connection, at = self.send(targets[len(sent)])
                under_way[connection] = [len(sent), b""]
                sent.append(at - begun)
            # `select` sleeps to the microsecond, `epoll` to the millisecond.
            wait = begun + arrivals[len(sent)] - time.perf_counter() if len(sent) < len(arrivals) else 60
            readable, _, _ = select.select(list(under_way), [], [], max(0, wait))
            if not readable and len(sent) == len(arrivals):
                raise TimeoutError("no answer for a minute")
            for connection in readable:
                request = under_way[connection]
                more = connection.recv(1 << 20)
                if not more:
                    raise ConnectionError(f"{targets[request[0]]}: closed in the middle")
                request[1] += more
                answered = self.status(request[1])
                if answered is not None:
                    took[request[0]] = time.perf_counter() - begun - sent[request[0]]
                    status[request[0]] = answered
                    del under_way[connection]
                    self.idle.append(connection)
        in_order = range(len(arrivals))
        return sent, [took[n] for n in in_order], [status[n] for n in in_order]


def logged(log, wanted):
    """What the server tells of its last requests, by its own clock: seconds of each."""
    while True:
        with open(log) as lines:
            told = [json.loads(line) for line in lines if line.endswith("\n")]
        if len(told) >= wanted:
            return [line["duration"] for line in told]
        time.sleep(0.05)


def children_seconds():
    """Processor seconds of programs that this one has started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def quantile(times, share):
    times = sorted(times)
    return times[round((len(times) - 1) * share)]


def capacity(phasor, folder, kind, arrivals, threads):
    """What is foretold for a kind of request and these arrivals: the mean of several runs of chance."""
    with open(os.path.join(folder, "arrivals"), "w") as out:
        out.write("\n".join(f"{at:.6f}" for at in arrivals))
    runs = []
    for seed in range(1, 10):
        text = {
            "arrivals": "arrivals",
            "mix": [{"name": "all", **kind}],
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
    parser.add_argument("--seconds", type=float, default=18)
    parser.add_argument("--bench-seconds", type=float, default=5)
    parser.add_argument("--tolerance", type=float, default=0.2)
    parser.add_argument("--others", type=float, default=0.08, help="share of the machine that others may take, else the load is run again")
    parser.add_argument("--tries", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random.seed(args.seed)
    folder = tempfile.mkdtemp()
    common = [args.pictures, "-request", args.request, "-vips", "off", "-gpu", "off", "-json", "-threads", str(args.threads), "-work", "served"]
    bench, log = os.path.join(folder, "bench.json"), os.path.join(folder, "access.log")

    def measured():
        """The bench's row. Before each load anew: processors have hours at which they are slower, and near
        saturation 4 % of service time are 25 % of waiting."""
        report = subprocess.run([args.phasor, "bench", *common, "-seconds", str(args.bench_seconds)], check=True, capture_output=True).stdout
        with open(bench, "wb") as out:
            out.write(report)
        return json.loads(report)["rows"][0]

    port, admin = free_port(), free_port()
    server = subprocess.Popen(
        [args.phasor, "-a", "127.0.0.1", "-p", str(port), "-admin-port", str(admin), "-mount", args.pictures, "-gpu", "off",
         "-cpus", str(args.threads), "-log-format", "json"],
        stdout=open(log, "wb"), stderr=subprocess.DEVNULL,
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
        _, _, status = client.load(every, [0.0] * len(every))
        targets = [target for target, answered in zip(every, status) if answered == 200]
        # This program on the last processor, so that it and the server's thread are not put on one.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        print(f"{len(targets)} pictures, {args.threads} thread(s); times in ms\n")
        print("| load | requests | service, besides: bench; server | real: p50, p99, busy | by the bench | off | its shape, the run's mean | off | client's own | others |")
        print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        good = True
        left = {share: args.tries for share in map(float, args.loads.split(","))}
        while left:
            share = next(iter(left))
            left[share] -= 1
            all_before, own_before, children = processors(), own_seconds(server.pid), children_seconds()
            row = measured()
            mean = row["mean_ms"] / 1e3
            rate, at, arrivals = share * args.threads / mean, 0.0, []
            while at < args.seconds:
                at += random.expovariate(rate)
                arrivals.append(at)
            before, lines = stages(admin), len(logged(log, 0))
            sent, took, status = client.load(random.choices(targets, k=len(arrivals)), arrivals)
            after, all_after, own_after = stages(admin), processors(), own_seconds(server.pid)
            refused = sum(answered != 200 for answered in status)
            # The simulation does not count the first tenth either. By the server's clock: the client's has the client in it.
            times = logged(log, lines + len(arrivals))[lines + len(arrivals) // 10 :]
            client_ms = (statistics.mean(took[len(took) // 10 :]) - statistics.mean(times)) * 1e3
            worked, jobs = (after[0] - before[0]), (after[1] - before[1])
            ours = own_after - own_before + children_seconds() - children
            others = max(0.0, all_after[0] - all_before[0] - ours) / (all_after[1] - all_before[1])
            if others <= args.others:
                del left[share]
            elif left[share]:
                print(f"{share:.0%} again: other programs took {others:.0%} of the machine", file=sys.stderr)
                continue
            else:
                sys.exit(f"{share:.0%}: other programs took {others:.0%} of the machine, {args.tries} times")
            real = {"p50_ms": quantile(times, 0.5) * 1e3, "p99_ms": quantile(times, 0.99) * 1e3,
                    "threads_busy": worked / sent[-1] / args.threads}
            by_bench = capacity(args.phasor, folder, {"service": {"bench": bench}}, sent, args.threads)
            same_shape = {"quantiles_ms": row["quantiles_ms"], "mean_ms": worked / jobs * 1e3}
            by_mean = capacity(args.phasor, folder, {"service": same_shape, "overhead_ms": row["besides_ms"]}, sent, args.threads)
            off = lambda foretold: [foretold[name] / real[name] - 1 for name in real]
            worst = lambda foretold: max(map(abs, off(foretold)))
            shown = lambda f: f"{f['p50_ms']:.1f}, {f['p99_ms']:.1f}, {f['threads_busy']:.1%}"
            good = good and worst(by_bench) <= args.tolerance and refused == 0
            percents = lambda foretold: ", ".join(f"{one:+.0%}" for one in off(foretold))
            print(f"| {share:.0%} | {len(arrivals)} | {mean * 1e3:.2f}, {row['besides_ms']:.2f}; {worked / jobs * 1e3:.2f} | {shown(real)} | {shown(by_bench)} | {percents(by_bench)} "
                  f"| {shown(by_mean)} | {percents(by_mean)} | {client_ms:.2f} | {others:.0%} |", flush=True)
            if refused:
                print(f"{refused} requests were refused", file=sys.stderr)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
    sys.exit(0 if good else 1)


main()
