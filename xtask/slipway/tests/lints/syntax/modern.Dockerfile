ARG GO_VERSION=1.25
ARG DEBUG
FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-alpine AS base
FROM alpine:3.20 AS alpine-amd64
FROM alpine-$TARGETARCH AS by-platform

FROM base AS version
RUN --mount=target=. \
  VERSION=$(git describe --always) REVISION=$(git rev-parse HEAD)$(if ! git diff --quiet; then echo .m; fi); \
  echo "$VERSION $REVISION" | tee /tmp/version

FROM base AS build-linux
ARG FLAGS=${DEBUG:+"all=-N -l"}
WORKDIR $GOPATH/src/tool
RUN --mount=target=. --mount=target=/root/.cache,type=cache \
  --mount=source=/tmp/version,target=/tmp/version,from=version <<EOT
  set -ex
  go build -ldflags "$(cat /tmp/version)" ./...
  for attempt in $(seq 3); do
    if [ "$attempt" -eq 3 ]; then exit 1; fi
  done
  echo $((1 << 2))
EOT
RUN cat <<'ONE' > /one && cat <<-TWO > /two
FROM pip install
ONE
	RUN cargo build
	TWO
COPY --chmod=755 <<EOF /entrypoint.sh
#!/bin/sh
exec tool \\
  --port \${PORT:-5000} -- "\$@"
EOF
RUN "<<NO" && echo "no <<HERE here" && cat /proc/1/comm <<< "word"
COPY ["a file", "b", "/in a folder/"]
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
HEALTHCHECK --interval=5s --timeout=3s CMD ["/bin/tool", "health"]
ONBUILD RUN echo later
ENV OLD form of it
ENV ONE=1 TWO="two words" \
    THREE=3
LABEL a=b
RUN ["/bin/sh", "-c", "pip install -r requirements.txt"]

FROM build-$TARGETOS${DEBUG:+-debug} AS last
