FROM debian:trixie-slim
COPY target/release/app /usr/local/bin/
COPY . /app
