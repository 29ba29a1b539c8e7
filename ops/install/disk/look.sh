# shellcheck shell=bash
# Looks at disks; changes nothing. Devices are given by their real path, e.g. /dev/sdb1.

# Bytes. Less than this is a partition for booting or recovery, or not meant for backups.
SMALLEST=$((1024 * 1024 * 1024))
# What a server does not run without. A disk that holds one of these is never offered, whole or in part.
SYSTEM_PLACES='/ /boot /boot/efi /efi /usr /var /var/lib /var/log /home /opt /etc /root /nix /snap'

kernel_name() { basename -- "$1"; }
is_partition() { [ -e "/sys/class/block/$(kernel_name "$1")/partition" ]; }

# The disk that a partition is on; a whole disk itself.
whole_of() {
  if is_partition "$1"; then
    printf '/dev/%s\n' "$(basename -- "$(dirname -- "$(readlink -f -- "/sys/class/block/$(kernel_name "$1")")")")"
  else
    printf '%s\n' "$1"
  fi
}

# The partitions of a whole disk; none for a partition.
parts_of() {
  local entry
  is_partition "$1" && return
  for entry in "/sys/class/block/$(kernel_name "$1")/"*/partition; do
    [ -e "$entry" ] && printf '/dev/%s\n' "$(basename -- "$(dirname -- "$entry")")"
  done
}

# A disk and everything on it, or a partition alone.
family_of() {
  printf '%s\n' "$1"
  parts_of "$1"
}

# Bytes, without opening the device.
size_of() {
  local sectors=0
  read -r sectors <"/sys/class/block/$(kernel_name "$1")/size" || :
  echo $((sectors * 512))
} 2>/dev/null
is_readonly() { [ "$(cat "/sys/class/block/$(kernel_name "$1")/ro" 2>/dev/null)" != 0 ]; }
kind_of() { lsblk --nodeps --noheadings --raw --output TYPE "$1" 2>/dev/null | head -n 1; }
human() { numfmt --to=si --suffix=B --format=%.1f "$1"; }
# What disks tell about themselves may hold anything.
printable() { tr -cd '[:alnum:] ._+/-' | sed 's/^ *//; s/ *$//'; }
model_of() { lsblk --nodeps --noheadings --raw --output MODEL "$(whole_of "$1")" 2>/dev/null | head -n 1 | sed 's/\\x20/ /g' | printable; }

# Tells a disk from another that got its name later.
identity_of() {
  local whole sequence=''
  whole=$(whole_of "$1")
  read -r sequence <"/sys/class/block/$(kernel_name "$whole")/diskseq" || :
  printf '%s %s %s\n' "$(stat -L -c %t:%T -- "$1")" "$(size_of "$1")" "$sequence"
} 2>/dev/null

# One fact of what the first bytes tell: value_of <device> TYPE|LABEL|UUID|PTTYPE|PART_ENTRY_UUID …
value_of() { blkid --probe --match-tag "$2" --output value -- "$1" 2>/dev/null | head -n 1; }

# The places that a device is mounted on.
mounts_of() {
  local device number
  device=$1
  number=$((0x$(stat -L -c %t -- "$device"))):$((0x$(stat -L -c %T -- "$device")))
  awk -v number="$number" -v device="$device" '
    { for (i = 7; $i != "-"; i++); if ($3 == number || $(i + 2) == device) print $5 }' /proc/self/mountinfo
}

# Which swap is active on a device.
swaps_of() {
  local name
  tail -n +2 /proc/swaps | while read -r name _; do
    if [ "$(readlink -f -- "$name")" = "$1" ]; then echo "$name"; fi
  done
}

# The whole disks below a device: through LVM, RAID and encryption too.
disks_below() {
  lsblk --inverse --noheadings --raw --paths --output NAME "$1" 2>/dev/null | while read -r name; do
    [ -b "$name" ] && whole_of "$(readlink -f -- "$name")"
  done
}

# Lines "<disk> <place>" of the disks that hold the system; read once.
system_disks() {
  local place source disk
  for place in $SYSTEM_PLACES; do
    for source in $(findmnt --noheadings --raw --nofsroot --output SOURCE --mountpoint "$place" 2>/dev/null); do
      [ -b "$source" ] || continue
      for disk in $(disks_below "$(readlink -f -- "$source")"); do printf '%s %s\n' "$disk" "$place"; done
    done
  done
}

# The device, or a partition on it, that the kernel gives to nobody else because something has it. The program asks for
# the device alone, as one who wants to write, and writes nothing (--no-act). Asked of a disk with partitions it would
# make the kernel read these anew.
in_use() {
  local one
  for one in $(parts_of "$1" | grep . || printf '%s\n' "$1"); do
    [ -n "$(mounts_of "$one")" ] || wipefs --all --no-act -- "$one" >/dev/null 2>&1 || printf '%s\n' "$one"
  done
}

