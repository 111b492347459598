#!/bin/sh
# Builds a fuzz target on the stable toolchain and runs it: ./run.sh TARGET [libFuzzer options and files]
set -eu
cd "$(dirname "$0")"
target=${1:?"a target: $(ls fuzz_targets | sed 's/\.rs$//' | tr '\n' ' ')"}
shift
[ -f Cargo.lock ] || cp ../Cargo.lock . # the versions that the server is built with
host=$(rustc -vV | sed -n 's/^host: //p')
# --target keeps the instrumentation out of build scripts and macros.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1" \
    cargo build --release --target "$host" --bin "$target"
mkdir -p "corpus/$target" "artifacts/$target"
dict=
[ ! -f "dict/$target.dict" ] || dict="-dict=dict/$target.dict"
for argument in "$@"; do
    # Files to replay: neither a corpus nor a dictionary is wanted.
    [ ! -f "$argument" ] || exec "target/$host/release/$target" "$@"
done
seeds=
[ ! -d "regressions/$target" ] || seeds="regressions/$target"
# Found inputs go into the first folder.
# shellcheck disable=SC2086
exec "target/$host/release/$target" $dict "-artifact_prefix=artifacts/$target/" -timeout=10 -rss_limit_mb=1024 "$@" \
    "corpus/$target" $seeds
