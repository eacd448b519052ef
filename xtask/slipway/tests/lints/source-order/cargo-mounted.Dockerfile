FROM rust:1.92-slim
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,id=own,target=/app/target cargo build
