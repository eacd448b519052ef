FROM python:3.11-slim
COPY lists/base.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip pip install -r /tmp/base.txt 'typing-extensions>=4'
