#!/bin/sh
# Installs, upgrades or removes Potion on this machine; `install.sh --help` tells how. This part only makes sure
# that the rest can run: root, Debian or Ubuntu, the programs that are needed, and no second one at the same time.
set -eu
umask 022
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH:-}
export PATH
here=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
lock=/run/lock/potion-install.lock

lang=${POTION_LANG:-}
dry=
help=
remove=
before=
for argument in "$@"; do
  [ "$before" != --lang ] || lang=$argument
  case $argument in
    --lang=*) lang=${argument#--lang=} ;;
    --dry-run) dry=yes ;;
    --help | -h) help=yes ;;
    --uninstall) remove=yes ;;
  esac
  before=$argument
done
case $lang in en*) lang=en ;; *) lang=id ;; esac

# say <Indonesian> <English>
say() {
  if [ "$lang" = en ]; then printf 'potion: %s\n' "$2"; else printf 'potion: %s\n' "$1"; fi >&2
}
refuse() {
  say "$@"
  exit 1
}

# The machine's own Node will do from version 18; without it the one that an installed Potion brought.
old_enough='process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)'
find_node() {
  for node in node nodejs /opt/potion/current/.potion/bin/node; do
    if command -v "$node" >/dev/null 2>&1 && "$node" -e "$old_enough" >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

# Packages whose program is not there, by pairs of program and package.
missing_of() {
  while [ $# -gt 1 ]; do
    [ -x "$1" ] || command -v "$1" >/dev/null 2>&1 || printf '%s ' "$2"
    shift 2
  done
}

if [ -n "$help" ]; then
  if find_node; then exec "$node" --no-warnings "$here/main.mjs" "$@"; fi
  say \
    "sudo $0 [--dry-run] [--uninstall [--purge]]; selengkapnya setelah Node terpasang (apt-get install nodejs)" \
    "sudo $0 [--dry-run] [--uninstall [--purge]]; the rest once there is Node (apt-get install nodejs)"
  exit 0
fi
[ "$(id -u)" = 0 ] || refuse \
  "ini harus dijalankan sebagai root. Coba: sudo $0 $*" \
  "this must be run as root. Try: sudo $0 $*"
# shellcheck source=/dev/null
id_like=$(. /etc/os-release 2>/dev/null && printf '%s %s' "${ID:-}" "${ID_LIKE:-}") || id_like=
case " $id_like " in
  *" debian "* | *" ubuntu "*) ;;
  *) refuse \
    "aku hanya kenal Debian dan Ubuntu; sistem ini menyebut dirinya \"$id_like\"." \
    "only Debian and Ubuntu are known to me; this system calls itself \"$id_like\"." ;;
esac

needed=
wished=
if [ -z "$remove" ]; then
  needed=$(missing_of git git npm npm)
  find_node || needed="${needed}nodejs "
  wished=$(missing_of /usr/lib/polkit-1/polkitd polkitd /usr/sbin/logrotate logrotate rsync rsync)
elif ! find_node; then
  needed='nodejs '
fi

if [ -n "$dry" ]; then
  [ -z "$needed$wished" ] || say \
    "akan memasang paket: $needed$wished(apt-get install)" \
    "would install packages: $needed$wished(apt-get install)"
  [ -z "$needed" ] || {
    units=$(find "$here/files/systemd" -type f -printf '%f ')
    say \
      "Sebelum itu terpasang, sisanya hanya garis besar: user potion, folder /opt/potion /etc/potion /var/lib/potion /var/log/potion /var/cache/potion, kode dari klon ini, unit ${units}lalu potion.service dijalankan." \
      "Before these are there, the rest is only an outline: user potion, folders /opt/potion /etc/potion /var/lib/potion /var/log/potion /var/cache/potion, the code of this clone, units ${units}then potion.service is started."
    exit 0
  }
  exec "$node" --no-warnings "$here/main.mjs" "$@"
fi

# Kept by every program that is started from here, until the last one has ended.
exec 9>"$lock"
flock --nonblock 9 || refuse \
  "pemasangan lain masih berjalan. Tunggu sampai selesai, lalu coba lagi." \
  "another installation is still running. Wait for its end, then try again."

get() {
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@" 9>&-
}
if [ -n "$needed$wished" ]; then
  say "memasang paket yang belum ada: $needed$wished…" "installing packages that are missing: $needed$wished…"
  apt-get update --quiet=2 9>&- || say \
    "daftar paket tidak bisa diperbarui; aku coba dengan yang ada." \
    "the list of packages could not be updated; trying with the one that is there."
  # shellcheck disable=SC2086 # each word is a package
  [ -z "$needed" ] || get $needed || refuse \
    "apt tidak bisa memasang: $needed. Periksa koneksi internet, lalu jalankan perintah yang sama lagi." \
    "apt could not install: $needed. Check the internet connection, then run the same command again."
  # shellcheck disable=SC2086
  [ -z "$wished" ] || get $wished || say \
    "apt tidak bisa memasang: $wished. Potion tetap dipasang; jalankan perintah ini lagi nanti." \
    "apt could not install: $wished. Potion is installed all the same; run this command again later."
fi
find_node || refuse \
  "Node $(node --version 2>/dev/null) terlalu tua: perlu versi 18 atau lebih baru (Debian 12, Ubuntu 24.04)." \
  "Node $(node --version 2>/dev/null) is too old: version 18 or later is needed (Debian 12, Ubuntu 24.04)."
exec "$node" --no-warnings "$here/main.mjs" "$@"
