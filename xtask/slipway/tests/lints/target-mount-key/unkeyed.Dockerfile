FROM rust:1.92-slim
WORKDIR /app
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=target cargo build --release
