FROM rust:1.92-slim
COPY src ./src
COPY Cargo.toml Cargo.lock ./
RUN --mount=type=cache,target=/usr/local/cargo/registry cargo build --release
