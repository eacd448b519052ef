FROM python:3.12-slim AS build
USER app
RUN pip install flask==3.0.0
FROM python:3.12-slim
COPY --from=build /usr/local /usr/local
