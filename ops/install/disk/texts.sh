# shellcheck shell=bash
# What prepare-disk.sh says. "name: Indonesian" and below it "name: English" would drift apart, so both stand in one
# entry: text <name> <Indonesian> <English>. %s takes what is handed over, in the same order in both languages.

declare -A ID EN
text() {
  ID[$1]=$2
  EN[$1]=$3
}

text usage "sudo ops/install/prepare-disk.sh [pilihan]

Menyiapkan disk untuk data Potion: memilih disk, memformatnya kalau kosong (atau memakai ext4 yang sudah ada apa
adanya), dan memasangnya setiap kali server menyala. Boleh dijalankan berkali-kali. Tanpa pilihan, semua ditanyakan.

  --device=/dev/sdX1      disk atau partisi yang dipakai, tanpa bertanya yang mana
  --yes-erase=/dev/sdX1   ya, semua isi disk ini boleh hilang (pengganti mengetik namanya, untuk skrip)
  --mount=/mnt/tempat     tempat pemasangan (/mnt/potion-data)
  --list                  hanya tunjukkan disk yang ada
  --dry-run               hanya tunjukkan apa yang akan dilakukan
  --root=FOLDER           sistem lain yang terpasang di FOLDER, misalnya dari USB penyelamat
  --lang=id|en            bahasa
  --help                  teks ini" \
  "sudo ops/install/prepare-disk.sh [options]

Prepares a disk for Potion's data: chooses it, formats it when it is empty (or uses an ext4 that is there as it is),
and mounts it whenever the server starts. May be run again at any time. Without options it asks for everything.

  --device=/dev/sdX1      disk or partition to use, without asking which
  --yes-erase=/dev/sdX1   yes, all that is on this disk may go (instead of typing its name, for scripts)
  --mount=/mnt/place      where it is mounted (/mnt/potion-data)
  --list                  only show the disks that are there
  --dry-run               only show what would be done
  --root=FOLDER           another system that is mounted on FOLDER, e.g. from a rescue stick
  --lang=id|en            language
  --help                  this text"

text option "pilihan ini aku tidak kenal: %s (lihat --help)" "there is no such option: %s (see --help)"
text root "ini harus dijalankan sebagai root. Coba: sudo %s" "this must be run as root. Try: sudo %s"
text tool "program %s tidak ada. Coba: sudo apt install %s" "the program %s is missing. Try: sudo apt install %s"
text busy-script "prepare-disk.sh sedang berjalan di tempat lain." "prepare-disk.sh is running elsewhere already."
text no-root "--root=%s: di situ tidak ada sistem (tidak ada etc)" "--root=%s: there is no system (no etc)"
text differ "--device dan --yes-erase menyebut disk yang berbeda: %s dan %s" "--device and --yes-erase name different disks: %s and %s"
text no-terminal "tidak ada terminal untuk bertanya: sebutkan --device=/dev/..., dan --yes-erase=/dev/... kalau isinya boleh hilang." "there is no terminal to ask: give --device=/dev/..., and --yes-erase=/dev/... when what is on it may go."

text head "Disk di server ini:" "The disks of this server:"
text none "Tidak ada disk yang bisa dipakai sekarang. Sebabnya tertulis di atas, di sebelah tiap disk." "No disk can be used right now. The reason stands above, beside each disk."
text which "Pakai yang mana? Ketik nomornya, atau q untuk berhenti: " "Which one? Type its number, or q to stop: "
text no-such "Nomor itu tidak ada." "There is no such number."
text stopped "Berhenti. Tidak ada yang diubah." "Stopped. Nothing was changed."
text interrupted "Terputus. Jalankan lagi perintah yang sama untuk melanjutkan." "Interrupted. Run the same command again to go on."

text bad-name "%s bukan nama disk; contoh: /dev/sdb1" "%s is no name of a disk; an example: /dev/sdb1"
text not-there "%s tidak ada (atau bukan disk). Lihat: lsblk" "%s is not there (or no disk). See: lsblk"
text changed "%s bukan lagi disk yang tadi dipilih. Tidak ada yang diubah; mulai lagi." "%s is no longer the disk that was chosen. Nothing was changed; start again."
text cannot "%s tidak bisa dipakai: %s" "%s can't be used: %s"

