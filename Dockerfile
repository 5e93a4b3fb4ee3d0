# All of Praxis' images. One service each:
#
#   docker build --build-arg SERVICE=clients -t praxis/clients .
#   docker build --build-arg SERVICE=identity --build-arg SOURCE=gateway/identity -t praxis/identity .
#   docker build --target web  -t praxis/web .
#   docker build --target edge -t praxis/edge .
#
# A service's image runs as `http`, `grpc`, `worker` or `migrate`: `docker run praxis/clients http`.
ARG PYTHON=3.11-slim
ARG NODE=24-slim
ARG ENVOY=v1.40.0

# ---- what every image starts from: a user without rights, and no writing of .pyc (the root file system is read-only)
FROM python:${PYTHON} AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/opt/venv/bin:$PATH
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin praxis
WORKDIR /app
COPY deploy/healthcheck.py /usr/local/bin/healthcheck.py
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["python", "/usr/local/bin/healthcheck.py"]

# ---- code of the contracts; its generator comes from the one lock that names it
FROM python:${PYTHON} AS contracts
WORKDIR /src
COPY requirements/dev.lock requirements/
# A package's entry in a lock reaches from its name to the first line that does not end in a backslash.
RUN sed -n -E '/^(grpcio|grpcio-tools|protobuf|setuptools|typing-extensions)==/,/[^\\]$/p' requirements/dev.lock > contracts.lock \
 && pip install --no-cache-dir --require-hashes -r contracts.lock
COPY proto proto
COPY tools/__init__.py tools/codegen.py tools/
RUN python -c "from tools.codegen import generate; generate()"

# ---- the staff web app: built by Node, served by Python
FROM node:${NODE} AS web-app
WORKDIR /src/gateway/web/app
COPY gateway/web/app/package.json gateway/web/app/package-lock.json ./
RUN npm ci --no-audit --no-fund
# Its types are made from the contracts it calls.
COPY chassis/chassis/common.yaml /src/chassis/chassis/
COPY services /src/services
COPY gateway/identity/openapi.yaml /src/gateway/identity/
COPY gateway/web/app ./
RUN npm run build

FROM python:${PYTHON} AS web-packages
RUN python -m venv --without-pip /opt/venv
COPY requirements/web.lock /tmp/web.lock
RUN pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --require-hashes -r /tmp/web.lock

FROM base AS web
COPY --from=web-packages /opt/venv /opt/venv
COPY gateway/web/web web/web
COPY --from=web-app /src/gateway/web/app/dist web/app/dist
ENV PYTHONPATH=/app/web
RUN python -m compileall -q /opt/venv/lib /app
USER 10001:10001
ENTRYPOINT ["python", "-m", "web"]

# ---- the edge: Envoy's own binary, told by the environment through the same renderer as on a developer's machine
FROM envoyproxy/envoy:${ENVOY} AS envoy

FROM python:${PYTHON} AS edge-packages
RUN python -m venv --without-pip /opt/venv
COPY requirements/edge.lock /tmp/edge.lock
RUN pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --require-hashes -r /tmp/edge.lock

FROM base AS edge
COPY --from=envoy /usr/local/bin/envoy /usr/local/bin/envoy
COPY --from=edge-packages /opt/venv /opt/venv
COPY gateway/edge/edge edge
ENV PYTHONPATH=/app
RUN python -m compileall -q /opt/venv/lib /app
USER 10001:10001
ENTRYPOINT ["python", "-m", "edge", "--target"]
CMD ["compose"]

# ---- a service's packages, every file checked against its hash
FROM python:${PYTHON} AS packages
ARG SERVICE
RUN test -n "$SERVICE" || { echo "Say which service: --build-arg SERVICE=clients"; exit 1; }
RUN python -m venv --without-pip /opt/venv
COPY requirements/${SERVICE}.lock /tmp/service.lock
RUN pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --require-hashes -r /tmp/service.lock

# ---- what a service's pages take from npm (the portal has such, the others get an empty folder)
FROM node:${NODE} AS page-assets
ARG SERVICE
ARG SOURCE=services/${SERVICE}
COPY ${SOURCE} /src
RUN mkdir -p /src/assets/node_modules \
 && if [ -f /src/assets/package.json ]; then cd /src/assets && npm ci --no-audit --no-fund; fi

# ---- a service: the last stage, hence what is built without --target
FROM base AS service
ARG SERVICE
ARG SOURCE=services/${SERVICE}
COPY --from=packages /opt/venv /opt/venv
COPY --from=contracts /src/build/proto contracts
COPY chassis/chassis chassis/chassis
COPY ${SOURCE} ${SERVICE}
COPY --from=page-assets /src/assets/node_modules ${SERVICE}/assets/node_modules
ENV PYTHONPATH=/app/${SERVICE}:/app/chassis:/app/contracts
# Compiled once here, since nothing can be written later; the entry point knows which service it is.
RUN python -m compileall -q /opt/venv/lib /app \
 && printf '#!/bin/sh\nexec python -m %s "$@"\n' "$SERVICE" > /usr/local/bin/praxis && chmod 755 /usr/local/bin/praxis
USER 10001:10001
ENTRYPOINT ["praxis"]
