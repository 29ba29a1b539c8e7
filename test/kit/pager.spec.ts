import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pageButtons, pageOf, rowsOf } from '../../nodes/kit/pager.js';

const LIST = fc.array(fc.integer(), { maxLength: 60 });
const SIZE = fc.integer({ min: 1, max: 20 });

describe('pages of a list', () => {
  it('together are the list, each of them full but the last', () => {
    fc.assert(
      fc.property(LIST, SIZE, (list, size) => {
        const { pages } = pageOf(list, 1, size);
        const all = Array.from({ length: pages }, (_, i) => pageOf(list, i + 1, size));
        assert.deepEqual(
          all.flatMap(({ items }) => items),
          list,
        );
        for (const { items } of all.slice(0, -1)) assert.equal(items.length, size);
        assert.ok(list.length === 0 || (all.at(-1)?.items.length ?? 0) > 0);
      }),
    );
  });

  it('are there for any wish: beyond an end, the page at that end', () => {
    fc.assert(
      fc.property(LIST, fc.oneof(fc.integer(), fc.double()), SIZE, (list, wanted, size) => {
        const { page, pages } = pageOf(list, wanted, size);
        assert.ok(Number.isInteger(page) && page >= 1 && page <= pages);
        if (wanted > pages) assert.equal(page, pages);
      }),
    );
  });

  it('are reached one by one with the buttons, whose command lines hold all that there is to know', () => {
    fc.assert(
      fc.property(LIST, SIZE, (list, size) => {
        const seen: number[] = [];
        for (let wanted: number | undefined = 1; wanted !== undefined; ) {
          const { items, page, pages }: { items: readonly number[]; page: number; pages: number } = pageOf(
            list,
            wanted,
            size,
          );
          seen.push(...items);
          const lines: (string | false)[] = pageButtons({ page, pages }, '/list x').map(
            (button) => 'command' in button && button.command,
          );
          assert.ok(
            lines.length === 0 || lines.includes(`/list x ${page}`),
            'the one in the middle refreshes',
          );
          assert.equal(lines.includes(`/list x ${page - 1}`), page > 1);
          wanted = lines.includes(`/list x ${page + 1}`) ? page + 1 : undefined;
        }
        assert.deepEqual(seen, list);
      }),
    );
  });

  it('say where they are', () => {
    const labels = pageButtons({ page: 2, pages: 3 }, '/list').map(({ label }) => label);
    assert.deepEqual(labels, ['⬅️ 1', '2/3', '3 ➡️']);
    assert.deepEqual(pageButtons({ page: 1, pages: 1 }, '/list'), []);
  });
});

describe('rows of buttons', () => {
  it('are as wide as asked, in the same order', () => {
    const buttons = ['a', 'b', 'c'].map((label) => ({ label, command: `/${label}` }));
    assert.deepEqual(
      rowsOf(buttons, 2).map((row) => row.map(({ label }) => label)),
      [['a', 'b'], ['c']],
    );
  });
});
