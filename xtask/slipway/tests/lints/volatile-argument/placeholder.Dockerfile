FROM python:3.12-slim
ARG BUILD_DATE=unknown
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
