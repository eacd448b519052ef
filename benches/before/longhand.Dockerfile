FROM rust:1-slim AS build
RUN apt-get update && apt-get install -y build-essential
WORKDIR /src
COPY . .
RUN cargo build --release -p longhand

FROM debian:trixie-slim
RUN apt-get update && apt-get install -y ca-certificates
COPY --from=build /src/target/release/longhand /usr/local/bin/longhand
ENTRYPOINT ["/usr/local/bin/longhand"]
