FROM rust:1-slim AS build
RUN apt-get update && apt-get install -y build-essential cmake
WORKDIR /src
COPY . .
RUN cargo build --release -p ingestion-worker

FROM debian:trixie-slim
RUN apt-get update && apt-get install -y ca-certificates
COPY --from=build /src/target/release/ingestion-worker /usr/local/bin/ingestion-worker
ENTRYPOINT ["/usr/local/bin/ingestion-worker"]