text is-blank "kosong" "empty"
text can-format "bisa dipakai; akan diformat" "can be used; it will be formatted"
text is-ext4 "bisa dipakai apa adanya" "can be used as it is"
text is-potion "disk Potion" "Potion's disk"
text is-here "sudah terpasang di %s" "mounted on %s already"
text is-full "ada isinya; hanya bisa dipakai dengan menghapus semuanya" "not empty; can only be used by erasing all of it"
text why-kind "jenisnya %s; yang bisa hanya disk atau partisi" "it is a %s; only a disk or a partition will do"
text why-gone "tidak bisa dibaca" "it can't be read"
text why-small "terlalu kecil (paling sedikit 1 GB)" "too small (1 GB at least)"
text why-readonly "hanya bisa dibaca (sakelar pengunci, atau disk rusak?)" "read-only (a lock switch, or a failing disk?)"
text why-system "sistem server ini ada di disk yang sama (%s)" "this server's system is on the same disk (%s)"
text why-swap "swap aktif di disk yang sama (%s). Matikan dulu: sudo swapoff %s, dan hapus barisnya di /etc/fstab" "swap is active on the same disk (%s). Turn it off first: sudo swapoff %s, and remove its line from /etc/fstab"
text why-stacked "sedang dipakai LVM, RAID atau enkripsi (%s)" "in use by LVM, RAID or encryption (%s)"
text why-mounted "sedang terpasang di %s. Lepas dulu: sudo umount %s" "mounted on %s. Unmount it first: sudo umount %s"
text why-busy "sedang dipakai program lain" "in use by another program"
text why-fstab "/etc/fstab memasangnya di %s. Hapus dulu baris itu, atau pakai --mount=%s" "/etc/fstab mounts it on %s. Remove that line first, or use --mount=%s"
text why-twin "ada disk lain dengan UUID yang sama (%s), jadi keduanya tidak bisa dibedakan. Lepas salah satunya" "another disk has the same UUID (%s), so the two can't be told apart. Take one of them out"

text parts "%s dengan %s partisi" "%s with %s partitions"
text unknown "isi yang tidak dikenal" "something unknown"
text used "%s terpakai" "%s used"

text use-or-erase "%s berisi %s.
  1  pakai apa adanya: isinya tetap ada, Potion hanya menambah foldernya sendiri
  2  hapus semuanya dan format baru
  q  berhenti
Ketik 1, 2 atau q: " "%s holds %s.
  1  use it as it is: what is there stays, Potion only adds a folder of its own
  2  erase everything and format it anew
  q  stop
Type 1, 2 or q: "
text ask-format "%s (%s) kosong dan akan diformat ext4. Lanjut? Ketik ya atau tidak: " "%s (%s) is empty and will be formatted as ext4. Go on? Type yes or no: "
text ask-erase "
!!  SEMUA yang ada di %s akan HILANG dan tidak bisa kembali:
!!  %s, %s
Kalau memang itu maksudmu, ketik nama disknya (%s), atau Enter saja untuk berhenti: " "
!!  ALL that is on %s will be GONE for good:
!!  %s, %s
If that is what you want, type the name of the disk (%s), or just Enter to stop: "
text needs-yes "%s berisi %s. Kalau itu boleh hilang: --yes-erase=%s" "%s holds %s. If that may go: --yes-erase=%s"
text kept-prepared "%s sudah disiapkan sebelumnya, jadi tidak dihapus lagi." "%s has been prepared before, so it is not erased again."

