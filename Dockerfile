# docker build -t phasor:0.1.0 .                             NVIDIA cards and processors
# docker build --target mesa -t phasor:0.1.0-mesa .          AMD and Intel cards, and the software driver
#
# amd64 and arm64: `docker buildx build --platform linux/amd64,linux/arm64`. Pin the bases by digest where you build for good.
ARG RUST=docker.io/library/rust:1.95-slim-trixie
# Debian stable: the libraries of a card's driver come from the node and may want a recent libc.
ARG BASE=docker.io/library/debian:trixie-slim

# The dependencies by themselves, so that a change of the sources does not build them again.
FROM ${RUST} AS dependencies
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src benches && touch src/lib.rs && printf 'fn main() {}\n' > src/main.rs \
    && for bench in ops thumbnail codecs request; do printf 'fn main() {}\n' > "benches/$bench.rs"; done \
    && cargo build --release --locked

FROM dependencies AS build
COPY assets assets
COPY benches benches
COPY shaders shaders
COPY src src
# The commit, for `phasor_build_info`: docker build --build-arg PHASOR_COMMIT=$(git rev-parse --short HEAD)
ARG PHASOR_COMMIT=
RUN touch src/lib.rs src/main.rs && cargo build --release --locked \
    && strip -o /phasor target/release/phasor && /phasor --version

FROM ${BASE} AS base
# Vulkan's loader, and the two X libraries without which NVIDIA's driver does not load. Fonts of texts are in the program.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates libvulkan1 libx11-6 libxext6 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log
# `graphics` is what Vulkan needs of NVIDIA's container runtime.
ENV PORT=9000 PHASOR_ADMIN_PORT=9090 NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics
EXPOSE 9000 9090
LABEL org.opencontainers.image.title="Phasor" \
    org.opencontainers.image.description="An image server that answers imaginary's HTTP API" \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.licenses="Apache-2.0 OR MIT"
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/phasor"]

FROM base AS mesa
USER 0:0
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mesa-vulkan-drivers \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log
USER 65532:65532
COPY --from=build /phasor /usr/local/bin/phasor

FROM base AS phasor
COPY --from=build /phasor /usr/local/bin/phasor
