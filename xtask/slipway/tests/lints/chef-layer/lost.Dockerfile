FROM rust:1.92-slim AS cook
WORKDIR /app
COPY recipe.json .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,id=lost,target=target cargo chef cook --release
FROM cook
COPY . .
RUN cargo build --release
