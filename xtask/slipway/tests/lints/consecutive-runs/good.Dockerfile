FROM debian:trixie-slim
RUN useradd app
RUN curl --fail https://example.com/tool > /usr/local/bin/tool
RUN mkdir /data
WORKDIR /data
RUN touch file
