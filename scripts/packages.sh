# Sourced by ./cairn and ./run-tests: finds programs, and installs the Debian packages that have
# them where that is possible. Expects a function say that prints a line.

# as_root COMMAND...: runs it as root; fails if there is no way to become root.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    sudo "$@"
  else
    return 1
  fi
}

may_install() {
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

# install_packages WHY PACKAGE...: installs Debian packages, saying so; or says what is missing.
install_packages() {
  local why=$1
  shift
  if ! may_install; then
    say "missing for $why: $*"
    say "there is no right to install them here; as root: apt-get install --no-install-recommends $*"
    return 1
  fi
  say "installing for $why: $*"
  as_root apt-get update -q >&2 || say "apt-get update failed; trying with the lists at hand"
  if ! as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -q -y --no-install-recommends "$@" >&2; then
    say "apt-get could not install: $*"
    return 1
  fi
}

# java_major: the major version of the JDK that Maven will use; fails without a compiler.
java_major() {
  local javac=javac
  if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/javac" ]; then
    javac=$JAVA_HOME/bin/javac
  fi
  command -v "$javac" >/dev/null || return 1
  "$javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p'
}

# need_jdk_and_maven: a JDK of at least 17 and Maven are there, or are installed.
need_jdk_and_maven() {
  local missing=() jdk major
  major=$(java_major) || major=
  if [ -z "$major" ] || [ "$major" -lt 17 ]; then
    jdk=openjdk-17-jdk-headless
    if command -v apt-cache >/dev/null && ! apt-cache show "$jdk" >/dev/null 2>&1 &&
        apt-cache show default-jdk-headless >/dev/null 2>&1; then
      jdk=default-jdk-headless
    fi
    missing+=("$jdk")
  fi
  command -v mvn >/dev/null || missing+=(maven)
  [ ${#missing[@]} = 0 ] || install_packages "building Cairn" "${missing[@]}"
}

# need_programs WHY PROGRAM:PACKAGE...: every program is there, or its package is installed.
need_programs() {
  local why=$1 pair program missing=()
  shift
  PATH=$PATH:/usr/sbin:/sbin
  for pair in "$@"; do
    program=${pair%%:*}
    command -v "$program" >/dev/null || missing+=("${pair#*:}")
  done
  [ ${#missing[@]} = 0 ] && return 0
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  install_packages "$why" "${missing[@]}"
}
