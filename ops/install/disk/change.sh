# shellcheck shell=bash
# Changes disks and files of /etc, each step only when it is not so already. Every command that changes something
# goes through act, which only names it in a dry run.

FSTAB_OPTIONS=noatime,nofail,x-systemd.device-timeout=10s

# act <what is said> <program> [arguments]; ends the script when the program fails
act() {
  local what=$1 output
  shift
  if [ -n "$dry_run" ]; then
    say would "$what"
    return
  fi
  output=$("$@" 2>&1) || die failed "$what
$output"
  say did "$what"
}

# Wipes what is on the device and makes an ext4. Only called after somebody has agreed to that.
format_disk() {
  local device=$1 one
  # The name may have gone to another disk while the person was thinking.
  [ "$(identity_of "$device")" = "$identity" ] || die changed "$device"
  [ -z "$(obstacle "$device")" ] || die cannot "$device" "$(obstacle "$device")"
  for one in $(parts_of "$device") "$device"; do act "$(say step-wipe "$one")" wipefs --all -- "$one"; done
  if [ -z "$dry_run" ] && [ -n "$(parts_of "$device")" ]; then
    # The kernel still knows partitions that are gone.
    blockdev --rereadpt "$device" 2>/dev/null || partx --delete "$device" 2>/dev/null || :
  fi
  act "$(say step-mkfs "$device")" make_ext4 "$device"
}

make_ext4() {
  # -m 1: 1% for root is enough where no system runs. Never -F: mkfs itself refuses what is in use.
  mkfs.ext4 -q -L POTIONDATA -m 1 -- "$1" </dev/null && sync -- "$1"
}

# An existing mount point stays as it is; a new one belongs to root, so that nobody else fills it without a disk.
mount_disk() {
  local device=$1
  if [ -n "$(mounts_of "$device")" ]; then
    say same "$(say step-mount "$device" "$target")"
    return
  fi
  [ -d "$target" ] || act "mkdir -p $target" mkdir --parents --mode=755 -- "$target"
  if [ -n "$dry_run" ]; then
    say would "$(say step-mount "$device" "$target")"
  else
    mount -t ext4 -o noatime -- "$device" "$target" || die mount-failed "$device" "$target" "$device"
    say did "$(say step-mount "$device" "$target")"
  fi
}

# The mark that backups look for before they write or delete anything: that this disk, not the empty folder below its
# mount point and not another disk, is what they see. Text, a comment and then name=value lines:
#   UUID=<UUID of the file system that it was written to, in lower case as blkid has it>
# A copy of the files on another disk has the wrong UUID there and does not count. Owned by root, 0644, so that
# Potion can read it and not write it.
write_marker() {
  local uuid=$1 file=$target/$MARKER text
  text="# Potion writes its backups to the file system that has this mark and this UUID, and to no other.
UUID=$uuid"
  if [ -z "$dry_run" ] && [ -f "$file" ] && [ ! -L "$file" ] && [ "$(cat -- "$file")" = "$text" ]; then
    [ "$(stat -c '%u:%g:%a' -- "$file")" = 0:0:644 ] || act "chmod 644 $file" own_marker "$file"
    say same "$(say step-marker "$file")"
    return
  fi
  [ ! -d "$file" ] || die folder-bad "$file"
  act "$(say step-marker "$file")" replace_file "$file" "$text" 644
}

own_marker() { chown root:root -- "$1" && chmod 644 -- "$1"; }

# replace_file <path> <text> <mode>: at once or not at all, also when the power fails; with the old one's owner
replace_file() {
  local path=$1 new
  new=$(mktemp -- "$(dirname -- "$path")/.potion-new.XXXXXX") || return 1
  if printf '%s\n' "$2" >"$new" && chmod "$3" -- "$new" && like_before "$path" "$new" &&
    sync -- "$new" && mv --no-target-directory -- "$new" "$path" && sync -- "$(dirname -- "$path")"; then return; fi
  rm -f -- "$new"
  return 1
}

like_before() { [ ! -f "$1" ] || [ -L "$1" ] || chown --reference="$1" -- "$2"; }

# The folder that Potion may write. What is there and belongs to somebody is not touched.
make_folder() {
  local folder=$target/backups ids owner
  ids=$(awk -F: '$1 == "potion" { print $3 ":" $4 }' "$root/etc/passwd" 2>/dev/null)
  if [ -L "$folder" ] || { [ -e "$folder" ] && [ ! -d "$folder" ]; }; then
    say folder-bad "$folder"
  elif [ -z "$ids" ]; then
    say no-user "$folder" "$program" "$device"
  elif [ -d "$folder" ]; then
    owner=$(stat -c %u:%g -- "$folder")
    if [ "$owner" = "$ids" ]; then
      say same "$(say step-folder "$folder")"
    elif [ -z "$(ls -A -- "$folder")" ]; then
      act "$(say step-folder "$folder")" give_folder "$folder" "$ids"
    else
      say folder-other "$folder" "$(stat -c %U -- "$folder")" "$folder"
    fi
  else
    act "$(say step-folder "$folder")" give_folder "$folder" "$ids"
  fi
}

give_folder() {
  [ -d "$1" ] || mkdir --mode=750 -- "$1" || return 1
  chmod 750 -- "$1" && chown --no-dereference "$2" -- "$1"
}

