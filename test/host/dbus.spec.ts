import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bus, BusError, socketsOf, systemBusAddress } from '../../nodes/host/dbus.js';
import { ManualClock } from '../../nodes/kit/clock.js';
import type { PotionError } from '../../nodes/kit/errors.js';
import { refusal, reply, type Script, type ScriptedBus, signal, startBus } from '../support/scripted-bus.ts';

const ASK = { destination: 'x.y', path: '/x', interface: 'x.y', member: 'Ask' };

describe('a connection to a message bus', () => {
  let server: ScriptedBus | undefined;
  let bus: Bus | undefined;

  afterEach(async () => {
    bus?.close();
    await server?.stop();
    server = undefined;
    bus = undefined;
  });

  async function open(script: Script, options: object = {}): Promise<Bus> {
    server = await startBus(script);
    bus = await Bus.open({ address: server.address, ...options });
    return bus;
  }
  const code = (promise: Promise<unknown>) =>
    promise.then(
      () => 'done',
      (thrown: PotionError) => thrown.code,
    );

  it('carries a call there and its answer back', async () => {
    const client = await open({ onCall: (to, serial) => to.write(reply(serial, 'hello')) });
    assert.deepEqual(await client.call(ASK), ['hello']);
  });

  it('tells a refusal by its name', async () => {
    const client = await open({
      onCall: (to, serial) => to.write(refusal(serial, 'x.y.Error.No', 'not today')),
    });
    await assert.rejects(client.call(ASK), (thrown: BusError) => {
      assert.ok(thrown instanceof BusError);
      assert.deepEqual([thrown.errorName, thrown.message], ['x.y.Error.No', 'not today']);
      return true;
    });
  });

  it('keeps answers and signals in the order of the bus, also when they come in one piece', async () => {
    const seen: string[] = [];
    const client = await open(
      {
        onCall: (to, serial) =>
          to.write(Buffer.concat([signal('S', 'before'), reply(serial, 'answer'), signal('S', 'after')])),
      },
      { onSignal: ({ body }: { body: unknown[] }) => seen.push(String(body[0])) },
    );
    await client.call(ASK, ([text]) => seen.push(String(text)));
    assert.deepEqual(seen, ['before', 'answer', 'after']);
  });

  it('puts together what comes byte by byte', async () => {
    const client = await open({
      onCall: async (to, serial) => {
        to.setNoDelay();
        for (const byte of Buffer.concat([signal('S', 'x'), reply(serial, 'slow')])) {
          to.write(Buffer.from([byte]));
          await sleep(0);
        }
      },
    });
    assert.deepEqual(await client.call(ASK), ['slow']);
  });

  it('fails every call under way when the bus goes away in the middle of a message', async () => {
    let lost = 0;
    const client = await open(
      { onCall: (to, serial) => to.end(reply(serial, 'cut short').subarray(0, 30)) },
      { onLost: () => lost++ },
    );
    assert.deepEqual(await Promise.all([code(client.call(ASK)), code(client.call(ASK))]), [
      'UNAVAILABLE',
      'UNAVAILABLE',
    ]);
    assert.equal(lost, 1);
    assert.equal(await code(client.call(ASK)), 'UNAVAILABLE');
  });

  it('ends a connection that talks nonsense', async () => {
    let lost = 0;
    const client = await open(
      { onCall: (to) => to.write('HTTP/1.1 400 Bad Request\r\n\r\n') },
      { onLost: () => lost++ },
    );
    assert.equal(await code(client.call(ASK)), 'UNAVAILABLE');
    assert.equal(lost, 1);
  });

  it('gives up on an answer that does not come, and goes on', async () => {
    const clock = new ManualClock();
    let silent = true;
    const client = await open(
      { onCall: (to, serial) => silent || to.write(reply(serial, 'again')) },
      { clock },
    );
    const waiting = code(client.call(ASK, undefined, 2000));
    clock.advance(1999);
    assert.equal(await Promise.race([waiting, sleep(20, 'waiting')]), 'waiting');
    clock.advance(1);
    assert.equal(await waiting, 'TIMEOUT');
    silent = false;
    assert.deepEqual(await client.call(ASK), ['again']);
  });

  it('does not call it a loss when it was closed on purpose', async () => {
    let lost = 0;
    const client = await open({}, { onLost: () => lost++ });
    const waiting = code(client.call(ASK));
    client.close();
    assert.equal(await waiting, 'UNAVAILABLE');
    await sleep(20);
    assert.equal(lost, 0);
  });

  it('can’t be had where there is no bus, it refuses the login, or it goes away meanwhile', async () => {
    assert.equal(await code(Bus.open({ address: 'unix:path=/nowhere/bus' })), 'UNAVAILABLE');
    assert.equal(await code(Bus.open({ address: 'tcp:host=example.org,port=1' })), 'UNAVAILABLE');
    server = await startBus({ login: (to) => to.write('REJECTED EXTERNAL\r\n') });
    assert.equal(await code(Bus.open({ address: server.address })), 'UNAVAILABLE');
    await server.stop();
    server = await startBus({ login: (to) => to.destroy() });
    assert.equal(await code(Bus.open({ address: server.address })), 'UNAVAILABLE');
  });

  it('gives up on a bus that never answers the login', async () => {
    const clock = new ManualClock();
    let asked = () => {};
    const login = new Promise<void>((resolve) => {
      asked = resolve;
    });
    server = await startBus({ login: () => asked() });
    const waiting = code(Bus.open({ address: server.address, clock }));
    await login;
    clock.advance(5000);
    assert.equal(await waiting, 'TIMEOUT');
  });
});

describe('the address of the bus', () => {
  it('is that of the environment, else the usual one', () => {
    assert.equal(systemBusAddress({}), 'unix:path=/run/dbus/system_bus_socket');
    assert.equal(systemBusAddress({ DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/x' }), 'unix:path=/x');
  });

  it('may name several sockets, with escapes, of which those on Unix count', () => {
    assert.deepEqual(socketsOf('unix:path=/a%20b,guid=1;tcp:host=h;unix:abstract=/c'), ['/a b', '\0/c']);
    assert.deepEqual(socketsOf('nonsense'), []);
  });
});
