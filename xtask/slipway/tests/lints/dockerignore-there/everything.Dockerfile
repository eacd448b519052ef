FROM debian:trixie-slim
COPY . /app
