FROM debian:trixie-slim
COPY data /app
