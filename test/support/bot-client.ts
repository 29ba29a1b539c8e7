import { createRequire } from 'node:module';
import type { CallbackQuery, Message } from '../../ops/sandbox/telegram.js';

/** What the tests use of node-telegram-bot-api. */
export interface BotClient {
  on(event: 'message', listener: (message: Message) => void): this;
  on(event: 'callback_query', listener: (query: CallbackQuery) => void): this;
  on(event: 'polling_error', listener: (error: Error) => void): this;
  sendMessage(chat: number, text: string, options?: object): Promise<Message>;
  sendDocument(chat: number, content: Buffer, options: object, file: object): Promise<Message>;
  sendPhoto(chat: number, content: Buffer, options: object, file: object): Promise<Message>;
  sendChatAction(chat: number, action: string): Promise<boolean>;
  editMessageText(text: string, options: object): Promise<Message | boolean>;
  deleteMessage(chat: number, id: number): Promise<boolean>;
  answerCallbackQuery(id: string, options?: object): Promise<boolean>;
  setMyCommands(commands: object[]): Promise<boolean>;
  getFileLink(id: string): Promise<string>;
  stopPolling(options: { cancel: boolean }): Promise<void>;
}

/** Starts the very client that the telegrambot nodes use, polling. */
export function startBot(token: string, baseApiUrl: string): BotClient {
  const telegrambot = createRequire(import.meta.url).resolve('node-red-contrib-telegrambot/package.json');
  const { default: Client } = createRequire(telegrambot)('node-telegram-bot-api') as {
    default: new (token: string, options: object) => BotClient;
  };
  return new Client(token, { baseApiUrl, polling: { interval: 20, params: { timeout: 10 } } });
}
