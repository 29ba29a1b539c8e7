// @ts-check
// Whether Telegram knows a bot token.

const WITHIN = 10_000;

/**
 * Asks the Bot API who the bot is.
 * @param {string} token
 * @param {string} [api] another Bot API server
 * @returns {Promise<{ username: string } | 'refused' | 'away'>} away: nobody could say
 */
export async function askBot(token, api = 'https://api.telegram.org') {
  try {
    const answer = await fetch(`${api.replace(/\/+$/, '')}/bot${token}/getMe`, {
      signal: AbortSignal.timeout(WITHIN),
    });
    const body = /** @type {{ ok?: boolean, result?: { username?: string } }} */ (await answer.json());
    if (body.ok && body.result?.username) return { username: body.result.username };
    // 401: no such token (any more); 404: it does not even look like one.
    return answer.status === 401 || answer.status === 404 ? 'refused' : 'away';
  } catch {
    return 'away';
  }
}