# Whether the first field of a line of fstab means the device.
means() {
  local spec=${1//\"/} device=$2 value
  value=${spec#*=}
  case $spec in
    UUID=*) [ "${value,,}" = "$(value_of "$device" UUID)" ] ;;
    LABEL=*) [ "$value" = "$(value_of "$device" LABEL)" ] ;;
    PARTUUID=*) [ "${value,,}" = "$(value_of "$device" PART_ENTRY_UUID)" ] ;;
    PARTLABEL=*) [ "$value" = "$(value_of "$device" PART_ENTRY_NAME)" ] ;;
    /dev/*) [ "$(readlink -f -- "$spec")" = "$device" ] ;;
    *) false ;;
  esac
}

# Where fstab mounts a device (or a partition of it); nothing when it does not.
fstab_place_of() {
  local device=$1 spec place one
  [ -f "$fstab" ] || return 0
  while read -r spec place _; do
    case $spec in '#'* | '') continue ;; esac
    for one in $(family_of "$device"); do
      if means "$spec" "$one"; then
        printf '%s\n' "$place"
        return
      fi
    done
  done <"$fstab"
}

# The line of fstab for a mount point.
fstab_line_at() {
  [ -f "$fstab" ] || return 0
  awk -v place="$1" '$1 !~ /^#/ && ($2 == place || $2 == place "/")' "$fstab" | head -n 1
}

# Whether a line of fstab is one of this script's, and its disk is not here.
is_left_over() {
  local spec options
  read -r spec _ _ options _ <<<"$1"
  case $spec in UUID=*) ;; *) return 1 ;; esac
  case ",$options," in *,nofail,*) ;; *) return 1 ;; esac
  case ",$options," in *,x-systemd.device-timeout=*) ;; *) return 1 ;; esac
  ! grep -qixF -- "${spec#UUID=}" <<<"$(all_uuids)"
}

# Options of a line that a person wrote, with what is missing.
completed() {
  local options=",$1,"
  options=${options//,defaults,/,}
  case $options in *,noatime,* | *,relatime,* | *,strictatime,* | *,atime,*) ;; *) options+=noatime, ;; esac
  case $options in *,nofail,*) ;; *) options+=nofail, ;; esac
  case $options in *,x-systemd.device-timeout=*) ;; *) options+=x-systemd.device-timeout=10s, ;; esac
  options=${options#,}
  printf '%s\n' "${options%,}"
}

# The new text of fstab goes to $fstab_text, the line itself to $fstab_line.
compose_fstab() {
  local device=$1 uuid=$2 line spec place type options dump pass rest found=''
  fstab_text=''
  fstab_line="UUID=$uuid $mount_point ext4 $FSTAB_OPTIONS 0 2"
  if [ -f "$fstab" ]; then
    while IFS= read -r line || [ -n "$line" ]; do
      read -r spec place type options dump pass rest <<<"$line"
      case $spec in '#'* | '') place='' ;; esac
      if [ "${place%/}" = "$mount_point" ]; then
        [ "$line" = "$stale_line" ] || means "$spec" "$device" || die fstab-taken "$mount_point" "$line"
        found=yes
        options=$(completed "$options")
        [ "$line" != "$stale_line" ] || type=ext4
        line="UUID=$uuid $mount_point ${type:-ext4} $options ${dump:-0} ${pass:-2}${rest:+ $rest}"
        fstab_line=$line
      fi
      fstab_text+=$line$'\n'
    done <"$fstab"
  fi
  [ -n "$found" ] || fstab_text+=$fstab_line$'\n'
  fstab_text=${fstab_text%$'\n'}
}

# How many faults findmnt sees. Another root's mount points are not here, so there only the form counts.
faults_of() {
  local said
  said=$(LC_ALL=C findmnt --verify --tab-file "$1" 2>&1)
  if [ -n "$root" ]; then grep -c 'parse error at' <<<"$said"; else grep -cE '\[E\]|parse error at' <<<"$said"; fi
}

write_fstab() {
  local device=$1 uuid=$2 draft backup
  compose_fstab "$device" "$uuid"
  if [ -f "$fstab" ] && [ "$(cat -- "$fstab")" = "$fstab_text" ]; then
    say same "$(say step-fstab "$fstab_line")"
    return
  fi
  draft=$(mktemp) || die failed mktemp
  printf '%s\n' "$fstab_text" >"$draft"
  if [ -z "$dry_run" ] && [ "$(faults_of "$draft")" -gt "$(faults_of "$fstab")" ]; then
    said=$(LC_ALL=C findmnt --verify --tab-file "$draft" 2>&1)
    rm -f -- "$draft"
    die fstab-bad "$said"
  fi
  rm -f -- "$draft"
  if [ -f "$fstab" ]; then
    backup=$fstab.before-potion-$(date +%Y%m%d-%H%M%S)
    act "$(say step-backup "$backup")" cp --preserve=all --no-clobber -- "$fstab" "$backup"
  fi
  act "$(say step-fstab "$fstab_line")" replace_file "$fstab" "$fstab_text" 644
}

write_env() {
  local file=$root/etc/potion/potion.env text
  [ -f "$file" ] || return 0
  if [ "$(sed -n 's/^HDD_MOUNT=//p' "$file" | tail -n 1 | tr -d \"\')" = "$mount_point" ]; then
    say same "$(say step-env "$mount_point")"
    return
  fi
  text=$(sed '/^HDD_MOUNT=/d' "$file" && printf 'HDD_MOUNT="%s"\n' "$mount_point")
  act "$(say step-env "$mount_point")" replace_file "$file" "$text" 600
  [ -n "$dry_run" ] || say restart
}
