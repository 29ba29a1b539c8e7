#!/bin/bash
# Prepares a disk for Potion's data, guided and careful: nothing is erased before somebody has agreed to it by typing
# the disk's name or by --yes-erase; what holds the system or is in use is never offered. `--help` tells the options.
# disk/look.sh looks and changes nothing, disk/change.sh changes, disk/texts.sh speaks.
set -uo pipefail
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_NUMERIC=C
umask 022
unset -f say 2>/dev/null
program=$0
here=$(dirname -- "$(readlink -f -- "$0")")
MARKER=.potion-disk

# shellcheck source=ops/install/disk/texts.sh
. "$here/disk/texts.sh"
# shellcheck source=ops/install/disk/look.sh
. "$here/disk/look.sh"
# shellcheck source=ops/install/disk/change.sh
. "$here/disk/change.sh"

lang=${POTION_LANG:-${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}}
root='' mount_point=/mnt/potion-data wanted='' erase='' dry_run='' only_list='' device='' identity='' wiping='' stale_line=''

# say <name> [values]
say() {
  local name=$1 words
  shift
  case $lang in en*) words=${EN[$name]} ;; *) words=${ID[$name]} ;; esac
  # shellcheck disable=SC2059  # the texts are the formats
  printf -- "$words\n" "$@"
}
die() {
  printf 'potion: %s\n' "$(say "$@")" >&2
  exit 1
}
ask() {
  printf '%s' "$(say "$@") "
  IFS= read -r answer || { echo && die stopped; }
}

read_options() {
  local option asked=''
  for option in "$@"; do
    case $option in
      --device=?*) wanted=${option#*=} ;;
      --yes-erase=?*) erase=${option#*=} ;;
      --mount=?*) mount_point=${option#*=} ;;
      --root=?*) root=${option#*=} ;;
      --lang=id* | --lang=en*) lang=${option#*=} ;;
      --list) only_list=yes ;;
      --dry-run) dry_run=yes ;;
      --help | -h) asked=yes ;;
      *) die option "$option" ;;
    esac
  done
  if [ -n "$asked" ]; then
    say usage
    exit 0
  fi
}

