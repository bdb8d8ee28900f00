# face-stream on a server: without a window, as a user that is not root.
#   docker build -t face-stream .
#   docker run --rm --user "$(id -u)" -v "$PWD:/work" face-stream run clip.mp4 --save out.mp4 --no-show
FROM debian:bookworm-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/*

# The program as the README installs it, but for the reference and for OpenCV, whose wheel without
# windows needs no library of the system.
COPY . /opt/source
RUN cd /opt/source \
    && python3 -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir uv \
    && export UV_PROJECT_ENVIRONMENT=/opt/face-stream UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 \
    && /opt/uv/bin/uv sync --no-default-groups --no-editable \
    && export VIRTUAL_ENV=/opt/face-stream \
    && /opt/uv/bin/uv pip uninstall opencv-python \
    && /opt/uv/bin/uv pip install "opencv-python-headless>=5.0" \
    && rm -r /opt/uv /opt/source

RUN useradd --no-create-home watcher \
    && install --directory --owner watcher /work
USER watcher
WORKDIR /work
ENV PATH=/opt/face-stream/bin:$PATH
ENTRYPOINT ["face-stream"]
CMD ["--help"]
