FROM python:3.11-slim
COPY lists/ /lists/
RUN --mount=type=cache,target=/root/.cache/pip pip install -r /lists/base.txt
RUN --mount=type=cache,target=/root/.cache/pip pip install -r /lists/tools.txt 'pydantic==2.6.0'
