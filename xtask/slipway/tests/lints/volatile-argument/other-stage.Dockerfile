ARG GIT_SHA
FROM debian:trixie-slim AS one
ARG GIT_SHA
FROM debian:trixie-slim
RUN apt-get install --no-install-recommends --yes curl
