FROM rust:1.92-slim
WORKDIR /app
COPY recipe.json .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,id=b,target=target cargo chef cook --release
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,id=b,target=target cargo build --release
