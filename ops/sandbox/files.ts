import { randomBytes } from 'node:crypto';
import { extname } from 'node:path';
import type { Upload } from './request.js';
import { badRequest, type FileFacts } from './telegram.js';

/** Bytes of all files together; beyond it the oldest are forgotten. */
const SHELF_LIMIT = 128 * 1024 * 1024;
/** Largest file that a bot may download, https://core.telegram.org/bots/api#getfile. */
const DOWNLOAD_LIMIT = 20 * 1024 * 1024;

export interface StoredFile extends Upload {
  id: string;
  uniqueId: string;
  kind: 'document' | 'photo';
  /** Path below `/file/bot<token>/`. */
  path: string;
}

/** The files of the chats, in memory. */
export class FileShelf {
  readonly #files = new Map<string, StoredFile>();
  #size = 0;
  #count = 0;

  add(upload: Upload, kind: StoredFile['kind']): StoredFile {
    if (upload.content.length === 0) throw badRequest('file must be non-empty');
    const id = `BQAC${randomBytes(36).toString('base64url')}`;
    const folder = kind === 'photo' ? 'photos' : 'documents';
    const path = `${folder}/file_${this.#count++}${extname(upload.name)}`;
    const file = { ...upload, id, uniqueId: randomBytes(12).toString('base64url'), kind, path };
    this.#files.set(id, file);
    this.#size += upload.content.length;
    for (const [oldest, { content }] of this.#files) {
      if (this.#size <= SHELF_LIMIT || oldest === id) break;
      this.#files.delete(oldest);
      this.#size -= content.length;
    }
    return file;
  }

  get(id: string | undefined): StoredFile | undefined {
    return this.#files.get(id ?? '');
  }

  atPath(path: string): StoredFile | undefined {
    return [...this.#files.values()].find((file) => file.path === path);
  }

  /** @throws ApiError for an unknown file or one that is too large to download */
  forDownload(id: string | undefined): StoredFile {
    const file = this.get(id);
    if (!file) throw badRequest('invalid file_id');
    if (file.content.length > DOWNLOAD_LIMIT) throw badRequest('file is too big');
    return file;
  }
}

export function facts(file: StoredFile): FileFacts {
  return { file_id: file.id, file_unique_id: file.uniqueId, file_size: file.content.length };
}

/** Width and height of a PNG, GIF or JPEG in pixels; undefined when it is no such picture. */
export function pictureSize(content: Buffer): { width: number; height: number } | undefined {
  if (content.length >= 24 && content.toString('latin1', 1, 4) === 'PNG')
    return { width: content.readUInt32BE(16), height: content.readUInt32BE(20) };
  if (content.length >= 10 && content.toString('latin1', 0, 3) === 'GIF')
    return { width: content.readUInt16LE(6), height: content.readUInt16LE(8) };
  return content.length >= 4 && content.readUInt16BE(0) === 0xffd8 ? jpegSize(content) : undefined;
}

/** Walks the segments of a JPEG to its frame header (ITU-T T.81, B.2.2). */
function jpegSize(content: Buffer): { width: number; height: number } | undefined {
  let at = 2;
  while (at + 9 <= content.length && content[at] === 0xff) {
    const marker = content[at + 1] as number;
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame) return { height: content.readUInt16BE(at + 5), width: content.readUInt16BE(at + 7) };
    at += 2 + content.readUInt16BE(at + 2);
  }
  return undefined;
}
