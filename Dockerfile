# The image holds one static program and nothing else: no shell, no package manager.
# Both bases and the module proxy can be replaced, for a build behind a mirror:
#   docker build --build-arg BUILD_IMAGE=… --build-arg RUNTIME_IMAGE=… --build-arg GOPROXY=… .
ARG BUILD_IMAGE=golang:1.26-bookworm
ARG RUNTIME_IMAGE=scratch

FROM ${BUILD_IMAGE} AS build
# Empty: the Go command's own public default.
ARG GOPROXY=
ARG VERSION=dev
ARG COMMIT=unknown
ENV CGO_ENABLED=0 GOPROXY=${GOPROXY} GOTOOLCHAIN=local GOFLAGS=-buildvcs=false
WORKDIR /src
COPY go.mod go.sum ./
# What is slow to compile and seldom changes gets a layer of its own.
RUN go mod download \
 && go build -trimpath modernc.org/sqlite github.com/pressly/goose/v3 github.com/jackc/pgx/v5/stdlib \
      github.com/redis/go-redis/v9 github.com/alicebob/miniredis/v2 github.com/danielgtaylor/huma/v2 \
      github.com/expr-lang/expr github.com/PuerkitoBio/goquery github.com/prometheus/client_golang/prometheus/promhttp
COPY . .
RUN go build -trimpath -ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}" -o /out/atozbot . \
 && mkdir -p /out/data /out/tmp && chmod 1777 /out/tmp

FROM ${RUNTIME_IMAGE}
# Root certificates for the portal's TLS. Time zones are inside the program.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/atozbot /atozbot
COPY --from=build --chown=65532:65532 /out/data /data
ENV API_HOST=0.0.0.0 API_PORT=8000 ATOZBOT_DATA_DIR=/data TMPDIR=/data
USER 65532:65532
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=3s --timeout=3s --start-period=5s --retries=3 CMD ["/atozbot", "healthcheck"]
ENTRYPOINT ["/atozbot"]
CMD ["serve"]
