FROM debian:trixie-slim
COPY . /app
RUN cd /app && git describe > /version