# Why a device must be left alone, as a sentence; nothing when it may be used. $target is where it may be mounted.
obstacle() {
  local device=$1 whole place one kind
  kind=$(kind_of "$device")
  case $kind in
    disk | part | loop) ;;
    '') say why-gone && return ;;
    *) say why-kind "$kind" && return ;;
  esac
  whole=$(whole_of "$device")
  place=$(awk -v disk="$whole" '$1 == disk { print $2; exit }' <<<"$SYSTEM")
  if [ -n "$place" ]; then say why-system "$place" && return; fi
  for one in $(family_of "$whole"); do
    place=$(swaps_of "$one" | head -n 1)
    if [ -n "$place" ]; then say why-swap "$place" "$place" && return; fi
    place=$(ls -A "/sys/class/block/$(kernel_name "$one")/holders" 2>/dev/null | head -n 1)
    if [ -n "$place" ]; then say why-stacked "$one" && return; fi
  done
  if [ "$(size_of "$device")" -lt "$SMALLEST" ]; then say why-small && return; fi
  for one in $(family_of "$device"); do
    place=$(mounts_of "$one" | head -n 1)
    [ -n "$place" ] || continue
    if [ "$one" = "$device" ] && [ "$place" = "$target" ] && [ "$(value_of "$one" TYPE)" = ext4 ]; then continue; fi
    say why-mounted "$place" "$place" && return
  done
  if is_readonly "$device"; then say why-readonly && return; fi
  if [ -n "$(in_use "$device")" ]; then say why-busy; fi
}

# Whether nothing at all is on it: no partitions, no known mark, zeros in the first and the last MiB.
is_blank() {
  local mib=$((1024 * 1024)) last
  last=$(($(size_of "$1") - mib))
  [ -z "$(parts_of "$1")" ] && [ -z "$(wipefs --noheadings -- "$1" 2>/dev/null)" ] &&
    cmp --quiet --bytes="$mib" -- "$1" /dev/zero && cmp --quiet --bytes="$mib" --ignore-initial="$last:0" -- "$1" /dev/zero
}

# Whether this script prepared it, asked of the file system without mounting it.
is_prepared() {
  local uuid
  uuid=$(value_of "$1" UUID)
  [ -n "$uuid" ] && grep -qxF "UUID=$uuid" <<<"$(debugfs -R "cat /$MARKER" "$1" 2>/dev/null)"
}

# here: mounted where it should be · potion: prepared by this script · ext4: usable as it is · blank · full
state_of() {
  if [ -n "$(mounts_of "$1")" ]; then
    echo here
  elif [ "$(value_of "$1" TYPE)" = ext4 ] && [ -z "$(parts_of "$1")" ]; then
    if is_prepared "$1"; then echo potion; else echo ext4; fi
  elif is_blank "$1"; then
    echo blank
  else
    echo full
  fi
}

# What is on it, for a person.
contents_of() {
  local type label table count used=''
  type=$(value_of "$1" TYPE)
  table=$(value_of "$1" PTTYPE)
  count=$(parts_of "$1" | grep -c .)
  if [ -n "$type" ]; then
    label=$(value_of "$1" LABEL | printable)
    case $type in ext2 | ext3 | ext4) used=$(dumpe2fs -h "$1" 2>/dev/null | awk -F': *' '
      /^Block count/ { all = $2 } /^Free blocks/ { free = $2 } /^Block size/ { print (all - free) * $2 }') ;; esac
    printf '%s%s%s' "$type" "${label:+ \"$label\"}" "${used:+, $(say used "$(human "$used")")}"
  elif [ -n "$table" ] || [ "$count" -gt 0 ]; then
    say parts "${table:-?}" "$count"
  elif is_blank "$1"; then
    say is-blank
  else
    say unknown
  fi
}

# The UUIDs of all file systems that are here.
all_uuids() {
  local device
  lsblk --noheadings --raw --paths --output NAME | sort -u | while read -r device; do
    value_of "$(readlink -f -- "$device")" UUID
  done
}

# Other devices with the same UUID of the file system.
twin_of() {
  local uuid other
  uuid=$(value_of "$1" UUID)
  [ -n "$uuid" ] || return 0
  lsblk --noheadings --raw --paths --output NAME | sort -u | while read -r other; do
    other=$(readlink -f -- "$other")
    if [ "$other" != "$1" ] && [ "$(value_of "$other" UUID)" = "$uuid" ]; then echo "$other"; fi
  done | head -n 1
}

# All disks and partitions worth showing, one for each line. A loop device without a file, or one that is a snap's, is not.
all_devices() {
  local disk
  lsblk --nodeps --noheadings --raw --paths --output NAME,TYPE | while read -r disk type; do
    case $type in disk | loop) ;; *) continue ;; esac
    case $disk in /dev/ram* | /dev/zram* | /dev/fd*) continue ;; esac
    [ "$(size_of "$disk")" -gt 0 ] || continue
    if [ "$type" = loop ] && { [ -n "$(mounts_of "$disk")" ] || is_readonly "$disk"; }; then continue; fi
    family_of "$disk"
  done
}
