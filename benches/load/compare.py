#!/usr/bin/env python3
"""Whole servers against each other on one machine: requests a second, latency, processor time and peak memory.

    compare.py 'phasor=target/release/phasor -p {port} -mount {mount}' 'imaginary=imaginary -p {port} -mount {mount}'

A target is NAME=COMMAND; any server that answers imaginary's URLs will do. The first is the one that ratios are about.
Servers take turns case by case and repetition by repetition, since machines are noisy: believe the ratios. An answer of
another status, type or size than the case wants stops the comparison: fast but wrong counts for nothing.

Needs wrk, and Pillow with numpy to make the pictures once (--pictures FOLDER; kept between runs).
"""
import argparse
import os
import shlex
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

# name: what it is, request, type and width of the answer
CASES = {
    "12MP": ("JPEG of 12 MP to 300 px", "resize?width=300&type=jpeg&quality=80&file=12mp-{n}.jpg", "image/jpeg", 300),
    "12MP-progressive": ("progressive JPEG of 12 MP to 300 px", "resize?width=300&type=jpeg&quality=80&file=12mp-p-{n}.jpg", "image/jpeg", 300),
    "12MP-large": ("JPEG of 12 MP to 1600 px", "resize?width=1600&type=jpeg&quality=80&file=12mp-{n}.jpg", "image/jpeg", 1600),
    "2MP": ("JPEG of 2 MP to 200 px", "resize?width=200&type=jpeg&quality=80&file=2mp-{n}.jpg", "image/jpeg", 200),
    "2MP-crop": ("JPEG of 2 MP cropped to 320×320 as WebP", "crop?width=320&height=320&type=webp&quality=80&file=2mp-{n}.jpg", "image/webp", 320),
    "2MP-png": ("PNG of 2 MP to 400 px as WebP", "resize?width=400&type=webp&quality=80&file=2mp-{n}.png", "image/webp", 400),
    "2MP-webp": ("WebP of 2 MP to 400 px as JPEG", "resize?width=400&type=jpeg&quality=80&file=2mp-{n}.webp", "image/jpeg", 400),
    "2MP-blur": ("JPEG of 2 MP blurred, sigma 10", "blur?sigma=10&type=jpeg&quality=80&file=2mp-{n}.jpg", "image/jpeg", 1920),
}
FILES = 4
LUA = """
local n, paths = 0, {%s}
request = function() n = n + 1; return wrk.format("GET", paths[(n - 1) %% #paths + 1]) end
done = function(s, l) io.write(string.format("\\n@ %%d %%d %%d %%f %%f\\n", s.duration, s.requests,
  s.errors.connect + s.errors.read + s.errors.write + s.errors.status + s.errors.timeout, l:percentile(50) / 1000, l:percentile(99) / 1000)) end
"""


def make_pictures(folder):
    """Noise whose strength falls with its frequency, as in photographs, with a little grain."""
    import numpy
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for n in range(FILES):
        for name, width, height in (("12mp", 4000, 3000), ("2mp", 1920, 1080)):
            if (folder / f"{name}-{n}.jpg").exists():
                continue
            random = numpy.random.default_rng(n)
            planes = []
            for _ in range(3):
                fy, fx = numpy.fft.fftfreq(height)[:, None], numpy.fft.rfftfreq(width)[None, :]
                falling = 1 / numpy.maximum(numpy.hypot(fx, fy), 1 / width) ** 1.1
                phase = numpy.exp(2j * numpy.pi * random.random(falling.shape))
                plane = numpy.fft.irfft2(falling * phase, (height, width))
                planes.append(plane / plane.std())
            luma, blue, red = planes
            rgb = numpy.stack([luma + 0.3 * red, luma, luma + 0.3 * blue], -1) * 45 + 128 + random.normal(0, 2.5, (height, width, 1))
            image = Image.fromarray(rgb.clip(0, 255).astype("uint8"))
            if name == "12mp":
                image.save(folder / f"12mp-p-{n}.jpg", quality=88, progressive=True)
            else:
                image.save(folder / f"2mp-{n}.png", compress_level=6)
                image.save(folder / f"2mp-{n}.webp", quality=82)
            image.save(folder / f"{name}-{n}.jpg", quality=88)


