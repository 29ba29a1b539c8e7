import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type Browser, startBrowser } from '../support/browser.ts';
import { exampleFlows, potionTypes } from '../support/examples.ts';
import { needs } from '../support/needs.ts';
import { HOME } from '../support/node-red.ts';
import { type Potion, startPotion } from '../support/potion.ts';

/** What the tests use of the editor, which is a global of its page. */
interface EditorNode {
  id: string;
  type: string;
  z: string;
  changed?: boolean;
  valid?: boolean;
  validationErrors?: string[];
  _def: {
    outputs: number;
    category: string;
    color: string;
    outputLabels?: (this: EditorNode, index: number) => string;
  };
}
declare const RED: {
  nodes: {
    node(id: string): EditorNode;
    eachNode(see: (node: EditorNode) => void): void;
    eachConfig(see: (node: EditorNode) => void): void;
    getNodeHelp(type: string): string;
    dirty(value?: boolean): boolean;
  };
  workspaces: { show(id: string): void };
  view: { importNodes(nodes: object[], options: object): void };
  editor: { edit(node: EditorNode): void };
};

/** A value that each node must refuse, a word of what it then says, and the action that asks for the value. */
const WRONG: Record<string, [field: string, value: string, says: RegExp, action?: string]> = {
  'potion-alert': ['threshold', 'a lot', /500 MB/],
  'potion-boot': ['long', '-1', /0 or more/],
  'potion-command': ['command', 'Not a name', /lower-case/],
  'potion-confirm': ['ttl', '1', /5 to 86400/],
  'potion-kill': ['wait', '0', /up to 60/],
  'potion-logs': ['source', '--help', /not the name/],
  'potion-power': ['seconds', '1', /5 to 60/, 'reboot'],
  'potion-processes': ['perPage', '0', /1 to 100/],
  'potion-heartbeat': ['interval', '1', /5 to 3600/],
  'potion-metrics': ['interval', '-5', /1 to 86400/],
  'potion-outbox': ['digestCount', '1', /2 to 100/],
  'potion-say': ['fileAbove', '-1', /whole number/],
  'potion-self-heal': ['window', '0', /from 1 to 604800/],
  'potion-services': ['units', 'nginx no/unit', /"no\/unit" is not/],
  'potion-systemctl': ['units', 'a/b', /"a\/b" is not/],
  'potion-watchdog': ['within', '3', /15 to 3600/],
};
/** Nothing that a person could set wrong. */
const NOTHING_WRONG = [
  'potion-broadcast',
  'potion-gate',
  'potion-help',
  'potion-menu',
  'potion-network',
  'potion-overview',
  'potion-panel',
  'potion-script',
  'potion-settings',
  'potion-update',
];

const names = potionTypes().map((type) => type.replace('potion-', ''));
/** A key where its text should be, e.g. `alert.label.name`. */
const KEY = new RegExp(`\\b(${names.join('|')})\\.[a-z]+`, 'i');

