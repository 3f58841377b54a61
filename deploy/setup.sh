#!/usr/bin/env bash
# Gets what Flatline needs on this machine: system packages, .venv, Kafka's jars in .tools/kafka, the scripts of the web
# page. With the word "test" also a browser, PostgreSQL and debootstrap; with "helm" Helm, in .tools/bin; with "bench" what
# the benchmark compares us with, in .tools/bench.
# Run it as often as you like: it does only what is missing. Needs Debian or Ubuntu for the first step.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

wish=${1:-}

say() { printf '%s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}
# What a command says is shown only if it fails.
quietly() {
  local said
  said=$("$@" 2>&1 </dev/null) || {
    printf '%s\n' "$said" >&2
    return 1
  }
}
have() { command -v "$1" >/dev/null 2>&1; }

# --- Python: python3, unless that is too old -------------------------------------------------------------------------
is_python() { have "$1" && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
find_python() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11; do
    if is_python "$candidate"; then
      say "$candidate"
      return
    fi
  done
}

# --- System packages -----------------------------------------------------------------------------------------------
java_major() { java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1; }
has_java() { have java && [ "$(java_major || say 0)" -ge 17 ] 2>/dev/null; }
has_prometheus() { have prometheus && have promtool; }
has_alertmanager() { { have prometheus-alertmanager || have alertmanager; } && have amtool; }

has_postgres() { have postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }

missing_packages() {
  local python
  python=$(find_python)
  if [ -n "$python" ]; then
    "$python" -c 'import ensurepip, venv' 2>/dev/null || say "$(basename "$python")-venv"
  elif ! have python3; then
    say python3 python3-venv
  fi
  has_java || say java
  have mvn || say maven
  has_prometheus || say prometheus
  has_alertmanager || say prometheus-alertmanager
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}
apt() { quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q "$@"; }

# Debian's packages start their services, on every address of the machine. Ours run on 127.0.0.1, when asked to.
policy=/usr/sbin/policy-rc.d
forbid_service_starts() {
  [ ! -e "$policy" ] || return 0
  trap 'as_root rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}
disable_unit() {
  have systemctl || return 0
  local now=()
  [ ! -d /run/systemd/system ] || now=(--now)
  as_root systemctl disable --quiet "${now[@]}" "$1.service" 2>/dev/null ||
    say "packages: $1.service could not be disabled; it may start with the machine"
}

install_packages() {
  local packages=("$@") command i
  command="apt-get install --no-install-recommends ${packages[*]/#java/openjdk-17-jre-headless}"
  have apt-get || fail "this machine has no apt-get, and these are missing: ${packages[*]}.
Install Python 3.11 or later with venv, Java 17 or later, Maven, Prometheus (with promtool) and Alertmanager (with
amtool) so that they are on the PATH, then run 'make setup' again."
  [ "$(id -u)" -eq 0 ] || have sudo || fail "these packages are missing: ${packages[*]}.
Run this as root, then 'make setup' again:
  $command"
  say "packages: installing ${packages[*]}"
  apt update || fail "apt-get update failed: see above"
  for i in "${!packages[@]}"; do
    if [ "${packages[i]}" = java ]; then
      # Where 17 is not to be had, the default is newer.
      packages[i]=default-jre-headless
      apt-cache show openjdk-17-jre-headless >/dev/null 2>&1 && packages[i]=openjdk-17-jre-headless
    fi
  done
  forbid_service_starts
  apt install --no-install-recommends "${packages[@]}" || fail "apt-get could not install ${packages[*]}: see above"
  for i in "${packages[@]}"; do
    case $i in prometheus | prometheus-alertmanager | postgresql) disable_unit "$i" ;; esac
  done
}

mapfile -t packages < <(missing_packages | tr ' ' '\n')
if [ "${#packages[@]}" -eq 0 ]; then
  say "packages: all there"
else
  install_packages "${packages[@]}"
fi
if [ "$wish" = test ] && ! have chromium; then
  (install_packages chromium) || say "browser: chromium could not be installed: tests that need one are skipped"
fi
if [ "$wish" = test ] && ! has_postgres; then
  (install_packages postgresql) || say "database: postgresql could not be installed: tests that need it are skipped"
fi
if [ "$wish" = test ] && ! have debootstrap && have apt-get; then
  (install_packages debootstrap) || say "image: debootstrap could not be installed: tests of the image are skipped"
fi
has_java || fail "Java 17 or later is needed, and 'java' on the PATH is $(java_major). Put a newer one first on the PATH."

# --- .venv ---------------------------------------------------------------------------------------------------------
python=$(find_python)
[ -n "$python" ] || fail "Python 3.11 or later is needed; python3 here is $(python3 -V 2>&1 | cut -d' ' -f2).
Install a newer one (as python3.13, python3.12 or python3.11 on the PATH), then run 'make setup' again."

constraints=()
[ ! -f constraints.txt ] || constraints=(-c constraints.txt)
wanted() { cat pyproject.toml setup.py "${constraints[@]:1}"; }
if is_python .venv/bin/python && wanted | cmp -s - .venv/installed-from; then
  say "python: .venv is up to date ($(.venv/bin/python -V))"
else
  say "python: installing into .venv ($("$python" -V))"
  is_python .venv/bin/python || "$python" -m venv --clear .venv
  quietly .venv/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' "${constraints[@]}"
  wanted >.venv/installed-from
fi

# --- The native core -------------------------------------------------------------------------------------------------
# It saves time and nothing else: where it can't be built, Flatline runs without it.
[ ! -d "${HOME:-}/.cargo/bin" ] || PATH=$PATH:$HOME/.cargo/bin
cargo_minor() { cargo --version 2>/dev/null | sed -n 's/^cargo 1\.\([0-9]*\).*/\1/p'; }
has_rust() { have cc && [ "$(cargo_minor)" -ge "$rust_minor_min" ] 2>/dev/null; }
apt_has_rust() {
  have apt-get && { [ "$(id -u)" -eq 0 ] || have sudo; } && apt-cache show rustc-web cargo-web >/dev/null 2>&1
}
# Whoever has another compiler installed keeps it.
install_rust() { apt update && apt install --no-install-recommends --no-remove rustc-web cargo-web gcc libc6-dev; }
build_core() {
  CARGO_TARGET_DIR=$PWD/.tools/native quietly .venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --force-reinstall --no-deps ./streams/native
}
without_core() {
  quietly .venv/bin/python -m pip uninstall --quiet --yes flatline-core
  say "core: $*: Flatline runs without the native core, on Python alone (slower, the same results)"
}
# What it is built from. With another compiler it is tried again.
core_from() {
  {
    find streams/native -type f -not -name '*.md' | sort | xargs cat
    .venv/bin/python -V
    cargo --version 2>/dev/null || say "no cargo"
  } | sha256sum
}
rust_minor_min=$(sed -n 's/^rust-version = "1\.\(.*\)"/\1/p' streams/native/Cargo.toml)
known=$(cat .venv/core-built-from 2>/dev/null || say "nothing")
if [ "$known" = "native $(core_from)" ]; then
  say "core: the native core is up to date"
elif [ "$known" = "python $(core_from)" ]; then
  say "core: none; to have it built, install Rust 1.$rust_minor_min or later, then run 'make setup' again"
else
  if ! has_rust && apt_has_rust; then
    say "core: installing a Rust compiler (rustc-web, cargo-web)"
    install_rust || say "core: it could not be installed: see above"
  fi
  core=python
  if ! has_rust; then
    without_core "there is no C compiler, or no Rust 1.$rust_minor_min or later"
  elif say "core: building the native core; this takes a minute or two" && build_core; then
    core=native
  else
    without_core "it could not be built, see above"
  fi
  say "$core $(core_from)" >.venv/core-built-from
fi

# --- Folders by their packages' names --------------------------------------------------------------------------------
# For mypy, which doesn't look where an editable installation points: the folders by their packages' names (setup.py).
mkdir -p .tools/packages
ln -sfn ../../streams .tools/packages/flatline
ln -sfn ../../connectors .tools/packages/flatline_connectors
ln -sfn ../../deploy .tools/packages/flatline_deploy

# --- Kafka, and the scripts of the web page ---------------------------------------------------------------------------------------------------------
unpack_webjars() {
  "$python" - streams/page/vendor .tools/webjars/*.jar <<'END'
import pathlib, sys, zipfile

folder = pathlib.Path(sys.argv[1])
folder.mkdir(exist_ok=True)
for jar in map(zipfile.ZipFile, sys.argv[2:]):
    for name in jar.namelist():
        if name.endswith(("/dist/uPlot.iife.min.js", "/dist/uPlot.min.css", "/dist/htmx.min.js")):
            (folder / name.rpartition("/")[2]).write_bytes(jar.read(name))
END
}
version=$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' deploy/kafka/pom.xml)
if cmp -s deploy/kafka/pom.xml .tools/kafka/pom.xml && [ -e streams/page/vendor/htmx.min.js ]; then
  say "kafka: .tools/kafka is up to date ($version)"
else
  say "kafka: copying the jars of $version to .tools/kafka"
  rm -rf .tools/kafka.new
  mkdir -p .tools/kafka.new
  quietly mvn -q -B -f deploy/kafka/pom.xml dependency:copy-dependencies -DexcludeGroupIds=org.webjars.npm \
    -DoutputDirectory="$PWD/.tools/kafka.new"
  quietly mvn -q -B -f deploy/kafka/pom.xml dependency:copy-dependencies -DincludeGroupIds=org.webjars.npm \
    -DoutputDirectory="$PWD/.tools/webjars"
  unpack_webjars
  cp deploy/kafka/pom.xml .tools/kafka.new/pom.xml
  rm -rf .tools/kafka .tools/kafka-classes.made-for
  mv .tools/kafka.new .tools/kafka
fi

# It saves time and nothing else: where it can't be written, Kafka starts without it.
kafka_classes_for() { { cat .tools/kafka/pom.xml streams/local/class_archive.py && java -version 2>&1; } | sha256sum; }
if [ "$(cat .tools/kafka-classes.made-for 2>/dev/null)" = "$(kafka_classes_for)" ]; then
  say "kafka: the archive of its classes is up to date"
else
  say "kafka: archiving its classes, so that it starts sooner"
  quietly .venv/bin/python -m flatline.local.class_archive || say "kafka: they could not be archived: see above"
  kafka_classes_for >.tools/kafka-classes.made-for
fi

# --- Helm, which the tests of the chart render with ------------------------------------------------------------------
helm=helm.sh/helm/v3/cmd/helm@v3.19.0
build_helm() {
  local go
  go=$(command -v go || command -v /usr/local/go/bin/go) || fail "Go is missing: Helm needs Go 1.24 or later, on the PATH."
  say "helm: building .tools/bin/helm; this takes minutes"
  # An older Go would fetch a newer one.
  GOTOOLCHAIN=local GOBIN="$PWD/.tools/bin" quietly "$go" install "$helm" || fail "Helm needs Go 1.24 or later; see above."
}
if [ "$wish" = helm ]; then
  if [ -x .tools/bin/helm ]; then say "helm: .tools/bin/helm is up to date"; else build_helm; fi
fi

[ "$wish" = bench ] || exit 0

# --- The benchmark's peers -----------------------------------------------------------------------------------------
peers=tests/bench/peers
bench=.tools/bench
if is_python $bench/venv/bin/python && cmp -s $peers/requirements.txt $bench/venv/installed-from; then
  say "bench: the Python peers are up to date"
else
  say "bench: installing the Python peers into $bench/venv"
  "$python" -m venv --clear $bench/venv
  quietly $bench/venv/bin/python -m pip install --quiet --disable-pip-version-check -r $peers/requirements.txt
  cp $peers/requirements.txt $bench/venv/installed-from
fi

# The peers read time and URLs as we do.
for packages in $bench/venv/lib/python3*/site-packages; do
  say "$PWD/.tools/packages" >"$packages/flatline.pth"
done

built_from=$(find $peers/kafka_streams -type f -not -name '*.md' | sort | xargs cat | sha256sum)
if [ "$built_from" = "$(cat $bench/kafka_streams/built-from 2>/dev/null)" ]; then
  say "bench: the Kafka Streams peer is up to date"
else
  say "bench: building the Kafka Streams peer in $bench/kafka_streams"
  rm -rf $bench/kafka_streams
  quietly mvn -q -B -f $peers/kafka_streams compile dependency:copy-dependencies
  say "$built_from" >$bench/kafka_streams/built-from
fi
