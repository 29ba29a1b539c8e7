/** A bot token wherever it stands, e.g. inside an address that a failed request prints. */
const TOKEN = /\d{5,}:[\w-]{20,}/g;

/** Takes bot tokens and the given secrets out of a text. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text.replace(TOKEN, '<token>');
  for (const secret of secrets) if (secret.length >= 6) clean = clean.replaceAll(secret, '<secret>');
  return clean;
}
