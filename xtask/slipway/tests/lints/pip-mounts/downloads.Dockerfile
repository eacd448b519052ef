FROM python:3.12-slim
RUN pip download flask==3.0.0 && pip --version && pipx install tool
