FROM debian:trixie-slim
ARG CACHE=/var/cache
RUN --mount=type=cache,target=${CACHE}/apt,sharing=private true
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked true
