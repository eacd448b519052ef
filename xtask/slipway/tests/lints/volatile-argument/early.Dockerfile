FROM debian:trixie-slim
ARG GIT_SHA
RUN apt-get install --no-install-recommends --yes curl
LABEL revision=$GIT_SHA
