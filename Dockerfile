# docker build -f k8s/Dockerfile -t phasor:0.1.0 .
FROM rust:1.95-slim-trixie AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY assets assets
COPY benches benches
COPY shaders shaders
COPY src src
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/phasor /phasor

# Debian stable: the libraries of a card's driver come from the node and may want a recent libc.
FROM debian:trixie-slim
# Vulkan's loader, and the two X libraries without which NVIDIA's driver does not load.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libvulkan1 libx11-6 libxext6 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /phasor /usr/local/bin/phasor
ENV PORT=9000 PHASOR_ADMIN_PORT=9090 NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics
EXPOSE 9000 9090
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/phasor"]
