// What the page says, in Potion's two languages.

export const TEXTS = {
  id: {
    title: 'Ruang coba',
    bot: 'bot · ruang coba',
    typing: 'sedang mengetik…',
    uploading: 'sedang mengirim file…',
    stranger: 'Orang asing',
    playing: 'Kamu main sebagai',
    adminRole: 'boleh menyuruh bot',
    strangerRole: 'tidak ada di daftar admin',
    strangerHint: 'Orang asing tidak dapat jawaban apa pun dari bot.',
    note: 'Obrolan ini cuma ada di komputer ini, tidak ada yang dikirim ke Telegram.',
    emptyTitle: 'Halo! Ini ruang coba Potion',
    emptyText: 'Belum ada pesan. Coba tekan atau ketik salah satu ini:',
    strangerTitle: 'Sekarang kamu orang asing',
    emptyStranger: 'Coba kirim apa saja. Kalau bot diam, berarti pintunya terkunci rapat.',
    placeholder: 'Tulis pesan…',
    send: 'Kirim',
    attach: 'Kirim file',
    commands: 'Daftar perintah',
    keyboard: 'Papan tombol',
    down: 'Ke pesan terbaru',
    cancel: 'Batal',
    reply: 'Balas',
    edited: 'diedit',
    silent: 'tanpa suara',
    today: 'Hari ini',
    yesterday: 'Kemarin',
    deletedQuote: 'pesan',
    photo: '🖼️ Foto',
    you: 'Kamu',
    lost: 'Sambungan terputus. Menyambung lagi…',
    failed: 'Tidak terkirim',
    gone: 'File ini sudah tidak disimpan',
    tooLarge: 'File paling besar 50 MB',
    editor: 'Buka editor',
    loginTitle: 'Masuk dulu ya',
    loginText: 'Editor Potion dikunci. Masuk di editor, lalu kembali ke halaman ini.',
    realTitle: 'Bot Telegram asli sedang dipakai',
    realText:
      'BOT_TOKEN sudah diisi, jadi Potion ngobrol lewat Telegram dan ruang coba ini tidak jalan. Kosongkan BOT_TOKEN di .env kalau mau mencoba di sini.',
    realLink: 'Baca “First steps with a real bot” di README',
    ok: 'Oke',
  },
  'en-US': {
    title: 'Sandbox',
    bot: 'bot · sandbox',
    typing: 'typing…',
    uploading: 'sending a file…',
    stranger: 'Stranger',
    playing: 'You play',
    adminRole: 'may tell the bot what to do',
    strangerRole: 'is in no list of admins',
    strangerHint: 'Strangers get no answer from the bot.',
    note: 'This chat exists on this computer only; nothing goes to Telegram.',
    emptyTitle: "Hello! This is Potion's sandbox",
    emptyText: 'No messages yet. Press or type one of these:',
    strangerTitle: 'You are a stranger now',
    emptyStranger: 'Send anything. If the bot stays silent, its door is well locked.',
    placeholder: 'Message…',
    send: 'Send',
    attach: 'Send a file',
    commands: 'Commands',
    keyboard: 'Buttons',
    down: 'To the latest message',
    cancel: 'Cancel',
    reply: 'Reply',
    edited: 'edited',
    silent: 'silent',
    today: 'Today',
    yesterday: 'Yesterday',
    deletedQuote: 'message',
    photo: '🖼️ Photo',
    you: 'You',
    lost: 'Connection lost. Trying again…',
    failed: 'Not sent',
    gone: 'This file is not kept any more',
    tooLarge: 'Files may have 50 MB at most',
    editor: 'Open the editor',
    loginTitle: 'Please log in first',
    loginText: "Potion's editor is locked. Log in there, then come back to this page.",
    realTitle: 'A real Telegram bot is in use',
    realText:
      'BOT_TOKEN is set, so Potion talks through Telegram and this sandbox is off. Empty BOT_TOKEN in .env to try things out here.',
    realLink: 'Read “First steps with a real bot” in the README',
    ok: 'OK',
  },
};

let language = 'id';

/** Chooses the language; an unknown one leaves Indonesian. */
export function speak(lang) {
  if (lang in TEXTS) language = lang;
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll('[data-text]'))
    element.textContent = t(element.dataset.text);
  for (const element of document.querySelectorAll('[data-label]')) {
    element.title = t(element.dataset.label);
    element.setAttribute('aria-label', t(element.dataset.label));
  }
}

/** A text of the page. */
export function t(key) {
  return TEXTS[language][key] ?? key;
}

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString(language, {
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  });
}

export function day(seconds) {
  const date = new Date(seconds * 1000);
  const days = Math.round(
    (new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000,
  );
  if (days === 0) return t('today');
  if (days === 1) return t('yesterday');
  return date.toLocaleDateString(language, { day: 'numeric', month: 'long', year: 'numeric' });
}

export function size(bytes) {
  const units = ['B', 'KB', 'MB'];
  const power = Math.min(2, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  const value = bytes / 1024 ** power;
  return `${value.toLocaleString(language, { maximumFractionDigits: value < 10 ? 1 : 0 })} ${units[power]}`;
}
