FROM debian:trixie-slim
RUN --mount=type=bind,target=/src ls /src
