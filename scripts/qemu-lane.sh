# Sourced by ./run-tests: gets the QEMU versions and the guest of the qemu lane. Everything lands in
# one cache folder outside of the source tree, so that a clean build does not fetch it again.
# Expects scripts/packages.sh and a function say that prints a line.

qemu_cache() {
  printf '%s\n' "${CAIRN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cairn-tests}"
}

# private_apt FOLDER SUITE COMMAND...: apt-get with package lists of its own that know SUITE too.
# It reads which packages this machine has, and changes nothing outside of FOLDER.
private_apt() {
  local folder=$1 suite=$2
  shift 2
  mkdir -p "$folder/lists/partial" "$folder/archives/partial" "$folder/sources.d"
  if [ ! -s "$folder/sources.list" ]; then
    local site
    site=$(apt-get indextargets --format '$(SITE)' 'Release: bookworm' 2>/dev/null | head -n 1)
    site=${site:-http://deb.debian.org/debian}
    {
      printf 'deb [signed-by=%s] %s bookworm main\n' "$debian_keyring" "$site"
      printf 'deb [signed-by=%s] %s %s main\n' "$debian_keyring" "$site" "$suite"
    } >"$folder/sources.list"
  fi
  apt-get -q -y \
    -o Dir::Etc::SourceList="$folder/sources.list" -o Dir::Etc::SourceParts="$folder/sources.d" \
    -o Dir::State::Lists="$folder/lists" -o Dir::Cache="$folder" \
    -o Dir::Cache::Archives="$folder/archives" -o Debug::NoLocking=1 \
    -o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=0 "$@" >&2
}
debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# unpack_packages FOLDER SUITE PACKAGE...: unpacks packages, and whatever of their dependencies this
# machine lacks, into FOLDER/root without installing anything.
unpack_packages() {
  local folder=$1 suite=$2 package
  shift 2
  rm -rf "$folder"
  mkdir -p "$folder/apt" "$folder/root"
  private_apt "$folder/apt" "$suite" update || return 1
  private_apt "$folder/apt" "$suite" -t "$suite" --reinstall --download-only install "$@" ||
    return 1
  for package in "$folder"/apt/archives/*.deb; do
    dpkg-deb -x "$package" "$folder/root" || return 1
  done
  rm -rf "$folder/apt"
}

# need_backports_qemu CACHE: QEMU 10.0 of bookworm-backports, beside the one that is installed.
need_backports_qemu() {
  local folder=$1/qemu-backports
  [ -x "$folder/qemu-system-x86_64" ] && return 0
  say "unpacking QEMU of bookworm-backports into $folder"
  unpack_packages "$folder" bookworm-backports qemu-system-x86 seabios ipxe-qemu || return 1
  cat >"$folder/qemu-system-x86_64.new" <<SCRIPT
#!/bin/sh
root=$folder/root
LD_LIBRARY_PATH=\$root/usr/lib/x86_64-linux-gnu:\$root/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH QEMU_MODULE_DIR=\$root/usr/lib/x86_64-linux-gnu/qemu
exec "\$root/usr/bin/qemu-system-x86_64" -L "\$root/usr/share/qemu" -L "\$root/usr/share/seabios" "\$@"
SCRIPT
  chmod 755 "$folder/qemu-system-x86_64.new"
  "$folder/qemu-system-x86_64.new" --version >&2 || return 1
  mv "$folder/qemu-system-x86_64.new" "$folder/qemu-system-x86_64"
}

# need_guest_kernel CACHE: Debian's kernel, unpacked; not installed on this machine.
need_guest_kernel() {
  local folder=$1/kernel
  [ -s "$folder/vmlinuz" ] && return 0
  say "unpacking the guest kernel into $folder"
  local package
  private_apt "$1/kernel-apt" bookworm-updates update || return 1
  package=$(apt-cache -o Dir::Etc::SourceList="$1/kernel-apt/sources.list" \
    -o Dir::Etc::SourceParts="$1/kernel-apt/sources.d" -o Dir::State::Lists="$1/kernel-apt/lists" \
    -o Dir::Cache="$1/kernel-apt" depends linux-image-amd64 |
    sed -n 's/.*Depends: \(linux-image-[0-9].*-amd64\)$/\1/p' | head -n 1)
  [ -n "$package" ] || { say "no kernel package found"; return 1; }
  mkdir -p "$folder/root"
  (cd "$1/kernel-apt" && private_apt "$1/kernel-apt" bookworm-updates download "$package") ||
    return 1
  dpkg-deb -x "$1/kernel-apt/$package"*.deb "$folder/root" || return 1
  find "$folder/root" \( -name virtio.ko -o -name virtio_ring.ko -o -name virtio_pci_modern_dev.ko \
    -o -name virtio_pci_legacy_dev.ko -o -name virtio_pci.ko -o -name virtio_blk.ko \) \
    -exec cp {} "$folder" \;
  mv "$folder/root"/boot/vmlinuz-* "$folder/vmlinuz" || return 1
  rm -rf "$folder/root" "$1/kernel-apt"
}

# build_guest CACHE: the initramfs, made again whenever the guest's program changes.
build_guest() {
  local folder=$1/guest source=tests/qemu/guest/init.c sum
  sum=$(cat "$source" "$1"/kernel/*.ko | sha256sum | cut -d ' ' -f 1)
  [ "$(cat "$folder/sum" 2>/dev/null)" = "$sum" ] && return 0
  say "building the test guest"
  rm -rf "$folder"
  mkdir -p "$folder/tree/modules"
  gcc -static -O2 -Wall -Wextra -Werror -o "$folder/tree/init" "$source" || return 1
  strip "$folder/tree/init"
  cp "$1"/kernel/*.ko "$folder/tree/modules"
  (cd "$folder/tree" && find . | cpio -o -H newc -R 0:0 --quiet) >"$folder/initrd" || return 1
  printf '%s\n' "$sum" >"$folder/sum"
}

# need_qemu_lane: all of the above. Prints the cache folder's use on standard error only.
need_qemu_lane() {
  local cache
  cache=$(qemu_cache)
  need_programs "the qemu lane" qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils \
    gcc:gcc cpio:cpio || return 1
  [ -e /usr/lib/x86_64-linux-gnu/libc.a ] || install_packages "the test guest" libc6-dev || return 1
  mkdir -p "$cache"
  need_guest_kernel "$cache" && build_guest "$cache" && need_backports_qemu "$cache"
}
