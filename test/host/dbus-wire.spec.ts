import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WireError } from '../../nodes/host/dbus-signature.js';
import { messageLength, readMessage, writeCall } from '../../nodes/host/dbus-wire.js';

const CALL = { destination: 'a.b', path: '/a/b', interface: 'a.b.C', member: 'Do' };
const text = fc.string({ unit: 'binary', maxLength: 300 }).filter((value) => !value.includes('\0'));

/** A type that can be written, and a value of it. */
const argument = fc.oneof(
  text.map((value) => ['s', value] as const),
  fc.nat(0xffffffff).map((value) => ['u', value] as const),
  fc.integer().map((value) => ['i', value] as const),
  fc.nat(255).map((value) => ['y', value] as const),
  fc.boolean().map((value) => ['b', value] as const),
  fc.maxSafeNat().map((value) => ['t', value] as const),
  fc.array(text, { maxLength: 5 }).map((value) => ['as', value] as const),
  fc.array(fc.maxSafeNat(), { maxLength: 5 }).map((value) => ['at', value] as const),
  fc
    .array(fc.array(fc.integer(), { maxLength: 3 }), { maxLength: 3 })
    .map((value) => ['aai', value] as const),
);

describe('D-Bus messages as bytes', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 8 }), (args) => {
        const signature = args.map(([type]) => type).join('');
        const bytes = writeCall(7, { ...CALL, signature, args: args.map(([, value]) => value) });
        assert.equal(messageLength(bytes), bytes.length);
        const { type, body, ...rest } = readMessage(bytes);
        assert.equal(type, 1);
        assert.deepEqual(
          body,
          args.map(([, value]) => value),
        );
        assert.partialDeepStrictEqual(rest, CALL);
      }),
    );
  });

  it('are as the specification has them', () => {
    // The header of the specification's section "Message Format", worked out by hand for a call without arguments.
    const bytes = writeCall(1, { destination: 'd.d', path: '/', interface: 'i.i', member: 'M' });
    const expected = Buffer.concat([
      Buffer.from([0x6c, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 60, 0, 0, 0]),
      Buffer.from([1, 1, 0x6f, 0, 1, 0, 0, 0, 0x2f, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from([2, 1, 0x73, 0, 3, 0, 0, 0, 0x69, 0x2e, 0x69, 0, 0, 0, 0, 0]),
      Buffer.from([3, 1, 0x73, 0, 1, 0, 0, 0, 0x4d, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from([6, 1, 0x73, 0, 3, 0, 0, 0, 0x64, 0x2e, 0x64, 0, 0, 0, 0, 0]),
    ]);
    assert.deepEqual(bytes, expected);
  });

  it('are read in either byte order, with variants, dictionaries and structs', () => {
    // An unmistakable piece of a PropertiesChanged signal: a{sv} with a string, a double and a struct.
    const body = Buffer.from(
      [
        '00000048 00000000',
        '00000001 5300 017300 000000 00000002 767800 0000000000',
        '00000001 4400 016400 00000000000000 4004000000000000',
        '00000001 5400 042875622900 00000000 0000002a 00000001',
      ]
        .join('')
        .replaceAll(' ', ''),
      'hex',
    );
    const length = body.length;
    const signature = Buffer.from([8, 1, 0x67, 0, 5, ...Buffer.from('a{sv}'), 0]);
    const head = Buffer.alloc(16);
    head.set([0x42, 4, 0, 1]);
    head.writeUInt32BE(length, 4);
    head.writeUInt32BE(1, 8);
    head.writeUInt32BE(signature.length, 12);
    const bytes = Buffer.concat([head, signature, Buffer.alloc(8 - (signature.length % 8)), body]);
    assert.deepEqual(readMessage(bytes).body, [{ S: 'vx', D: 2.5, T: [42, true] }]);
  });

  it('that are damaged are refused, never taken for something else', () => {
    const whole = writeCall(3, { ...CALL, signature: 'sasu', args: ['one', ['two', 'three'], 4] });
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const bytes = Buffer.from(whole);
        bytes[at] = value;
        try {
          readMessage(bytes);
        } catch (thrown) {
          assert.ok(thrown instanceof WireError || thrown instanceof RangeError, String(thrown));
        }
      }),
    );
    for (let length = 16; length < whole.length; length++)
      assert.throws(() => readMessage(whole.subarray(0, length)), `cut to ${length} bytes`);
  });

  it('of another protocol, or too long to be meant, are refused by their first bytes', () => {
    assert.throws(() => messageLength(Buffer.from('HTTP/1.1 400 Bad Request\r\n')), WireError);
    const long = Buffer.alloc(16);
    long.set([0x6c, 1, 0, 1]);
    long.writeUInt32LE(0x7fffffff, 4);
    assert.throws(() => messageLength(long), WireError);
    assert.equal(messageLength(Buffer.alloc(15)), undefined);
  });

  it('can’t be written with what is no text, or not of the signature', () => {
    const write = (signature: string, ...args: unknown[]) => writeCall(1, { ...CALL, signature, args });
    assert.throws(() => write('s', 'a\0b'), WireError);
    assert.throws(() => write('s', 1), WireError);
    assert.throws(() => write('ss', 'a'), WireError);
    assert.throws(() => write('h', 0), WireError);
    assert.throws(() => write('(s', 'a'), WireError);
    assert.throws(() => write('a()', []), WireError);
  });
});
