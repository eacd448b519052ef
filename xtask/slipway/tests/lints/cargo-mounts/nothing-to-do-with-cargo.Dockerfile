FROM rust:1.92-slim
# Words are not calls.
RUN echo "cargo build" && cargo --version
