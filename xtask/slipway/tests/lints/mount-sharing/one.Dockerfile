FROM debian:trixie-slim
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked true
RUN --mount=type=cache,target=/var/cache/apt true
RUN --mount=type=cache,id=own,target=/var/cache/apt true
RUN --mount=type=cache,target=/var/cache/apt,uid=1000 true
