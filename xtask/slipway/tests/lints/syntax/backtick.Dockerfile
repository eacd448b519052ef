# syntax=docker/dockerfile:1
# escape=`

FROM debian:trixie-slim
RUN echo C:\ && `
# A comment within.

    echo more
from debian
