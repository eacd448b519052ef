FROM node:22-slim AS dependencies
COPY package*.json ./
RUN npm ci
FROM dependencies
COPY . .
RUN npm run build && npm install
