import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import fc from 'fast-check';
import { hostName } from '../../nodes/kit/host-name.js';

describe('a host name', () => {
  const good = {
    '1.1.1.1': '1.1.1.1',
    ' 2606:4700::1111 ': '2606:4700::1111',
    'FE80::1%eth0': 'fe80::1%eth0',
    localhost: 'localhost',
    'Example.ORG.': 'example.org',
    'nas_1.lan': 'nas_1.lan',
    'münchen.de': 'xn--mnchen-3ya.de',
  };
  for (const [given, name] of Object.entries(good))
    it(`${JSON.stringify(given)} is ${name}`, () => assert.equal(hostName(given), name));

  const bad = {
    'an option': ['-c', '--version', '-f.example.org'],
    'a number that old resolvers take for an address': [
      '127.1',
      '2130706433',
      '0x7f000001',
      '1.2.3.4.5',
      '1.1.1.1.',
    ],
    'more than a name': [
      'a b',
      'a;b',
      '$(id)',
      'user@host',
      'host:80',
      'http://host',
      'a/b',
      'a\nb',
      'a%62c',
      '[::1]',
    ],
    'no name at all': ['', '.', 'a..b', '-', 'a.-b', 'a-.b', `${'x'.repeat(64)}.org`, 'x.'.repeat(130)],
    'an address with a zone that is none': [
      '1.1.1.1%eth0',
      '::1%',
      '::1%a/b',
      '::1%a%b',
      '::1%averyverylongname',
    ],
  };
  for (const [what, given] of Object.entries(bad))
    it(`is not ${what}`, () => {
      for (const text of given) assert.equal(hostName(text), undefined, text);
    });

  it('never looks like an option, and is its own name', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.domain(),
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ unit: fc.constantFrom(...'-.:%a1é/ x0'), maxLength: 20 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const name = hostName(text);
        if (name === undefined) return;
        assert.match(name, /^[a-z0-9_:][A-Za-z0-9._:%-]*$/);
        assert.equal(hostName(name), name);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes every address and every domain', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.ipV4(), fc.ipV6()),
        (address) => !isIP(address) || hostName(address) !== undefined,
      ),
    );
    fc.assert(fc.property(fc.domain(), (domain) => hostName(domain) === domain.toLowerCase()));
  });
});
