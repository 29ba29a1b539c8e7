import {
  answerCallbackQuery,
  deleteMyCommands,
  deleteWebhook,
  getChat,
  getChatMember,
  getFile,
  getMe,
  getMyCommands,
  getUpdates,
  getWebhookInfo,
  setMyCommands,
  setWebhook,
} from './bot.js';
import type { Method } from './call.js';
import { deleteMessage, editMessageCaption, editMessageReplyMarkup, editMessageText } from './edit.js';
import { copyMessage, forwardMessage, sendChatAction, sendDocument, sendMessage, sendPhoto } from './send.js';

const METHODS: Record<string, Method> = {
  answerCallbackQuery,
  copyMessage,
  deleteMessage,
  deleteMyCommands,
  deleteWebhook,
  editMessageCaption,
  editMessageReplyMarkup,
  editMessageText,
  forwardMessage,
  getChat,
  getChatMember,
  getFile,
  getMe,
  getMyCommands,
  getUpdates,
  getWebhookInfo,
  sendChatAction,
  sendDocument,
  sendMessage,
  sendPhoto,
  setMyCommands,
  setWebhook,
};

/** By name in lower case: the Bot API takes any. */
const byName = new Map(
  Object.entries(METHODS).map(([name, method]) => [name.toLowerCase(), { name, method }]),
);

/** The method of this name, in any case, if the sandbox knows it. */
export function methodNamed(name: string): { name: string; method: Method } | undefined {
  return byName.get(name.toLowerCase());
}
