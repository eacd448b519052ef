FROM rust:1.92-slim AS build
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:trixie-slim
COPY --from=build /app/target/release/app /usr/local/bin/