class Server:
    def __init__(self, target, mount):
        self.name, command = target.split("=", 1)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = command.format(port=self.port, mount=mount)
        self.process = subprocess.Popen(shlex.split(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        for _ in range(200):
            time.sleep(0.05)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
        sys.exit(f"{self.name} does not listen: {command}")

    def pids(self):
        """The process and what it started."""
        parents = {}
        for entry in Path("/proc").iterdir():
            try:
                parents.setdefault(int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]), []).append(int(entry.name))
            except (OSError, ValueError, IndexError):
                pass
        found, todo = [], [self.process.pid]
        while todo:
            found.append(todo.pop())
            todo += parents.get(found[-1], [])
        return found

    def cpu_seconds(self):
        stats = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in self.pids()]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")

    def reset_peak(self):
        for pid in self.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak_mib(self):
        lines = [line for pid in self.pids() for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def width_of(kind, body):
    if kind == "image/webp":
        if body[12:16] == b"VP8 ":
            return struct.unpack("<H", body[26:28])[0] & 0x3FFF
        return (struct.unpack("<I", body[21:25])[0] & 0x3FFF) + 1 if body[12:16] == b"VP8L" else int.from_bytes(body[24:27], "little") + 1
    at = 2
    while not (0xC0 <= body[at + 1] <= 0xC2):
        at += 2 + struct.unpack(">H", body[at + 2 : at + 4])[0]
    return struct.unpack(">H", body[at + 7 : at + 9])[0]


def check(server, case):
    _, path, kind, width = CASES[case]
    for n in range(FILES):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/{path.format(n=n)}") as answer:
            body = answer.read()
            got = (answer.headers.get_content_type(), width_of(kind, body))
            if got != (kind, width):
                sys.exit(f"{server.name} answers {case} with {got}, wanted {(kind, width)}")


def load(server, case, connections, seconds, script):
    paths = [f'"/{CASES[case][1].format(n=n)}"' for n in range(FILES)]
    script.write_text(LUA % ", ".join(paths))
    server.reset_peak()
    before = server.cpu_seconds()
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", script, f"http://127.0.0.1:{server.port}"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("@"))
    microseconds, requests, errors, p50, p99 = (float(word) for word in line.split()[1:])
    if errors or not requests:
        sys.exit(f"{server.name}, {case}: {errors:.0f} errors in {requests:.0f} requests")
    cpu = (server.cpu_seconds() - before) / requests * 1000
    return requests / microseconds * 1e6, p50, p99, cpu, server.peak_mib()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="+", metavar="NAME=COMMAND")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--pictures", type=Path, default=Path("target/load-pictures"))
    options = parser.parse_args()
    make_pictures(options.pictures)
    servers = [Server(target, options.pictures.resolve()) for target in options.targets]
    script = options.pictures / "wrk.lua"
    try:
        print("| case | server | requests/s | p50 ms | p99 ms | CPU ms/request | peak MiB | times |\n|---|---|---:|---:|---:|---:|---:|---:|")
        for case in options.cases.split(","):
            for server in servers:
                check(server, case)
            runs = {server.name: [] for server in servers}
            for _ in range(options.repeat):
                for server in servers:
                    runs[server.name].append(load(server, case, options.connections, options.seconds, script))
            first = runs[servers[0].name]
            for server in servers:
                rps, p50, p99, cpu, peak = (statistics.median(column) for column in zip(*runs[server.name]))
                ratio = statistics.median(ours[0] / theirs[0] for ours, theirs in zip(first, runs[server.name]))
                print(f"| {CASES[case][0]} | {server.name} | {rps:.1f} | {p50:.0f} | {p99:.0f} | {cpu:.1f} | {peak:.0f} | {ratio:.2f} |", flush=True)
    finally:
        for server in servers:
            server.stop()


if __name__ == "__main__":
    main()
