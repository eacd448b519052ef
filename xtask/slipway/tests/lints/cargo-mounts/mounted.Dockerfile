FROM rust:1.92-slim AS build
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/usr/local/cargo/git/db \
    # A comment in the middle of an instruction.
    --mount=type=cache,id=app-target,target=/app/target \
    cargo build --release && cp target/release/app /usr/local/bin/
