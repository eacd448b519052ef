ARG VERSION=trixie-slim
FROM debian:${VERSION} AS one
FROM registry.example.com:5000/team/image:1 AS two
FROM debian@sha256:0000000000000000000000000000000000000000000000000000000000000000 AS three
FROM scratch AS four
FROM ${UNKNOWN} AS five
FROM --platform=$BUILDPLATFORM one AS six
FROM 0 AS seven
FROM shared