check_machine() {
  local pair
  [ "$(id -u)" = 0 ] || die root "$program"
  for pair in lsblk:util-linux blkid:util-linux wipefs:util-linux findmnt:util-linux mkfs.ext4:e2fsprogs debugfs:e2fsprogs cmp:diffutils; do
    command -v "${pair%:*}" >/dev/null || die tool "${pair%:*}" "${pair#*:}"
  done
  if [ -n "$root" ]; then
    [ -d "$root/etc" ] || die no-root "$root"
    root=$(readlink -f -- "$root")
    [ "$root" != / ] || root=''
  fi
  fstab=$root/etc/fstab
  mount_point=${mount_point%/}
  [[ $mount_point =~ ^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$ ]] || die bad-mount "$mount_point"
  case $mount_point/ in
    /mnt/ | /media/ | /srv/ | /opt/ | /home/ | /var/ | /var/lib/ | /bin/* | /boot/* | /dev/* | /etc/* | /lib*/* | /proc/* | /root/* | \
      /run/* | /sbin/* | /sys/* | /tmp/* | /usr/* | /opt/potion/* | /var/lib/potion/* | /var/log/* | /var/tmp/*) die bad-mount "$mount_point" ;;
  esac
  target=$root$mount_point
  [ "$(readlink -m -- "$target")" = "$target" ] || die mount-link "$target"
  SYSTEM=$(system_disks)
}

# Only one at a time.
lock() {
  local file=/run/lock/potion-prepare-disk.lock
  [ -z "$root" ] || file=$root/etc/.potion-prepare-disk.lock
  exec 9>"$file" || exit 1
  flock --nonblock 9 || die busy-script
}

# The real path of what a person named.
resolved() {
  [[ $1 =~ ^/dev/[A-Za-z0-9_.:+@=/-]+$ && $1 != *..* ]] || die bad-name "$1"
  [ -b "$1" ] || die not-there "$1"
  readlink -f -- "$1"
}

state_words() {
  case $1 in here) say is-here "$target" ;; blank) say can-format ;; *) say "is-$1" ;; esac
}

# Shows all disks; those that may be used get a number, and stand in $offered.
show_disks() {
  local one why state
  offered=()
  say head
  while read -r one; do
    why=$(obstacle "$one")
    if [ -n "$why" ]; then
      row - "$one" "$why"
    else
      state=$(state_of "$one")
      offered+=("$one")
      row "${#offered[@]}" "$one" "$(state_words "$state")"
    fi
  done < <(all_devices)
}
row() {
  local about
  about=$(is_partition "$2" || model_of "$2")
  printf '%3s  %-14s %9s  %s%s\n       → %s\n' "$1" "$2" "$(human "$(size_of "$2")")" "${about:+$about, }" "$(contents_of "$2")" "$3"
}

choose() {
  local other why
  if [ -n "$wanted$erase" ]; then
    device=$(resolved "${wanted:-$erase}") || exit 1
    if [ -n "$erase" ]; then
      other=$(resolved "$erase") || exit 1
      [ "$other" = "$device" ] || die differ "$wanted" "$erase"
    fi
    why=$(obstacle "$device")
    [ -z "$why" ] || die cannot "$device" "$why"
    return
  fi
  [ -t 0 ] || die no-terminal
  show_disks
  [ "${#offered[@]}" -gt 0 ] || { say none && exit 1; }
  for _ in 1 2 3 4 5; do
    ask which
    case $answer in
      q | Q | '') die stopped ;;
      [1-9] | [1-9][0-9]) if [ "$answer" -le "${#offered[@]}" ]; then device=${offered[$answer - 1]} && return; fi ;;
    esac
    say no-such
  done
  die stopped
}

# Decides whether the device is formatted ($wiping) or used as it is, asking where that is not clear.
decide() {
  local state contents short
  identity=$(identity_of "$device")
  state=$(state_of "$device")
  contents=$(contents_of "$device")
  short=$(kernel_name "$device")
  case $state in
    here | potion)
      if [ -z "$erase" ] || is_prepared_now "$state"; then
        [ -z "$erase" ] || say kept-prepared "$device"
        return
      fi
      die cannot "$device" "$(say why-mounted "$target" "$target")" ;;
  esac
  if [ -n "$erase" ]; then
    wiping=yes
    return
  fi
  if [ "$state" = ext4 ]; then
    # By --device or without a terminal: what can be kept is kept.
    [ -z "$wanted" ] && [ -t 0 ] || return 0
    ask use-or-erase "$device" "$contents"
    case $answer in 1) return ;; 2) ;; *) die stopped ;; esac
  elif [ "$state" = blank ]; then
    wiping=yes
    [ -t 0 ] || return 0
    ask ask-format "$device" "$(human "$(size_of "$device")")"
    case $answer in y | ya | Ya | YA | yes | Yes | YES) return ;; *) die stopped ;; esac
  fi
  [ -t 0 ] || die needs-yes "$device" "$contents" "$device"
  ask ask-erase "$device" "$(model_of "$device") $(human "$(size_of "$device")")" "$contents" "$short"
  case $answer in "$short" | "$device") wiping=yes ;; *) die stopped ;; esac
}
is_prepared_now() { [ "$1" = potion ] || [ -f "$target/$MARKER" ]; }

# All that could stand in the way is looked at before the first change.
check_places() {
  local place there
  [ ! -L "$fstab" ] || die fstab-link "$fstab"
  place=$(fstab_place_of "$device")
  place=${place%/}
  if [ -n "$place" ] && [ "$place" != "$mount_point" ]; then die cannot "$device" "$(say why-fstab "$place" "$place")"; fi
  there=$(findmnt --noheadings --raw --first-only --output SOURCE --mountpoint "$target" 2>/dev/null)
  if [ -n "$there" ]; then
    [ -n "$(mounts_of "$device")" ] || die mount-taken "$target" "$there"
  elif [ -d "$target" ]; then
    [ -z "$(ls -A -- "$target")" ] || die mount-full "$target"
  elif [ -e "$target" ]; then
    die bad-mount "$mount_point"
  fi
  # A disk that is gone (dead, or left in the old laptop) leaves its place to the new one.
  place=$(fstab_line_at "$mount_point")
  if is_left_over "$place"; then
    say replaces "$place"
    stale_line=$place
  fi
  if [ -z "$wiping" ]; then
    there=$(twin_of "$device")
    [ -z "$there" ] || die cannot "$device" "$(say why-twin "$there")"
    compose_fstab "$device" "$(value_of "$device" UUID)"
  else
    # The line of what is erased now gets the new UUID.
    if [ -n "$(fstab_place_of "$device")" ]; then stale_line=$place; fi
    compose_fstab "$device" ...
  fi
}

prepare() {
  local uuid
  [ -z "$wiping" ] || format_disk "$device"
  if [ -n "$wiping" ] && [ -n "$dry_run" ]; then
    uuid=...
  else
    uuid=$(value_of "$device" UUID)
    [ -n "$uuid" ] || die not-there "$device"
  fi
  mount_disk "$device"
  write_marker "$uuid"
  write_fstab "$device" "$uuid"
  if [ -z "$root" ] && [ -d /run/systemd/system ]; then act "$(say step-reload)" systemctl daemon-reload; fi
  make_folder
  write_env
  case $mount_point in /mnt/*) ;; *) say elsewhere "$mount_point" "$mount_point" ;; esac
  if [ -n "$dry_run" ]; then say dry; else say finished "$device" "$target"; fi
}

main() {
  read_options "$@"
  check_machine
  if [ -n "$only_list" ]; then
    show_disks
    return
  fi
  lock
  choose
  decide
  check_places
  trap 'echo; die interrupted' INT TERM HUP
  prepare
}

main "$@"
