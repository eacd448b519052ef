FROM debian:trixie-slim
ARG TINI_SHA256=0123456789abcdef
ARG NODE_COMMIT=3f1a9c2
ARG VERSION
RUN apt-get install --no-install-recommends --yes curl
ARG GIT_SHA
RUN echo $GIT_SHA > /revision
