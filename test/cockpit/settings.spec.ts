import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type LocalCockpit, type Person, startCockpit } from './cockpit.ts';

const ADMIN = 100_001;
const INVITED = 555_001;

/** A person who reads the answers: no faster than the gate allows. */
class Reader {
  readonly #person: Person;
  #left = 15;
  #since = performance.now();

  constructor(person: Person) {
    this.#person = person;
  }

  async ask(text: string): Promise<Answer> {
    await this.#pace();
    return this.#person.ask(text);
  }

  async press(on: Answer, label: string): Promise<Answer> {
    await this.#pace();
    return this.#person.press(on, label);
  }

  /** Asks for a change and says yes. */
  async change(text: string): Promise<Answer> {
    const question = await this.ask(text);
    assert.match(question.text, /^(Yakin mau|Are you sure|Sure)/, question.text);
    return this.press(question, '✅');
  }

  async #pace(): Promise<void> {
    const now = performance.now();
    this.#left = Math.min(15, this.#left + ((now - this.#since) / 1000) * 2);
    this.#since = now;
    if (this.#left < 1) await sleep(600);
    this.#left--;
  }
}

/** What is wrong with each command line, in Indonesian and in English, and what the answer then names. */
const WRONG: [line: string, id: RegExp, en: RegExp][] = [
  ['/settings foo', /tidak ada di pilihan/, /choices|options|one of/i],
  ['/alerts now', /kelebihan/, /too many|not needed|extra/i],
  ['/alert_disable', /code belum disebut/, /code/],
  ['/alert_disable cpu', /minutes belum disebut/, /minutes/],
  ['/alert_disable cpu 0', /1 sampai 10080/, /1 (to|and) 10080/],
  ['/alert_disable cpu 10081', /1 sampai 10080/, /1 (to|and) 10080/],
  ['/alert_disable cpux 5', /Maksud kamu cpu\?/, /Did you mean cpu\?/],
  ['/alert_enable cpu', /tidak sedang disenyapkan/, /is not silenced/],
  ['/set_threshold', /metric belum disebut/, /metric/],
  ['/set_threshold cpu', /value belum disebut/, /value/],
  ['/set_threshold cpuu 5', /Maksud kamu cpu\?/, /Did you mean cpu\?/],
  ['/set_threshold cpu 5%', /10% sampai 100%/, /10% to 100%/],
  ['/set_threshold cpu 500 MB', /tidak bisa jadi ambang/, /can't be a threshold/],
  ['/set_threshold memory 500', /Sebut satuannya/, /Name the unit/],
  ['/set_threshold temperature 200', /40°C sampai 110°C/, /40°C to 110°C/],
  ['/set_backup 25:00', /bukan jam/, /is no time of day/],
  ['/svc_add', /unit belum disebut/, /unit/],
  ['/svc_add ../x', /bukan nama service/, /is no name of a service/],
  ['/svc_add multi-user.target', /terlalu besar/, /too big/],
  ['/svc_remove dbus', /tidak ada di daftar/, /not (on|in)/],
  ['/admins x', /kelebihan/, /too many|not needed|extra/i],
  ['/admin_add @someone', /bukan nomor user/, /is no Telegram user id/],
  [`/admin_add ${ADMIN}`, /sudah jadi admin/, /is an admin already/],
  [`/admin_remove ${ADMIN}`, /satu-satunya admin/, /is the only admin/],
  ['/admin_remove 5', /5 bukan admin/, /5 is no admin/],
  ['/lang klingon', /aku belum bisa bahasa/, /I don't speak/],
  ['/quiet 22', /bukan jam tenang/, /are no quiet hours/],
  ['/about x', /kelebihan/, /too many|not needed|extra/i],
];

/** Waits until the alert nodes have their first values, so that they know their series. */
async function untilWatched(person: Reader): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    if (/:/.test((await person.ask('/thresholds cpu')).text.split('\n')[3] ?? '')) return;
    await sleep(1000);
  }
}

