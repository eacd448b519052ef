FROM rust:1-slim AS build
RUN apt-get update && apt-get install -y build-essential
WORKDIR /src
COPY . .
RUN cargo build --release -p job-status-api

FROM debian:trixie-slim
RUN apt-get update && apt-get install -y ca-certificates
COPY --from=build /src/target/release/job-status-api /usr/local/bin/job-status-api
ENTRYPOINT ["/usr/local/bin/job-status-api"]
