FROM node:22-slim
COPY . .
RUN npm install -g pnpm@10
