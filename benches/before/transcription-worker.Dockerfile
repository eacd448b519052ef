FROM rust:1-slim AS build
RUN apt-get update && apt-get install -y build-essential cmake libdnnl-dev
WORKDIR /src
COPY . .
ENV GGML_NATIVE=OFF
RUN cargo build --release -p transcription-worker --features ctranslate2 --config .cargo/debian.toml

FROM debian:trixie-slim
RUN apt-get update && apt-get install -y ca-certificates libdnnl3.6 libgomp1 libstdc++6
COPY --from=build /src/target/release/transcription-worker /usr/local/bin/transcription-worker
ENTRYPOINT ["/usr/local/bin/transcription-worker"]
