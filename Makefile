# `make demo` and `make test` do everything on a machine with Python 3.10 to 3.13.
#   make demo BAG=run.mcap | VIDEO=drive.mp4 FOV=60 | IMAGES=folder CAMERA=camera_info.yaml
#   make demo ARGS='--rate 0.5'         any other option of `mdepth demo`
#   make test ARGS='-k scale'            any option of pytest
#   make test WORKERS=0 ARGS='-k parity -s'  in one process, with what tests print
#   make fuzz FUZZ='--files 100 --seed 7'    see test/fuzz/fuzz.py
# Without an NVIDIA GPU the CPU build of torch is taken wherever pip is offered one; to offer it,
# set TORCH_INDEX to the CPU index that the install page of PyTorch shows.

PYTHON ?= python3
VENV ?= .venv
TORCH_INDEX ?=
WORKERS ?= 2
FUZZ ?= --messages 9000 --node 600 --compressed_node 400 --files 1000
BIN := $(VENV)/bin
# Another ROS, another set of packages: the environment is made again.
READY := $(VENV)/ready-$(or $(ROS_DISTRO),wheels)
PIP := $(BIN)/python -m pip --disable-pip-version-check --require-virtualenv
TORCH_VERSION := $(shell sed -n 's/^torch==//p' constraints.txt)

MATERIAL := $(if $(BAG),--bag '$(BAG)') $(if $(VIDEO),--video '$(VIDEO)') \
            $(if $(IMAGES),--images '$(IMAGES)') $(if $(CAMERA),--camera-info '$(CAMERA)') \
            $(if $(FOV),--fov '$(FOV)')

.PHONY: demo test fuzz lint venv clean

demo: venv
	$(BIN)/mdepth demo $(MATERIAL) --out out/demo $(ARGS)

test: venv
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov=mdepth_ros --cov-report=term $(ARGS)

fuzz: venv
	$(BIN)/python test/fuzz/fuzz.py $(FUZZ)

lint: venv
	$(BIN)/ruff check .
	$(BIN)/mypy --strict mdepth_ros/geometry mdepth_ros/engine mdepth_ros/config.py

venv: $(READY)

# A sourced ROS 2 is used as it is (PYTHONPATH brings it into the venv); otherwise its wheels come.
$(READY): constraints.txt setup.cfg setup.py
	$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13) and "constraints.txt is for Python 3.10 to 3.13: name one, as PYTHON=python3.13; this is " + sys.version)'
	@if test -e $(VENV) && ! ls $(VENV)/ready-* >/dev/null 2>&1 && ! test -e $(VENV)/unfinished; \
	then echo "$(VENV) is not from this Makefile: remove it, or name another one, VENV=..."; exit 1; fi
	$(PYTHON) -m venv --clear $(VENV)
	@touch $(VENV)/unfinished
	$(PIP) install -q -c constraints.txt setuptools
	@if command -v nvidia-smi >/dev/null 2>&1; then want=$(TORCH_VERSION); \
	else want=$(TORCH_VERSION)+cpu; fi; \
	echo "installing torch $$want"; \
	$(PIP) install -q $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) "torch==$$want" \
	|| { echo "no CPU build of torch on offer, taking the default one"; \
	     $(PIP) install -q -c constraints.txt torch; }
	@if $(BIN)/python -c 'import sys; from importlib.util import find_spec; sys.exit(not find_spec("rclpy"))'; \
	then extras=openvino,onnx,tools,training,test; \
	echo "using the sourced ROS 2 $$ROS_DISTRO"; \
	else extras=ros,openvino,onnx,tools,training,test; echo "no ROS 2 is sourced: installing its wheels"; fi; \
	$(PIP) install -q -c constraints.txt -e ".[$$extras]"
	@rm $(VENV)/unfinished
	touch $@

clean:
	rm -rf $(VENV) build install log *.egg-info
