// @ts-check
// The syntax of systemd's EnvironmentFile=, as far as Potion's settings need it.

const ASSIGNMENT = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/;

/**
 * The settings that a file makes, as systemd reads them: the last of a name counts.
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function readEnv(text) {
  /** @type {Record<string, string>} */
  const values = {};
  for (const line of text.replace(/\\\n/g, '').split('\n')) {
    const [, name, value = ''] = ASSIGNMENT.exec(line) ?? [];
    if (name) values[name] = unquote(value.trim());
  }
  return values;
}

/** @param {string} written */
function unquote(written) {
  const [, single] = /^'([^']*)'$/.exec(written) ?? [];
  if (single !== undefined) return single;
  const [, double] = /^"((?:[^"\\]|\\.)*)"$/.exec(written) ?? [];
  if (double !== undefined) return double.replace(/\\(["\\$`])/g, '$1');
  return written.replace(/\\(.)/g, '$1');
}

/**
 * The same file with other values; comments, order and lines that nobody here knows stay as they are. What is
 * new stands behind its commented example, or at the end.
 * @param {string} text
 * @param {Readonly<Record<string, string>>} changes
 * @throws when a value has a line break or another control character
 */
export function writeEnv(text, changes) {
  const old = readEnv(text);
  const lines = text.replace(/\n$/, '').split('\n');
  for (const [name, value] of Object.entries(changes)) {
    if (old[name] === value) continue;
    const line = `${name}=${quote(value, name)}`;
    const set = lines.findLastIndex?.((each) => ASSIGNMENT.exec(each)?.[1] === name);
    if (set >= 0) {
      // What went on behind a backslash belongs to the old value.
      let end = set;
      while (lines[end]?.endsWith('\\') && end < lines.length - 1) end++;
      lines.splice(set, end - set + 1, line);
      continue;
    }
    const example = lines.findIndex((each) => new RegExp(`^#\\s*${name}=`).test(each));
    if (example >= 0) lines.splice(example + 1, 0, line);
    else lines.push(line);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * @param {string} value
 * @param {string} name
 */
function quote(value, name) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value)) throw new Error(`${name}: a value stands on one line`);
  if (/^[\w.,:/@%+=-]*$/.test(value)) return value;
  if (!value.includes("'")) return `'${value}'`;
  return `"${value.replace(/["\\$`]/g, '\\$&')}"`;
}

/**
 * A new file: Potion's .env.example, which explains each setting, without its beginning and without the folders
 * that the unit sets.
 * @param {string} example
 * @param {readonly string[]} head lines of the comment that comes first
 */
export function freshEnv(example, head) {
  const body = example.slice(example.search(/^# --- /m));
  /** @type {string[]} */
  const kept = [];
  for (const line of body.split('\n')) {
    kept.push(line);
    if (!/^# (DATA|LOG|FLOWS)_DIR=/.test(line)) continue;
    kept.pop();
    // Its explanation goes with it.
    while (/^# (?!---)(?![A-Z_]+=)/.test(kept.at(-1) ?? '')) kept.pop();
  }
  return `${head.map((line) => `# ${line}`).join('\n')}\n\n${kept.join('\n').trimEnd()}\n`;
}
