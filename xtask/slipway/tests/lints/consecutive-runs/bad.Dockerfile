FROM debian:trixie-slim
RUN useradd app
RUN mkdir /data && chown app /data
# The last one.
RUN chmod 700 /data
USER app
