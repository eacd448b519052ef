FROM rust:1-slim AS build
RUN apt-get update && apt-get install -y build-essential cmake
WORKDIR /src
COPY . .
ENV GGML_NATIVE=OFF
RUN cargo build --release -p llm-worker

FROM debian:trixie-slim
RUN apt-get update && apt-get install -y ca-certificates libgomp1 libstdc++6 python3-pip
RUN pip install --break-system-packages --target /usr/local/lib/llama xllamacpp==2026.10.11549
ENV LONGHAND_LLM_SERVER=/usr/local/lib/llama/xllamacpp/xllamacpp.abi3.so
COPY --from=build /src/target/release/llm-worker /usr/local/bin/llm-worker
ENTRYPOINT ["/usr/local/bin/llm-worker"]
