# The nights: what trains, with torch. Two variants by one argument:
#   docker build -f docker/nights.Dockerfile -t understudy-nights:cpu .
#   docker build -f docker/nights.Dockerfile -t understudy-nights:cuda \
#     --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128 .
FROM python:3.11-slim-bookworm AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --no-install-recommends --yes build-essential cmake git \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
RUN python -m venv /opt/understudy
ENV PATH="/opt/understudy/bin:$PATH" PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY constraints.txt ./
COPY characters/inference/native_build.py characters/inference/
RUN python characters/inference/native_build.py llama-cpp-python==0.3.36 constraints.txt
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --constraint constraints.txt --index-url "$TORCH_INDEX" torch==2.13.0
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY characters characters
COPY db db
COPY learning learning
RUN pip install --constraint constraints.txt '.[learning]'

FROM python:3.11-slim-bookworm
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --no-install-recommends --yes libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 understudy \
 && install --directory --owner=understudy --group=understudy /data
COPY --from=build /opt/understudy /opt/understudy
ENV PATH="/opt/understudy/bin:$PATH" UNDERSTUDY_HOME=/data PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1
USER 10001:10001
VOLUME /data
HEALTHCHECK --interval=300s --timeout=60s --start-period=120s --retries=3 CMD ["understudy", "db", "check"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["understudy"]
CMD ["nights"]
