# lint: ignore=untagged-base-image
FROM debian
# hadolint ignore=DL3042,DL3006
# lint: ignore=missing-pip-cache-mount
RUN pip install \
    flask==3.0.0
