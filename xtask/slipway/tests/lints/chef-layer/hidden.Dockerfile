FROM rust:1.92-slim AS build
WORKDIR /app
COPY recipe.json .
RUN --mount=type=cache,target=/usr/local/cargo/registry cargo chef cook --release
COPY . .
RUN --mount=type=cache,id=hidden,target=/app/target cargo build --release