describe('the editor', function () {
  this.timeout(30_000);
  let potion: Potion;
  let browser: Browser;
  let page: Page;
  const flowsDir = mkdtempSync(join(tmpdir(), 'potion-flows-'));

  before(async function () {
    needs(this, 'chromium');
    cpSync(join(HOME, 'flows'), flowsDir, { recursive: true });
    potion = await startPotion({ flowsDir, env: { BOT_TOKEN: '', TELEGRAM_API_URL: '' } });
    await potion.waitReady();
    browser = await startBrowser({ width: 1500, height: 950 });
    page = browser.page;
    page.setDefaultTimeout(5000);
    // The editor waits for its own animations to end; a test need not.
    await page.addInitScript(() => {
      const real = window.setTimeout;
      window.setTimeout = ((run: TimerHandler, ms = 0, ...rest: unknown[]) =>
        real(run, ms >= 100 && ms <= 800 ? 10 : ms, ...rest)) as typeof setTimeout;
    });
    await open();
  });
  after(async () => {
    await browser?.close();
    await potion?.stop();
    rmSync(flowsDir, { recursive: true, force: true });
  });

  afterEach(async () => {
    // What a failed test left open would fail the next.
    if ((await page?.locator('.red-ui-tray').count()) > 0) await close('cancel');
  });

  async function open(): Promise<void> {
    await page.goto(potion.url);
    await page.locator('.red-ui-flow-node').first().waitFor();
    await page.addStyleTag({ content: '* { transition: none !important; animation: none !important; }' });
  }

  /** The nodes of Potion on the canvas, by id. */
  const potionNodes = () =>
    page.evaluate(() => {
      const found: { id: string; type: string }[] = [];
      // A callback that returns false would end the round.
      RED.nodes.eachNode(({ id, type }) => {
        if (type.startsWith('potion-')) found.push({ id, type });
      });
      return found;
    });
  const firstOf = async (type: string) => (await potionNodes()).find((node) => node.type === type)?.id ?? '';
  const isChanged = (id: string) => page.evaluate((id) => RED.nodes.node(id).changed === true, id);
  const tray = () => page.locator('.red-ui-tray');
  const openDialog = async (id: string) => {
    await page.evaluate((id) => {
      const node = RED.nodes.node(id);
      RED.workspaces.show(node.z);
      RED.editor.edit(node);
    }, id);
    await tray().locator('#node-input-name').waitFor();
  };
  const close = async (button: 'ok' | 'cancel') => {
    await page.locator(`#node-dialog-${button}`).click();
    await tray().waitFor({ state: 'detached' });
  };
  /** All that can be read in the open dialog, with placeholders and the choices of lists. */
  const words = () =>
    tray()
      .locator('#dialog-form')
      .evaluateAll((forms) =>
        forms
          .flatMap((form) => [
            form.textContent ?? '',
            ...[...form.querySelectorAll('[placeholder], [title]')].flatMap((part) =>
              ['placeholder', 'title'].map((name) => part.getAttribute(name) ?? ''),
            ),
            ...[...form.querySelectorAll('[data-i18n]:not([data-i18n^="[placeholder"])')].map((part) =>
              part.textContent ? '' : `(${part.getAttribute('data-i18n')} is empty)`,
            ),
          ])
          .join(' ')
          .replace(/\s+/g, ' '),
      );
  const outputs = (id: string) =>
    page.evaluate((id) => {
      const node = RED.nodes.node(id);
      return Array.from({ length: node._def.outputs }, (_, i) => node._def.outputLabels?.call(node, i) ?? '');
    }, id);
  const help = (type: string) =>
    page.evaluate((type) => {
      const holder = document.createElement('div');
      holder.innerHTML = RED.nodes.getNodeHelp(type);
      return { text: holder.textContent ?? '', titles: holder.querySelectorAll('h3').length };
    }, type);

  it('shows the tabs that Potion brings without a fault, and leaves them as they are', async () => {
    const faults = await page.evaluate(() => {
      const found: string[] = [];
      let seen = 0;
      const see = (node: EditorNode) => {
        seen++;
        if (!node.valid) found.push(`${node.id} ${node.validationErrors}`);
      };
      RED.nodes.eachNode(see);
      RED.nodes.eachConfig(see);
      return { found, seen };
    });
    assert.deepEqual(faults.found, []);
    assert.ok(faults.seen > 50, `only ${faults.seen} nodes were looked at`);
    for (const tab of ['tg', 'er', 'cp']) {
      await page.evaluate((tab) => RED.workspaces.show(tab), tab);
      await page.locator(`.red-ui-tab.active a[href="#${tab}"]`).waitFor();
    }
    assert.equal(await page.evaluate(() => RED.nodes.dirty()), false);
  });

  it('leads the palette with sense, judge, act and tell, each in its colour', async () => {
    const palette = await page.locator('.red-ui-palette-category').evaluateAll((categories) =>
      categories.slice(0, 4).map((category) => ({
        title: category.querySelector('.red-ui-palette-header')?.textContent?.trim(),
        colours: [...category.querySelectorAll<HTMLElement>('.red-ui-palette-node')].map(
          (node) => node.style.backgroundColor,
        ),
      })),
    );
    const shown = palette.map(({ title, colours }) => [title, [...new Set(colours)].join()]);
    assert.deepEqual(shown, [
      ['sense', 'rgb(168, 213, 186)'],
      ['judge', 'rgb(244, 213, 141)'],
      ['act', 'rgb(242, 169, 138)'],
      ['tell', 'rgb(156, 201, 232)'],
    ]);
    assert.equal(palette.flatMap(({ colours }) => colours).length, names.length);
  });

  it('imports all examples, and every dialog opens and closes without a change', async function () {
    this.timeout(45_000);
    await page.evaluate((nodes) => {
      RED.view.importNodes(nodes, { generateIds: false, touchImport: true, addFlow: false });
      RED.nodes.eachNode((node) => {
        node.changed = false;
      });
    }, exampleFlows());
    const nodes = await potionNodes();
    const examples = exampleFlows().filter(({ type }) => type.startsWith('potion-'));
    for (const { id, type } of examples) {
      assert.ok(
        nodes.some((node) => node.id === id),
        `${id} was not imported`,
      );
      await openDialog(id);
      const read = await words();
      assert.match(read, /Name/);
      assert.doesNotMatch(read, KEY, type);
      assert.equal(await tray().locator('.input-error').count(), 0, `${id} is marked wrong`);
      await close('ok');
      assert.equal(await isChanged(id), false, `${id} is marked changed`);
    }
  });

  for (const type of potionTypes().filter((type) => !NOTHING_WRONG.includes(type)))
    it(`${type} marks a wrong value and says what would be right`, async () => {
      const [field, value, says, action] = WRONG[type] ?? ['', '', /./];
      const id = await firstOf(type);
      await openDialog(id);
      if (action) await tray().locator('#node-input-action').selectOption(action);
      const input = tray().locator(`#node-input-${field}`);
      await input.fill(value);
      await input.press('Tab');
      await tray().locator(`#node-input-${field}.input-error`).waitFor();
      await input.hover();
      await page.locator('.red-ui-popover').filter({ hasText: says }).waitFor();
      await close('cancel');
      assert.equal(await isChanged(id), false);
    });

  it('an alert on words asks for words, not for a number', async () => {
    await openDialog(await firstOf('potion-alert'));
    await tray().locator('#node-input-threshold').fill('');
    await tray().locator('#node-input-operator').selectOption('oneOf');
    await tray().locator('#node-input-values.input-error').waitFor();
    assert.equal(await tray().locator('#node-input-threshold.input-error').count(), 0);
    await tray().locator('#node-input-values').fill('failed');
    await tray().locator('#node-input-values').press('Tab');
    await tray().locator('#node-input-values:not(.input-error)').waitFor();
    await close('cancel');
  });

  it('speaks Indonesian to those who do: dialogs, outputs and help', async function () {
    this.timeout(45_000);
    const read = async () => {
      const texts = new Map<string, { form: string; ports: string; help: string }>();
      for (const type of potionTypes()) {
        const id = await firstOf(type);
        await openDialog(id);
        const form = await words();
        await close('cancel');
        const ports = await outputs(id);
        assert.ok(ports.every(Boolean), `${type}: an output has no label`);
        const { text, titles } = await help(type);
        assert.ok(titles >= 2 && text.length > 200, `${type}: the help is not complete`);
        assert.doesNotMatch(form + ports.join(' '), KEY, type);
        texts.set(type, { form, ports: ports.join(), help: text });
      }
      return texts;
    };
    const english = await read();
    page.once('dialog', (dialog) => dialog.accept());
    await page.evaluate(() => localStorage.setItem('editor-language', 'id'));
    await open();
    const indonesian = await read();
    for (const [type, { form, ports, help }] of indonesian) {
      assert.notEqual(form, english.get(type)?.form, `${type}: the dialog is still English`);
      if (ports) assert.notEqual(ports, english.get(type)?.ports, `${type}: the outputs are still English`);
      assert.notEqual(help, english.get(type)?.help, `${type}: the help is still English`);
      assert.match(form, /Nama/);
    }
  });

  it('meets no script error, no missing file and no other machine on the way', () => {
    assert.deepEqual(browser.troubles, []);
  });
});
