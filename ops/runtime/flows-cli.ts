import { resolve } from 'node:path';
import type { Config } from '../../nodes/kit/config.js';
import { describe, PotionError } from '../../nodes/kit/errors.js';
import { configOrExit } from './boot.js';
import { toBundle } from './flows/bundle.js';
import { update } from './flows/commit.js';
import { describeChanges } from './flows/compare.js';
import { reformat } from './flows/format.js';
import { prepareImport } from './flows/import.js';
import { installedTypes } from './flows/installed.js';
import { readFlows } from './flows/keeper.js';
import { lint } from './flows/lint.js';
import { isOwner, nameOf } from './flows/model.js';
import { readSource } from './flows/source.js';
import { writeWhole } from './flows/whole-files.js';
import { readLocalToken } from './local-token.js';

const USAGE = `npm run flows -- <command>

  check               look over the flow files: broken ones, secrets, unknown node types, loose wires, layout
  bundle [file]       write all flows as one flows.json for any Node-RED (without a file: to the console)
  import <source>     replace the flows by those of a file, a folder or a git address; the old ones are kept
         --dry-run    only show what would change
  reload              let the running Potion load changed flow files
  format              rewrite the flow files in the form in which Potion saves them
`;

const HOME = process.env.POTION_HOME ?? resolve(__dirname, '..', '..');
// npm changes to the package's folder; paths are meant from where the person stands.
const CWD = process.env.INIT_CWD ?? process.cwd();

const say = (text: string) => process.stdout.write(`${text}\n`);

/** What a person asked for in a wrong way. */
class UsageError extends Error {}

const COMMANDS: Record<string, (config: Config, args: string[]) => Promise<number>> = {
  async check(config) {
    const { nodes } = (await readFlows(config)).flows;
    const findings = lint(nodes, installedTypes(HOME, resolve(config.dataDir, 'node-red')));
    const labels = new Map(nodes.filter(isOwner).map((owner) => [owner.id, nameOf(owner)]));
    for (const { node, what } of findings)
      say(`${labels.get(node.z ?? '') ?? 'shared config nodes'}: ${nameOf(node)} (${node.id}): ${what}`);
    say(findings.length > 0 ? `${findings.length} findings` : `${nodes.length} nodes, all well`);
    return findings.length > 0 ? 1 : 0;
  },

  async bundle(config, [file]) {
    const { flows } = await readFlows(config);
    if (!file) process.stdout.write(toBundle(flows));
    else {
      await writeWhole(resolve(CWD, file), toBundle(flows), 0o644);
      say(`${flows.nodes.length} nodes written to ${resolve(CWD, file)}`);
    }
    return 0;
  },

  async import(config, args) {
    const [source, ...rest] = args.filter((arg) => arg !== '--dry-run');
    if (!source || rest.length > 0) throw new UsageError('import needs one file, folder or git address');
    const known = installedTypes(HOME, resolve(config.dataDir, 'node-red'));
    const plan = await prepareImport(config, await readSource(source, CWD), known, new Date());
    say(describeChanges(plan.changes));
    if (args.includes('--dry-run') || plan.changes.length === 0) return 0;
    const backup = await plan.apply();
    if (backup) say(`The flows from before are in ${backup}`);
    say('Brought in. A running Potion takes them with: npm run flows -- reload');
    return 0;
  },

  async reload(config) {
    const open = ['0.0.0.0', '::'].includes(config.editorBind);
    const host = open
      ? '127.0.0.1'
      : config.editorBind.includes(':')
        ? `[${config.editorBind}]`
        : config.editorBind;
    const url = `http://${host}:${config.port}/potion/flows/reload`;
    const token = config.editorPasswordHash ? readLocalToken(config.dataDir) : undefined;
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const answer = await fetch(url, { method: 'POST', headers }).catch((thrown: Error) => {
      throw new Error(`no Potion answers at ${url} (${describe(thrown.cause ?? thrown)}): is it running?`);
    });
    const body = (await answer.json().catch(() => ({}))) as {
      message?: string;
      tabs?: number;
      nodes?: number;
    };
    say(
      answer.ok
        ? `Loaded: ${body.tabs} tabs and subflows, ${body.nodes} nodes`
        : (body.message ?? `Potion refused (${answer.status})`),
    );
    return answer.ok ? 0 : 1;
  },

  async format(config) {
    await readFlows(config);
    await update(config.flowsDir, reformat);
    return 0;
  },
};

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new UsageError(name ? `there is no "${name}"` : 'what should be done?');
  return command(configOrExit(HOME), args);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (thrown: unknown) => {
    const hint = thrown instanceof PotionError && thrown.hint ? `\n${thrown.hint}` : '';
    const usage = thrown instanceof UsageError ? `\n\n${USAGE}` : '';
    process.stderr.write(`${describe(thrown)}${hint}${usage}\n`);
    process.exitCode = thrown instanceof UsageError ? 2 : 1;
  },
);