text bad-mount "--mount=%s: harus folder seperti /mnt/potion-data (huruf, angka, titik, - dan _), bukan folder sistem" "--mount=%s: must be a folder like /mnt/potion-data (letters, digits, dots, - and _), none of the system's"
text mount-link "%s adalah link, bukan folder." "%s is a link, not a folder."
text mount-full "%s tidak kosong. Isinya akan tertutup disk; pindahkan dulu, atau pakai --mount=/mnt/lain" "%s is not empty. The disk would hide what is in it; move that away first, or use --mount=/mnt/other"
text mount-taken "di %s sudah terpasang disk lain: %s" "another disk is mounted on %s: %s"
text fstab-taken "/etc/fstab sudah memasang disk lain di %s: %s
Hapus baris itu dulu, atau pakai --mount=/mnt/lain" "/etc/fstab mounts another disk on %s: %s
Remove that line first, or use --mount=/mnt/other"
text replaces "/etc/fstab masih menyebut disk yang sudah tidak ada di sini; barisnya aku ganti: %s" "/etc/fstab still names a disk that is not here any more; I replace its line: %s"
text fstab-link "%s adalah link; aku tidak mengubahnya." "%s is a link; I leave it alone."
text fstab-bad "baris baru untuk fstab tidak lolos pemeriksaan (findmnt --verify), jadi /etc/fstab tidak diubah:
%s" "the new line for fstab did not pass the check (findmnt --verify), so /etc/fstab was not changed:
%s"
text mount-failed "%s tidak bisa dipasang di %s. Mungkin sistem filenya rusak; periksa: sudo fsck.ext4 -f %s" "%s can't be mounted on %s. Its file system may be damaged; check it: sudo fsck.ext4 -f %s"
text failed "gagal: %s" "failed: %s"

text did "✓ %s" "✓ %s"
text would "akan: %s" "would: %s"
text same "= sudah begitu: %s" "= is so already: %s"
text step-wipe "menghapus tanda-tanda isi lama di %s" "wiping the marks of what was on %s"
text step-mkfs "memformat %s sebagai ext4 (label POTIONDATA)" "formatting %s as ext4 (label POTIONDATA)"
text step-mount "memasang %s di %s" "mounting %s on %s"
text step-marker "menulis tanda pengenal %s" "writing the mark %s"
text step-folder "membuat folder %s milik Potion" "making the folder %s for Potion"
text step-fstab "menulis di /etc/fstab, supaya terpasang setiap server menyala: %s" "writing to /etc/fstab, so that it is mounted whenever the server starts: %s"
text step-backup "salinan /etc/fstab yang lama: %s" "copy of the old /etc/fstab: %s"
text step-env "menulis HDD_MOUNT=%s di /etc/potion/potion.env" "writing HDD_MOUNT=%s to /etc/potion/potion.env"
text step-reload "memberi tahu systemd (daemon-reload)" "telling systemd (daemon-reload)"

text folder-other "%s sudah ada dan milik %s; aku biarkan. Supaya Potion boleh menulis di situ: sudo chown potion:potion %s" "%s exists and belongs to %s; I leave it alone. To let Potion write there: sudo chown potion:potion %s"
text folder-bad "%s bukan folder; aku biarkan. Pindahkan dulu, lalu jalankan lagi." "%s is no folder; I leave it alone. Move it away, then run this again."
text no-user "Potion belum dipasang, jadi folder %s belum jadi miliknya dan HDD_MOUNT belum diatur. Setelah ops/install/install.sh, jalankan lagi: sudo %s --device=%s" "Potion is not installed yet, so the folder %s is not its own and HDD_MOUNT is not set. After ops/install/install.sh, run this again: sudo %s --device=%s"
text elsewhere "%s tidak di bawah /mnt, jadi layanan Potion belum boleh menulis di situ. Jalankan: sudo systemctl edit potion, lalu tulis dua baris: [Service] dan ReadWritePaths=%s" "%s is not below /mnt, so Potion's service may not write there yet. Run: sudo systemctl edit potion, and write two lines: [Service] and ReadWritePaths=%s"
text finished "Selesai ✅ %s terpasang di %s." "Done ✅ %s is mounted on %s."
text restart "Supaya Potion tahu: sudo systemctl restart potion" "To let Potion know: sudo systemctl restart potion"
text dry "Ini hanya percobaan (--dry-run): tidak ada yang diubah." "This was a dry run: nothing was changed."
