/**
 * A flow of telegrambot's own nodes that answers every message with "echo: …" and a button, whose press turns
 * the message into "Detail". The bot is found through the environment, as in Potion's own flows.
 */
export function echoFlow(): object[] {
  const reply = `
    const { chatId, content } = msg.payload;
    const reply_markup = JSON.stringify({ inline_keyboard: [[{ text: 'Detail', callback_data: 'detail' }]] });
    const options = { parse_mode: 'HTML', reply_markup };
    msg.payload = { chatId, type: 'message', content: '<b>echo</b>: ' + content, options };
    return msg;`;
  const edit = `
    const { chatId, messageId } = msg.payload;
    const options = { chat_id: chatId, message_id: messageId };
    msg.payload = { chatId, type: 'editMessageText', content: 'Detail', options };
    return msg;`;
  const onTab = { z: 'tab', x: 100, y: 100 };
  return [
    { id: 'tab', type: 'tab', label: 'Echo' },
    {
      id: 'bot',
      type: 'telegram bot',
      botname: 'potion',
      baseapiurl: fromEnvironment('TELEGRAM_API_URL'),
      updatemode: 'polling',
      pollinterval: '50',
      credentials: { token: fromEnvironment('BOT_TOKEN') },
    },
    { id: 'in', type: 'telegram receiver', bot: 'bot', outputs: 2, wires: [['reply'], []], ...onTab },
    { id: 'reply', type: 'function', func: reply, outputs: 1, wires: [['out']], ...onTab },
    {
      id: 'pressed',
      type: 'telegram event',
      bot: 'bot',
      event: 'callback_query',
      autoanswer: true,
      wires: [['edit']],
      ...onTab,
    },
    { id: 'edit', type: 'function', func: edit, outputs: 1, wires: [['out']], ...onTab },
    { id: 'out', type: 'telegram sender', bot: 'bot', outputs: 1, wires: [[]], ...onTab },
  ];
}

/** Filled in by Node-RED. */
function fromEnvironment(name: string): string {
  return `\${${name}}`;
}

/** A flow that writes down how to reach the bot that this Potion has made up, for a bot of the test's own. */
export function tokenFlow(file: string): object[] {
  const found = `
    msg.payload = { token: env.get('BOT_TOKEN'), url: env.get('TELEGRAM_API_URL') };
    return msg;`;
  const onTab = { z: 'tab', x: 100, y: 100 };
  return [
    { id: 'tab', type: 'tab', label: 'Token' },
    { id: 'start', type: 'inject', props: [], once: true, onceDelay: 0.1, wires: [['read']], ...onTab },
    { id: 'read', type: 'function', func: found, outputs: 1, wires: [['write']], ...onTab },
    {
      id: 'write',
      type: 'file',
      filename: file,
      filenameType: 'str',
      overwriteFile: 'true',
      wires: [[]],
      ...onTab,
    },
  ];
}
