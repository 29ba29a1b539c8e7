/** A bot token wherever it stands, e.g. inside an address that a failed request prints, encoded or not. */
const TOKEN = /\d{5,}(?::|%3a)[\w-]{20,}/gi;

/** Takes bot tokens and the given secrets, as they are and as addresses have them, out of a text. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text.replace(TOKEN, '<token>');
  for (const known of secrets.map((secret) => secret.toWellFormed()))
    if (known.length >= 6)
      for (const form of [known, encodeURI(known), encodeURIComponent(known)])
        clean = clean.replaceAll(form, '<secret>');
  return clean;
}
