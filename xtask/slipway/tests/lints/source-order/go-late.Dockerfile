FROM golang:1.25
COPY . .
RUN go mod download
