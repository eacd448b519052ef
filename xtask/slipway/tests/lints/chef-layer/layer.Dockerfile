FROM rust:1.92-slim
WORKDIR /app
COPY recipe.json .
RUN --mount=type=cache,target=/usr/local/cargo/registry cargo chef cook --release
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry cargo build --release
