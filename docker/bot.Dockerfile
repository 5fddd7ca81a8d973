# The table: the Discord bot, without torch. Built for the processor it is built on (llama.cpp).
#   docker build -f docker/bot.Dockerfile -t understudy-bot .
FROM python:3.11-slim-bookworm AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --no-install-recommends --yes build-essential cmake git \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
RUN python -m venv /opt/understudy
ENV PATH="/opt/understudy/bin:$PATH" PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# What changes seldom comes first, so that a change of the code does not build llama.cpp again.
COPY constraints.txt ./
COPY characters/inference/native_build.py characters/inference/
RUN python characters/inference/native_build.py llama-cpp-python==0.3.36 constraints.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY characters characters
COPY db db
COPY learning learning
RUN pip install --constraint constraints.txt .

FROM python:3.11-slim-bookworm
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --no-install-recommends --yes libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 understudy \
 && install --directory --owner=understudy --group=understudy /data
COPY --from=build /opt/understudy /opt/understudy
ENV PATH="/opt/understudy/bin:$PATH" UNDERSTUDY_HOME=/data PYTHONUNBUFFERED=1
USER 10001:10001
VOLUME /data
# The bot touches this file every half minute while it is connected.
HEALTHCHECK --interval=60s --timeout=5s --start-period=120s --retries=3 \
  CMD ["python", "-c", "import os, sys, time; sys.exit(time.time() - os.stat('/data/logs/bot.alive').st_mtime > 120)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["understudy"]
CMD ["bot", "--no-nights"]
