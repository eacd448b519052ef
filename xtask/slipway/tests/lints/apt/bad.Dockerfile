FROM debian:trixie-slim AS build
RUN apt-get update && apt-get install --yes gcc
FROM debian:trixie-slim
RUN apt-get update && apt-get -y install curl
