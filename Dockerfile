# The gateway in a container: docs/install.md tells how to run it.
# The first stage has npm and the compiler; the image gets Node, the compiled JavaScript and its dependencies.
FROM node:26-trixie-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund
RUN mkdir writable

FROM debian:trixie-slim
# Certificates of the public authorities, and the libraries that Node is linked with.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates libatomic1 libstdc++6 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /build/package.json /opt/gatehouse/package.json
COPY --from=build /build/node_modules /opt/gatehouse/node_modules
COPY --from=build /build/dist /opt/gatehouse/dist
COPY config/gatehouse.yaml config/partners.yaml config/gatehouse.schema.json config/partners.schema.json /gatehouse/config/
# The daemon writes here and nowhere else; into certs only where it makes a certificate by itself.
COPY --from=build --chown=5269:5269 /build/writable /gatehouse/certs
COPY --from=build --chown=5269:5269 /build/writable /gatehouse/data
WORKDIR /gatehouse
USER 5269:5269
VOLUME ["/gatehouse/config", "/gatehouse/certs", "/gatehouse/data"]
EXPOSE 5269 5270 5280
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "/opt/gatehouse/dist/main.js", "health"]
ENTRYPOINT ["node", "/opt/gatehouse/dist/main.js"]
CMD ["run"]
