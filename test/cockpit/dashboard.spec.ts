import assert from 'node:assert/strict';
import { type LocalCockpit, startCockpit } from './cockpit.ts';

const WORDS = {
  id: {
    hello: /^Halo! 👋 Aku Potion, yang jaga rumah\.\nKamu admin di sini/,
    keyboard: ['📊 Status', '🧰 Kontrol'],
    list: /^🧭 Yang aku bisa\n\n🚀 Dashboard\n\/status – kabar singkat server/,
    one: /^🧭 \/status – kabar .*\n\nCara pakai: \/status \[summary\|detail\]\nContoh: \/status, \/status detail$/,
    unknown: /belum kenal perintah \/statsu\n👉 Maksud kamu \/status\?/,
    near: /belum kenal perintah \/statsu 🤔\nMaksud kamu \/status\?/,
    verdict:
      /^🟠 Perlu dilihat: disk \/mnt\/nowhere tidak terpasang \(\+1 lagi\)\n📊 rumah · \d\d\.\d\d\.\d\d\n/,
    hdd: /🗄️ HDD \/mnt\/nowhere tidak terpasang ⚠️/,
    ram: /💾 RAM [▰▱]{10} \d+% · sisa \d+(,\d)?\s[MG]B/,
    detail: 'Detail',
    back: 'Ringkas',
    more: /💾 RAM \d+(,\d)?\s[MG]B dari \d+(,\d)?\s[MG]B \(\d+%\)/,
    uptime: /^⏱️ rumah nyala .+\n🔌 Sejak .+\n❔ Sebelumnya kenapa mati/,
    choice:
      /"foo" tidak ada di pilihan view: summary, detail\n👉 Begini caranya: \/status \[summary\|detail\]/,
    extra: /"3" kelebihan\n👉 Begini caranya: \/uptime$/,
  },
  'en-US': {
    hello: /^Hello! 👋 I'm Potion, looking after rumah\.\nYou are an admin here/,
    keyboard: ['📊 Status', '🧰 Control'],
    list: /^🧭 What I can do\n\n🚀 Dashboard\n\/status – the server at a glance/,
    one: /^🧭 \/status – the .*\n\nUsage: \/status \[summary\|detail\]\nExamples: \/status, \/status detail$/,
    unknown: /don't know the command \/statsu\n👉 Did you mean \/status\?/,
    near: /\/statsu[\s\S]*\/status\?/,
    verdict: /^🟠 Have a look: disk \/mnt\/nowhere is not mounted \(\+1 more\)\n📊 rumah · \d\d:\d\d:\d\d\n/,
    hdd: /🗄️ HDD \/mnt\/nowhere is not mounted ⚠️/,
    ram: /💾 RAM [▰▱]{10} \d+% · \d+(\.\d)?\s[MG]B left/,
    detail: 'Detail',
    back: 'Summary',
    more: /💾 RAM \d+(\.\d)?\s[MG]B of \d+(\.\d)?\s[MG]B \(\d+%\)/,
    uptime: /^⏱️ rumah has been up for .+\n🔌 Since .+\n❔ Why it was off/,
    choice: /"foo" is not one of .*summary, detail\n👉 .*\/status \[summary\|detail\]/,
    extra: /"3"[\s\S]*\/uptime$/,
  },
} as const;

for (const [lang, words] of Object.entries(WORDS))
  describe(`the panel Dashboard, in ${lang}`, function () {
    this.timeout(60_000);
    let potion: LocalCockpit;

    before(async () => {
      potion = await startCockpit({
        env: {
          POTION_LANG: lang,
          SERVER_NAME: 'rumah',
          SERVICES_WHITELIST: 'web',
          HDD_MOUNT: '/mnt/nowhere',
          // There is no systemd to ask here, whatever runs on this machine.
          DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/nowhere',
        },
      });
    });
    after(() => potion?.stop());

    it('/start greets, says that the person is an admin, and shows the keyboard', async () => {
      const { text, keyboard } = await potion.cockpit.ask('/start');
      assert.match(text, words.hello);
      assert.deepEqual(keyboard?.[0], words.keyboard);
    });

    it('/help lists what there is by panel; with a name it explains one', async () => {
      assert.match((await potion.cockpit.ask('/help')).text, words.list);
      assert.match((await potion.cockpit.ask('/help status')).text, words.one);
      assert.match((await potion.cockpit.ask('/help /STATUS')).text, words.one);
    });

    it('suggests the nearest command to one that is not there', async () => {
      assert.match((await potion.cockpit.ask('/help statsu')).text, words.unknown);
      assert.match((await potion.cockpit.ask('/statsu')).text, words.near);
    });

    it('/status, or its button, gives the verdict first, then the gauges', async () => {
      for (const asked of ['/status', '📊 Status', '/STATUS']) {
        const { text, buttons } = await potion.cockpit.ask(asked);
        assert.match(text, words.verdict);
        assert.match(text, words.hdd);
        assert.match(text, words.ram);
        assert.equal(buttons.at(-1)?.length, 2);
      }
    });

    it('goes to the details and back, and refreshes, all in one message', async () => {
      const { cockpit } = potion;
      const status = await cockpit.ask('/status');
      const detail = await cockpit.press(status, words.detail);
      assert.match(detail.text, words.more);
      const again = await cockpit.press(detail, 'Refresh');
      assert.match(again.text, words.more, 'the details stay the details');
      const back = await cockpit.press(again, words.back);
      assert.match(back.text, words.verdict);
      for (const one of [detail, again, back]) assert.equal(one.id, status.id);
      assert.match((await cockpit.ask('/status Detail')).text, words.more);
    });

    it('/uptime tells since when and why, and leads to the status', async () => {
      const { cockpit } = potion;
      const up = await cockpit.ask('/uptime');
      assert.match(up.text, words.uptime);
      const status = await cockpit.press(up, 'Status');
      assert.equal(status.id, up.id);
      assert.match(status.text, words.verdict);
    });

    it('says what is wrong with arguments that don’t fit, and how it is done', async () => {
      assert.match((await potion.cockpit.ask('/status foo')).text, words.choice);
      assert.match((await potion.cockpit.ask('/uptime 3')).text, words.extra);
    });

    it('brings Telegram the same commands as /help', async () => {
      const { cockpit, sandbox } = potion;
      const listed = [...(await cockpit.ask('/help')).text.matchAll(/^\/(\w+)/gm)].map(([, name]) => name);
      const end = Date.now() + 10_000;
      while (sandbox.commands().length === 0 && Date.now() < end)
        await new Promise((resolve) => setTimeout(resolve, 50));
      const shown = sandbox.commands().map(({ command }) => command);
      assert.deepEqual(shown.toSorted(), listed.toSorted());
    });

    it('leaves a stranger without an answer, and writes that down', async () => {
      const stranger = potion.cockpit.as(666);
      assert.match(await stranger.sendsInVain('/status'), /user=666 event=refused .*result=stranger/);
      assert.deepEqual(await stranger.messages(), []);
    });
  });
