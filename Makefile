# Sets up and runs hybrid_pose_ros on a machine without ROS: `make demo`, `make test`.
# On a robot, build with colcon in a workspace instead (see README.md).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out
RECORDING ?=
MOTION ?= ../shared/data/motion
WORKERS ?= $(shell nproc)
TRAIN_CLIPS ?= 400
CLOSE_CLIPS ?= 40
VAL_CLIPS ?= 24
# Flags for both trainings, as --threads 8, and for both evaluations.
TRAIN ?=
EVALUATE ?= --sweep all
SOURCES := $(shell find hybrid_pose_ros launch config msg interfaces -type f -not -name '*.pyc') CMakeLists.txt package.xml
COLCON_FLAGS := --base-paths . interfaces/event_camera_msgs --merge-install --install-base $(VENV) --symlink-install

.PHONY: check coverage demo test test-slow test-repeatedly bench reproduce build clean

demo: build
	$(BIN)/hybrid-pose demo --output $(OUT)/demo $(if $(RECORDING),--recording $(RECORDING))

# Two workers on two cores; each file's tests stay in one, for they share a graph.
PARALLEL ?= -n 2 --dist loadfile
PYTEST := $(BIN)/pytest $(PARALLEL)

# Style, mistakes that need no run, types, which package imports which (rules in pyproject.toml),
# and the English of the texts.
check: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python tools/check_prose.py

test: build $(VENV)/.test
	$(PYTEST)

test-slow: build $(VENV)/.test
	$(PYTEST) -m slow

# 5 runs on a quiet machine, 5 with two busy loops, 2 in the background. The same command continues
# after an interruption.
test-repeatedly: build $(VENV)/.test
	$(BIN)/python tools/repeat_suite.py --output $(OUT)/repeat $(PARALLEL)

# Lines that the tests run, child processes included; those of numba's kernels do not count.
coverage: build $(VENV)/.test
	$(PYTEST) --cov --cov-report=term:skip-covered --cov-report=html:$(OUT)/coverage

bench: build $(VENV)/.test
	$(BIN)/hybrid-pose bench

# From motion capture to the tables in docs/accuracy.md (see docs/training.md). After an interruption,
# the same command resumes.
REPRODUCED := $(OUT)/reproduce
reproduce: $(REPRODUCED)/30_1000/result.json $(REPRODUCED)/10_100/result.json

$(REPRODUCED)/train/.made: | build
	$(BIN)/hybrid-pose simulate --corpus $(MOTION)/train --output $(@D) --kind front \
		--clips $(TRAIN_CLIPS) --duration 4 --own 0.15 --seed 0 --workers $(WORKERS)
	touch $@

$(REPRODUCED)/close/.made: | build
	$(BIN)/hybrid-pose simulate --corpus $(MOTION)/train --output $(@D) --kind close \
		--clips $(CLOSE_CLIPS) --duration 3 --own 0.15 --seed 2 --workers $(WORKERS)
	touch $@

$(REPRODUCED)/val/.made: | build
	$(BIN)/hybrid-pose simulate --corpus $(MOTION)/val --output $(@D) --kind benchmark \
		--clips $(VAL_CLIPS) --duration 2.4 --own 0.15 --seed 1 --workers $(WORKERS)
	touch $@

SHOWN := $(REPRODUCED)/train $(REPRODUCED)/close
$(REPRODUCED)/hybrid/edge.safetensors: $(SHOWN:=/.made) $(REPRODUCED)/val/.made | build
	$(BIN)/hybrid-pose train --corpus $(SHOWN) --validation $(REPRODUCED)/val \
		--output $(@D) --seed 0 $(TRAIN)

$(REPRODUCED)/alone/edge.safetensors: $(SHOWN:=/.made) | build
	$(BIN)/hybrid-pose train --corpus $(SHOWN) --alone --output $(@D) --seed 0 $(TRAIN)

$(REPRODUCED)/30_1000/result.json: RATES := --ann-rate-hz 30 --step-us 1000
$(REPRODUCED)/10_100/result.json: RATES := --ann-rate-hz 10 --step-us 10000
$(REPRODUCED)/%/result.json: $(REPRODUCED)/hybrid/edge.safetensors $(REPRODUCED)/alone/edge.safetensors
	$(BIN)/hybrid-pose evaluate --recording $(REPRODUCED)/val --workers $(WORKERS) $(RATES) $(EVALUATE) \
		--checkpoint $(REPRODUCED)/hybrid/edge.safetensors \
		--snn-checkpoint $(REPRODUCED)/alone/edge.safetensors --output $(@D)

build: $(VENV)/.built

# torch first: with its version pinned in the same call, nothing pulls another build of it.
$(VENV)/.installed: requirements.txt requirements-pip.txt requirements-ros.txt constraints.txt tools/mend_cmake_paths.py
	@$(PYTHON) tools/check_prerequisites.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --quiet -r requirements.txt -r requirements-ros.txt
	$(BIN)/python tools/mend_cmake_paths.py
	touch $@

# The interfaces and the nodes are installed into the environment itself, where the ROS wheels look
# for libraries: nothing has to be sourced.
$(VENV)/.built: $(VENV)/.installed $(SOURCES)
	PATH=$(abspath $(BIN)):$$PATH AMENT_PREFIX_PATH=$(abspath $(VENV)) CMAKE_PREFIX_PATH=$(abspath $(VENV)) \
		colcon --log-base log build $(COLCON_FLAGS) --event-handlers console_cohesion- status- \
		--cmake-args -DBUILD_TESTING=OFF -DPython3_EXECUTABLE=$(abspath $(BIN))/python
	touch $@

$(VENV)/.test: $(VENV)/.installed requirements-test.txt
	$(BIN)/pip install --disable-pip-version-check --quiet -r requirements-test.txt
# The neuron that ours is compared with; its dependencies would bring another torch.
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps spikingjelly==0.0.0.0.14 tqdm
	touch $@

clean:
	rm -rf $(VENV) build install log $(OUT)
