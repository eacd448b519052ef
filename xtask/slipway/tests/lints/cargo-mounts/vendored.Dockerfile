FROM rust:1.92-slim
WORKDIR /app
COPY . .
RUN cargo build --release --offline