for (const [lang, index] of [
  ['id', 1],
  ['en-US', 2],
] as const)
  describe(`⚙️ Settings, what is typed wrong (${lang})`, function () {
    this.timeout(90_000);
    let potion: LocalCockpit;
    let person: Reader;

    before(async () => {
      potion = await startCockpit({ env: { POTION_LANG: lang, SERVICES_WHITELIST: 'nginx' } });
      person = new Reader(potion.cockpit);
    });
    after(() => potion?.stop());

    it('is answered with what is right, and changes nothing', async () => {
      for (const line of WRONG) {
        const { text, buttons } = await person.ask(line[0]);
        assert.match(text, line[index], line[0]);
        assert.match(text, /❌/, line[0]);
        assert.doesNotMatch(text, /settings\.|errors\.|undefined|\{\{/, line[0]);
        assert.deepEqual(buttons, [], line[0]);
      }
      assert.deepEqual(
        (await potion.cockpit.audit()).filter((one) => /event=(setting|invite)/.test(one)),
        [],
      );
    });
  });

describe('⚙️ Settings', function () {
  this.timeout(90_000);
  let potion: LocalCockpit;
  let person: Reader;

  before(async () => {
    potion = await startCockpit({
      env: { SERVICES_WHITELIST: 'nginx', SERVER_NAME: 'rumah' },
      changes: { 'cp-metrics': { interval: 1 } },
    });
    person = new Reader(potion.cockpit);
  });
  after(() => potion?.stop());

  it('is a menu whose panels edit their message, and lead back', async () => {
    const menu = await person.ask('⚙️ Settings');
    assert.match(menu.text, /^⚙️ Pengaturan · rumah\n/);
    assert.match(menu.text, /🌍 Bahasa: Indonesia \(⚙️ bawaan\)/);
    assert.match(menu.text, /💾 Backup harian: 02:30 \(⚙️ bawaan\)/);
    assert.deepEqual(menu.buttons, [
      ['🔔 Peringatan', '🎚️ Ambang'],
      ['🧩 Service', '👤 Admin'],
      ['🌍 Bahasa', '🌙 Jam tenang'],
      ['💾 Jam backup', 'ℹ️ Tentang'],
    ]);
    let at: Answer = menu;
    for (const label of menu.buttons.flat()) {
      const panel = await person.press(at, label);
      assert.equal(panel.id, menu.id, label);
      assert.doesNotMatch(panel.text, /settings\.|undefined|\{\{/, label);
      at = await person.press(panel, '⬅️ Pengaturan');
      assert.equal(at.text, menu.text, label);
    }
  });

  it('moves a threshold with buttons, asks once, and then it counts', async () => {
    await untilWatched(person);
    const panel = await person.ask('/thresholds cpu');
    assert.deepEqual(panel.buttons[0], ['-10', '-1', '+1', '+10']);
    const lower = await person.press(await person.press(panel, '-10'), '-1');
    assert.match(lower.text, /✏️ Jadi 79%\?/);
    const question = await person.press(lower, '✅ Simpan 79%');
    assert.match(question.text, /^Yakin mau ubah ambang CPU dari 90% jadi 79%\?/);
    const done = await person.press(question, '✅ Ya');
    assert.match(done.text, /^Beres! ✅ Ambang CPU: 90% → 79%/);
    const list = await person.press(done, '⬅️ Kembali');
    assert.match(list.text, new RegExp(`CPU: di atas 79% \\(💬 lewat chat oleh ${ADMIN}, `));
    assert.match(
      (await potion.cockpit.audit()).join('\n'),
      new RegExp(`user=${ADMIN} event=setting action=threshold.cpu result=changed detail=.*0\\.9.*0\\.79`),
    );
    assert.match((await person.change('/set_threshold cpu default')).text, /79% → 90%/);
  });

  it('leaves a threshold as it was after a no', async () => {
    const question = await person.ask('/set_threshold disk 50%');
    const answer = await person.press(question, 'Batal');
    assert.match(answer.text, /^Oke, batal/);
    assert.match((await person.press(answer, 'Kembali')).text, /Disk: di atas 90% \(⚙️ bawaan\)/);
  });

  it('lists what fires with buttons that silence it, and what is silenced with buttons that end that', async () => {
    await untilWatched(person);
    await person.change('/set_threshold disk 10%');
    await person.change('/alert_disable disk 60');
    const panel = await person.ask('/alerts');
    assert.match(panel.text, /🔕 Disenyapkan\ndisk, sisa 1 jam/);
    const ended = await person.press(await person.press(panel, '🔔 disk'), '✅ Ya');
    assert.match(ended.text, /^🔔 disk berbunyi lagi/);
    const all = await person.press(await person.ask('/alerts'), '🔕 Semua 1 jam');
    assert.match((await person.press(all, '✅ Ya')).text, /^🔕 Semua peringatan aku senyapkan 1 jam/);
    assert.match((await person.change('/alert_enable semua')).text, /berbunyi lagi/);
    await person.change('/set_threshold disk default');
  });

  it('changes the time of the backup, typed or with steps', async () => {
    assert.match((await person.change('/set_backup 3,15')).text, /02:30 → 03:15/);
    const panel = await person.press(await person.ask('/settings backup'), '-15 mnt');
    const question = await person.press(panel, '✅ Simpan 03:00');
    assert.match((await person.press(question, '✅ Ya')).text, /03:15 → 03:00/);
    const back = await person.press(await person.ask('/set_backup'), '↩️ Kembali ke bawaan');
    assert.match((await person.press(back, '✅ Ya')).text, /03:00 → 02:30/);
  });

  it('takes a service off the list at once, and keeps it off after a crash', async () => {
    assert.match((await person.change('/svc_remove nginx')).text, /nginx\.service tidak aku awasi lagi/);
    assert.match((await person.ask('/svc restart nginx')).text, /tidak ada di daftar/);
    await potion.restart();
    assert.match((await person.ask('/settings services')).text, /Belum ada\./);
  });

  it('invites an admin, who has to agree from the own account; strangers hear nothing', async () => {
    const guest = potion.cockpit.as(INVITED);
    assert.match(await guest.sendsInVain('/start'), /stranger/);
    const invited = await person.change(`/admin_add ${INVITED}`);
    assert.match(invited.text, new RegExp(`^✉️ ${INVITED} aku undang\\.`));
    assert.match((await person.ask('/admins')).text, /Diundang, belum menjawab/);
    assert.match(await potion.cockpit.as(666).sendsInVain('halo'), /stranger/);
    const question = await guest.ask('halo, ini aku');
    assert.match(question.text, new RegExp(`Admin ${ADMIN} mengundang kamu jadi admin rumah`));
    // Such refusals are counted, not written down one by one; the next answer comes after this one's turn.
    potion.sandbox.say('/status', { user: INVITED });
    await person.ask('/about');
    assert.equal((await guest.messages()).length, 1);
    const welcome = await guest.press(question, '✅ Mau');
    assert.match(welcome.text, /kamu sekarang admin rumah/);
    await potion.cockpit.hears(new RegExp(`Admin baru: ${INVITED}, diundang oleh ${ADMIN}`));
    await potion.restart();
    assert.match((await guest.ask('/admins')).text, new RegExp(`${INVITED} \\(kamu\\)`));
  });

  it('removes an admin from one moment to the next', async () => {
    const guest = potion.cockpit.as(INVITED);
    assert.match((await person.change(`/admin_remove ${INVITED}`)).text, /bukan admin lagi/);
    assert.match(await guest.sendsInVain('/status'), /stranger/);
  });

  it('tells what it is', async () => {
    const { text } = await person.ask('/about');
    assert.match(text, /^ℹ️ Potion \d+\.\d+\.\d+ \([0-9a-f]{7}\) · rumah\n⏱️ Jalan /);
    assert.match(text, /Node\.js \d+\.\d+\.\d+ · Node-RED 5\.\d+\.\d+$/);
  });

  it('sets quiet hours with buttons, and takes them away', async () => {
    const later = await person.press(await person.ask('/settings quiet'), 'Mulai +1 jam');
    const question = await person.press(later, '✅ Simpan 23:00–06:00');
    assert.match((await person.press(question, '✅ Ya')).text, /Jam tenang 23:00–06:00/);
    assert.match((await person.ask('/quiet')).text, /Sekarang 23:00–06:00 \(💬 lewat chat/);
    assert.match((await person.change('/quiet off')).text, /Jam tenang mati/);
  });

  it('speaks the other language from one answer to the next, keyboard too', async () => {
    const question = await person.press(await person.ask('/settings language'), '🇬🇧 English');
    const done = await person.press(question, '✅ Ya');
    assert.match(done.text, /^Done! ✅ I speak English/);
    assert.ok(done.keyboard?.flat().includes('🧰 Control'), JSON.stringify(done.keyboard));
    assert.match((await person.ask('/settings')).text, /Language: English \(💬 in the chat by/);
    await potion.restart();
    assert.match((await person.ask('/settings')).text, /^⚙️ Settings · rumah/);
    assert.match((await person.change('/lang id')).text, /^Beres! ✅ Mulai sekarang/);
  });
});
