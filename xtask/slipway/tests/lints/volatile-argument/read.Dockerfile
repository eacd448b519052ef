FROM debian:trixie-slim
ARG GIT_COMMIT
RUN apt-get install --no-install-recommends --yes app=$GIT_COMMIT
