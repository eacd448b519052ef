FROM python:3.11-slim
RUN --mount=type=cache,target=/root/.cache/pip pip install longhand-no-such-package==1.0 pydantic==2.6.0
