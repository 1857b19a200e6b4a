# make help lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

GOLANGCI_VERSION := v2.15.0
GOFUMPT_VERSION  := v0.12.0
TOOLS := $(CURDIR)/bin/tools
FUZZTIME ?= 30s

export CGO_ENABLED ?= 0

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Run the program on the practice portal; nothing needs to be set
	go run . serve --demo

.PHONY: build
build: ## Build bin/atozbot, static, with its version inside
	go build -trimpath -ldflags "$(LDFLAGS)" -o bin/atozbot .

.PHONY: test
test: ## Install what the tests need where that is possible, and run them all
	@.ci/install
	go vet ./...
	go test -timeout 25m ./...

.PHONY: race
race: ## Run the tests with the race detector (needs a C compiler)
	@.ci/install
	CGO_ENABLED=1 go test -race -timeout 30m ./...

.PHONY: lint
lint: $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION) $(TOOLS)/gofumpt-$(GOFUMPT_VERSION) ## Run the linters and the format check
	@unformatted=$$($(TOOLS)/gofumpt-$(GOFUMPT_VERSION) -l .) && \
	  if [ -n "$$unformatted" ]; then printf '%s\n' "$$unformatted" "run: make format" >&2; exit 1; fi
	$(TOOLS)/golangci-lint-$(GOLANGCI_VERSION) run --build-tags chaos ./...

.PHONY: format
format: $(TOOLS)/gofumpt-$(GOFUMPT_VERSION) ## Format every Go file
	$(TOOLS)/gofumpt-$(GOFUMPT_VERSION) -w .

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME each (30s)
	@.ci/fuzz $(FUZZTIME)

.PHONY: chaos
chaos: ## Break everything the program depends on, and print what it did as a table
	@.ci/install
	go test -tags chaos -run TestEveryFault -timeout 40m -count 1 -v ./app/daemon/chaos

.PHONY: chaos-short
chaos-short: ## The rows of make chaos that stand for the rest, in a few minutes
	@.ci/install
	ATOZBOT_CHAOS=short go test -tags chaos -run TestEveryFault -timeout 10m -count 1 -v ./app/daemon/chaos

.PHONY: contest
contest: ## Race for 10,000 practice jobs with rivals and every fault, and measure the reaction
	go test -tags chaos -run 'TestTheRace|TestTheReaction' -timeout 60m -count 1 -v ./app/daemon/chaos

.PHONY: bench
bench: ## Measure the parts: board decoding, decisions, store, looks
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: bench-http
bench-http: ## Compare the answers' speed with a bare server's, in one run
	@.ci/install
	go test -run '^$$' -bench . -benchtime 1x -timeout 20m ./app/api/bench

.PHONY: bench-activity
bench-activity: ## Compare the page Activity over 100,000 jobs with one over 100, in one run
	@.ci/install
	go test -run '^$$' -bench BenchmarkActivity -benchtime 1x -timeout 20m ./app/daemon

.PHONY: image
image: ## Build the container image atozbot:latest
	docker build --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) -t atozbot:latest .

.PHONY: ci
ci: ## Run what the continuous integration runs
	bash .ci/run

$(TOOLS)/golangci-lint-$(GOLANGCI_VERSION):
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

$(TOOLS)/gofumpt-$(GOFUMPT_VERSION):
	GOBIN=$(TOOLS) go install mvdan.cc/gofumpt@$(GOFUMPT_VERSION)
	mv $(TOOLS)/gofumpt $@
