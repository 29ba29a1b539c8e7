// @ts-check
// All that the installer says, in Indonesian and in English.

/** @typedef {'id' | 'en-US'} Language */

/**
 * @param {string} name as a person writes it
 * @returns {Language | undefined}
 */
export function languageOf(name) {
  if (/^id\b/i.test(name)) return 'id';
  return /^en\b/i.test(name) ? 'en-US' : undefined;
}

/**
 * @param {Language} lang
 * @returns {(key: string, data?: Record<string, string | number>) => string}
 * @throws when there is no such text
 */
export function textsIn(lang) {
  return (key, data = {}) => {
    const text = TEXTS[key]?.[lang === 'id' ? 0 : 1];
    if (text === undefined) throw new Error(`there is no text ${key}`);
    return text.replace(/\{(\w+)\}/g, (_, name) => String(data[name] ?? ''));
  };
}

/** @type {Record<string, readonly [id: string, en: string]>} */
export const TEXTS = {
  help: [
    `sudo ops/install/install.sh [pilihan]

Memasang Potion dari klon ini, atau memperbaruinya kalau sudah ada. Boleh dijalankan berkali-kali.

  --dry-run               hanya tunjukkan apa yang akan dilakukan
  --uninstall             lepas Potion; data, setelan dan log tetap ada
    --purge               … hapus data, setelan dan log juga
  --privileges            perbarui hak setelah SERVICES_WHITELIST diubah
  --rebuild               bangun ulang versi ini, juga kalau sudah terpasang
  --yes                   jangan bertanya apa-apa
  --lang id|en-US         bahasa
  --patience DETIK        batas waktu sampai Potion harus sehat (90)

Setelan (di terminal kamu akan ditanya; selain itu dari sini atau dari variabel lingkungan):
  --bot-token-file FILE   berkas berisi token dari @BotFather (atau variabel BOT_TOKEN; "-" = stdin)
  --admin-ids 1,2         id Telegram yang boleh memakai bot
  --server-name NAMA      --services a,b      --owner-ids 1      --owner-bot-token-file FILE
  --port 1880             --editor-bind loopback|tailscale|ALAMAT
  --hdd-mount /mnt/...    --telegram-api-url URL`,
    `sudo ops/install/install.sh [options]

Installs Potion from this clone, or brings an installed one up to date. May be run again at any time.

  --dry-run               only show what would be done
  --uninstall             remove Potion; data, settings and logs stay
    --purge               … remove data, settings and logs too
  --privileges            renew what Potion may do after SERVICES_WHITELIST was edited
  --rebuild               build this version again, even if it is installed
  --yes                   ask nothing
  --lang id|en-US         language
  --patience SECONDS      within which Potion has to be well (90)

Settings (asked for in a terminal; else taken from here or from environment variables):
  --bot-token-file FILE   file with the token from @BotFather (or variable BOT_TOKEN; "-" = stdin)
  --admin-ids 1,2         Telegram ids that may use the bot
  --server-name NAME      --services a,b      --owner-ids 1      --owner-bot-token-file FILE
  --port 1880             --editor-bind loopback|tailscale|ADDRESS
  --hdd-mount /mnt/...    --telegram-api-url URL`,
  ],
  usage: [
    'Perintahnya kurang pas: {what}. Lihat --help.',
    'The command line is not right: {what}. See --help.',
  ],
  would: ['akan:', 'would:'],
  busy: [
    'Sebentar ya, ini harus selesai dulu supaya Potion tidak setengah jadi …',
    'One moment, this has to be finished first, or Potion would be left half changed …',
  ],
  none: ['kosong', 'empty'],
  isSet: ['sudah ada', 'is set'],

  // Questions
  askIntro: [
    'Beberapa pertanyaan dulu. Enter = pakai yang di dalam [ ], tanda - = kosongkan.',
    'A few questions first. Enter = take what stands in [ ], a - = leave empty.',
  ],
  askChange: ['Setelan sudah ada. Mau diubah? [y/T] > ', 'There are settings already. Change them? [y/N] > '],
  askToken: [
    'Token bot dari @BotFather (kosong = coba dulu lewat halaman chat sendiri)',
    'Token of the bot, from @BotFather (empty = try it on a chat page of its own first)',
  ],
  askTokenWrong: [
    'Itu tidak mirip token. Bentuknya 123456789:AA… ; salin utuh dari @BotFather.',
    'That does not look like a token. It reads 123456789:AA… ; copy all of it from @BotFather.',
  ],
  askAdmins: [
    'ID Telegram yang boleh memakai bot, pisahkan dengan koma',
    'Telegram ids that may use the bot, with commas between',
  ],
  askAdminsWrong: [
    'ID itu angka saja, contohnya 12345678. (Bukan @nama.)',
    'An id is only digits, e.g. 12345678. (Not the @name.)',
  ],
  askServer: ['Nama server ini di pesan-pesan', 'Name of this server in messages'],
  askServices: [
    'Service yang boleh Potion jaga dan hidupkan ulang, pisahkan dengan koma (contoh: nginx,docker)',
    'Services that Potion may watch and restart, with commas between (e.g. nginx,docker)',
  ],
  askServicesWrong: [
    'Itu bukan nama service. Lihat: systemctl list-units',
    'That is no name of a service. See: systemctl list-units',
  ],
  askOwner: [
    'ID Telegram yang dikabari kalau Potion sendiri mati (kosong = sama dengan yang di atas)',
    'Telegram ids to tell when Potion itself is down (empty = the same as above)',
  ],
  askOwnerWrong: ['ID itu angka saja, contohnya 12345678.', 'An id is only digits, e.g. 12345678.'],
  askOwnerToken: [
    'Token bot lain khusus untuk kabar itu (boleh kosong)',
    'Token of another bot just for that news (may be empty)',
  ],
  askOwnerTokenWrong: ['Itu tidak mirip token.', 'That does not look like a token.'],
  botKnown: ['✅ {name}: Telegram kenal bot ini, @{bot}', '✅ {name}: Telegram knows this bot, @{bot}'],
  botApiAway: [
    '⚠️  {api} tidak bisa dihubungi, jadi token belum bisa dicek. Lanjut saja.',
    '⚠️  {api} can not be reached, so the token could not be checked. Going on.',
  ],
  tokenRefused: [
    '{name}: Telegram menolak token ini. Salin lagi dari @BotFather (/mybots → API Token).',
    '{name}: Telegram refuses this token. Copy it again from @BotFather (/mybots → API Token).',
  ],
  badSetting: [
    '{name}: nilainya tidak benar. Lihat --help dan .env.example.',
    '{name}: this value can not be right. See --help and .env.example.',
  ],
  noSecret: [
    '{file}: tidak ada satu baris token di berkas ini.',
    '{file}: there is no single line with a token in this file.',
  ],
  envHead: [
    'Setelan Potion. Hanya root yang bisa membaca berkas ini.\nSetelah mengubahnya: sudo /opt/potion/current/ops/install/install.sh --privileges',
    "Potion's settings. Only root can read this file.\nAfter a change: sudo /opt/potion/current/ops/install/install.sh --privileges",
  ],

  sourceHead: [
    'Dari sini /git_pull mengambil versi baru Potion. Ditulis oleh install.sh; hanya root yang boleh mengubahnya.',
    'Where /git_pull gets new versions of Potion from. Written by install.sh; only root may change it.',
  ],
  sourceUnfit: [
    '⚠️  /git_pull tidak bisa mengambil dari {url} ({branch}); hanya https, ssh dan folder.',
    '⚠️  /git_pull can not fetch from {url} ({branch}); only https, ssh and folders.',
  ],

  // Changes
  makesGroup: ['buat grup {group}', 'make group {group}'],
  makesUser: ['buat user {user}', 'make user {user}'],
  joinsGroups: ['masukkan {user} ke grup {groups}', 'let {user} join {groups}'],
  makesFolder: ['buat folder {path}', 'make folder {path}'],
  takesFolder: ['berikan {path} ke user {user}', 'give {path} to user {user}'],
  writes: ['tulis {path}', 'write {path}'],
  closes: ['tutup {path} untuk selain root', 'close {path} to all but root'],
  builds: ['bangun {id} di {path}', 'build {id} in {path}'],
  fetches: [
    '    mengambil paket dari internet, bisa beberapa menit …',
    '    fetching packages from the internet, this may take minutes …',
  ],
  bringsFlows: ['gabungkan flow bawaan ke {path}', 'bring the shipped flows into {path}'],
  takesFlowsBack: ['kembalikan flow di {path}', 'take the flows in {path} back'],
  copiesDatabase: ['salin database ke {path}', 'copy the database to {path}'],
  restoresDatabase: ['kembalikan database dari {path}', 'bring the database back from {path}'],
  switches: ['pindah ke {id}', 'switch to {id}'],
  enables: ['aktifkan {unit} saat boot', 'start {unit} at boot'],
  disables: ['matikan {unit} saat boot', 'no longer start {unit} at boot'],
  starts: ['jalankan {unit}', 'start {unit}'],
  stops: ['hentikan {unit}', 'stop {unit}'],
  restarts: ['jalankan ulang {unit}', 'restart {unit}'],
  removes: ['hapus {path}', 'remove {path}'],
  locks: ['serahkan {path} ke root', 'give {path} to root'],
  removesUser: ['hapus user {user}', 'remove user {user}'],
  removesGroup: ['hapus grup {group}', 'remove group {group}'],
  repairs: [
    'pemasangan sebelumnya terputus di tengah {from} → {to}: kembalikan {from}',
    'the last installation was cut short between {from} and {to}: bring {from} back',
  ],
  finishes: [
    'pemasangan {to} sebelumnya terputus di akhir: selesaikan',
    'the last installation of {to} was cut short at its end: finish it',
  ],

  // How it goes
  uncommitted: [
    '⚠️  {count} perubahan di {home} belum di-commit; yang dipasang hanya isi commit terakhir.',
    '⚠️  {count} changes in {home} are not committed; only the last commit is installed.',
  ],
  waits: ['    menunggu Potion sehat …', '    waiting for Potion to be well …'],
  rollsBack: [
    '\n⚠️  {to} tidak bisa dipakai: {reason}\nKembali ke {from} …',
    '\n⚠️  {to} is of no use: {reason}\nGoing back to {from} …',
  ],
  flowsStay: ['Flow tidak bisa dikembalikan: {why}', 'The flows could not be taken back: {why}'],
  stepFailed: ['⚠️  {what}', '⚠️  {what}'],
  masked: [
    '⚠️  {unit} dikunci (masked), jadi tidak aku jalankan.',
    '⚠️  {unit} is masked, so I do not start it.',
  ],
  unitsMissing: [
    '⚠️  Belum ada di mesin ini: {units}. Setelah dipasang, jalankan perintah ini dengan --privileges.',
    '⚠️  Not on this machine yet: {units}. Once installed, run this command with --privileges.',
  ],
  nothing: ['Semua sudah beres, tidak ada yang diubah.', 'All is as it should be; nothing was changed.'],
  dryEnd: ['Ini baru rencana; belum ada yang diubah.', 'This was only the plan; nothing was changed.'],

  // The end
  ready: ['🎉 Potion {id} jalan.', '🎉 Potion {id} is running.'],
  partsAil: ['⚠️  Yang belum sehat: {parts}', '⚠️  Not well yet: {parts}'],
  silent: [
    '⚠️  Potion belum menjawab. Lihat: journalctl -u potion -n 30',
    '⚠️  Potion does not answer yet. See: journalctl -u potion -n 30',
  ],
  editorAt: ['Editor: {address}', 'Editor: {address}'],
  tunnel: [
    '  Dari laptop lain: ssh -L {port}:127.0.0.1:{port} {user}@{host}, lalu buka http://127.0.0.1:{port}',
    '  From another laptop: ssh -L {port}:127.0.0.1:{port} {user}@{host}, then open http://127.0.0.1:{port}',
  ],
  chatPage: [
    'Belum ada token bot: coba Potion di {address}/potion/chat, kirim /start. Nanti isi BOT_TOKEN di {env}.',
    'There is no bot token yet: try Potion at {address}/potion/chat, send /start. Later set BOT_TOKEN in {env}.',
  ],
  sendStart: [
    'Telegram: buka https://t.me/{bot}, kirim /start lalu /status.',
    'Telegram: open https://t.me/{bot}, send /start and then /status.',
  ],
  sendStartSomewhere: [
    'Telegram: buka bot kamu, kirim /start lalu /status.',
    'Telegram: open your bot, send /start and then /status.',
  ],
  noAdmins: [
    'Potion belum kenal kamu: kirim /start, cari "user=…" di {log}, lalu jalankan perintah ini lagi dengan --admin-ids.',
    'Potion does not know you yet: send /start, find "user=…" in {log}, then run this command again with --admin-ids.',
  ],
  later: [
    'Setelan: {env}. Memperbarui: git pull, lalu perintah yang sama.',
    'Settings: {env}. To upgrade: git pull, then the same command.',
  ],
  uninstalled: ['Potion sudah dilepas. Masih ada: {paths}', 'Potion is removed. Still there: {paths}'],
  purged: ['Potion sudah dilepas, tidak ada yang tersisa.', 'Potion is removed, nothing is left.'],
  purgeAsk: [
    'Ini menghapus selamanya: {paths}\nKetik "{word}" untuk melanjutkan > ',
    'This removes for ever: {paths}\nType "{word}" to go on > ',
  ],
  purgeWord: ['hapus', 'remove'],

  // What went wrong
  purgeNeedsYes: [
    '--purge menghapus data. Tanpa terminal, tambahkan --yes.',
    '--purge removes data. Without a terminal add --yes.',
  ],
  purgeNot: ['Tidak jadi, tidak ada yang dihapus.', 'Not done; nothing was removed.'],
  noSystemd: ['Mesin ini tidak dijalankan oleh systemd.', 'This machine is not run by systemd.'],
  noClone: [
    '{home} bukan klon git dari Potion. Pakai: git clone, lalu jalankan install.sh di dalamnya.',
    '{home} is no git clone of Potion. Do: git clone, then run install.sh in there.',
  ],
  notInstalled: ['Potion belum terpasang.', 'Potion is not installed.'],
  userIsPerson: [
    'Sudah ada user "{user}" milik seseorang. Potion butuh nama itu; ganti nama user itu dulu.',
    'There is a user "{user}" that belongs to a person. Potion needs that name; rename that user first.',
  ],
  noRoom: [
    'Ruang di {path} kurang: ada {free} MB, perlu {wanted} MB. Kosongkan dulu, lalu coba lagi.',
    'Not enough room in {path}: {free} MB free, {wanted} MB needed. Make room, then try again.',
  ],
  buildFailed: [
    'Versi ini gagal dibangun (lihat di atas). Yang sedang jalan tidak disentuh.',
    'This version could not be built (see above). What is running was not touched.',
  ],
  nodeUnfit: [
    'User potion tidak bisa menjalankan Node ({node}).',
    'The user potion can not run Node ({node}).',
  ],
  badSettings: [
    'Setelan di {path} perlu diperbaiki dulu; yang sedang jalan tidak disentuh:',
    'The settings in {path} need mending first; what is running was not touched:',
  ],
  badWhitelist: ['SERVICES_WHITELIST tidak bisa dipakai:', 'SERVICES_WHITELIST can not be used:'],
  flowsFailed: ['Flow tidak bisa digabungkan:', 'The flows could not be merged:'],
  insideFailed: ['Langkah "{what}" gagal:', 'The step "{what}" failed:'],
  programFailed: ['Perintah ini gagal ({code}): {program}', 'This command failed ({code}): {program}'],
  rolledBack: [
    '{to} tidak jadi dipasang; {from} dikembalikan seperti sebelumnya.',
    '{to} was not installed; {from} is back as it was before.',
  ],
  rolledBackIll: [
    '{to} tidak jadi dipasang; {from} dikembalikan, tapi belum sehat: {trouble}',
    '{to} was not installed; {from} is back, but it is not well: {trouble}',
  ],
  notWell: ['Potion tidak menjadi sehat: {trouble}', 'Potion does not become well: {trouble}'],
};
