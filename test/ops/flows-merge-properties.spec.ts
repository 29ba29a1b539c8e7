import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { mergeFlows } from '../../ops/install/flows/merge.js';
import { nodesOf, sameContent, samePlace } from '../../ops/install/flows/sides.js';
import { changesOf } from '../../ops/runtime/flows/compare.js';
import { credentialFaults, faultsOf } from '../../ops/runtime/flows/faults.js';
import { lint, unknownTypes } from '../../ops/runtime/flows/lint.js';
import { type Flows, isOwner } from '../../ops/runtime/flows/model.js';
import { threeSides } from './flows-merge-edits.ts';

const RUNS = { numRuns: 300 };

/** What the flow check finds, apart from where things are drawn. */
function faultsIn(flows: Flows): string[] {
  const byId = new Map(flows.nodes.map((node) => [node.id, node]));
  const crossing = flows.nodes.flatMap((node) =>
    (Array.isArray(node.wires) ? (node.wires as string[][]).flat() : [])
      .filter((to) => byId.get(to)?.z !== node.z)
      .map((to) => `${node.id} is wired to ${to} on another tab`),
  );
  return [
    ...[...faultsOf(flows.nodes), ...credentialFaults(flows.credentials, flows.nodes)].map(
      ({ what }) => what,
    ),
    ...lint(flows.nodes)
      .map(({ node, what }) => `${node.id}: ${what}`)
      .filter((what) => !/overlaps|stands outside/.test(what)),
    ...unknownTypes(flows.nodes, (type) => !type.startsWith('subflow:')),
    ...crossing,
  ];
}

function check(property: (sides: { base: Flows; mine: Flows; shipped: Flows }) => void): void {
  fc.assert(fc.property(threeSides, property), RUNS);
}

describe('merging flows: what always holds', function () {
  this.timeout(60_000);

  it('the flows that are made up here are fit themselves, and differ', () => {
    let differ = 0;
    check(({ base, mine, shipped }) => {
      for (const flows of [base, mine, shipped]) assert.deepEqual(faultsIn(flows), []);
      if (changesOf(base.nodes, mine.nodes).length > 0 && changesOf(base.nodes, shipped.nodes).length > 0)
        differ++;
    });
    assert.ok(differ > RUNS.numRuns / 2, `only ${differ} of ${RUNS.numRuns}`);
  });

  it('who has changed nothing gets the shipped flows, exactly', () => {
    check(({ base, shipped }) => {
      assert.deepEqual(mergeFlows(base, base, shipped), { flows: shipped, conflicts: [] });
    });
  });

  it('where nothing new is shipped, all stays, exactly', () => {
    check(({ base, mine }) => {
      assert.deepEqual(mergeFlows(base, mine, base), { flows: mine, conflicts: [] });
    });
  });

  it('where both did the same, it is done once', () => {
    check(({ base, mine }) => {
      assert.deepEqual(mergeFlows(base, mine, mine), { flows: mine, conflicts: [] });
    });
  });

  it('what comes out is fit to run', () => {
    check(({ base, mine, shipped }) => {
      assert.deepEqual(faultsIn(mergeFlows(base, mine, shipped).flows), []);
    });
  });

  it("every change of the person's is in it", () => {
    check(({ base, mine, shipped }) => {
      const r = nodesOf(mergeFlows(base, mine, shipped).flows);
      const [b, m] = [nodesOf(base), nodesOf(mine)];
      for (const id of new Set([...b.keys(), ...m.keys()])) {
        if (!m.has(id)) assert.ok(!r.has(id), `${id} was deleted`);
        if (m.has(id) && !sameContent(b.get(id), m.get(id)))
          assert.ok(sameContent(m.get(id), r.get(id)), `${id} was changed`);
        if (m.has(id) && r.has(id) && !samePlace(b.get(id), m.get(id)))
          assert.ok(samePlace(m.get(id), r.get(id)), `${id} was moved`);
      }
    });
  });

  it('every shipped change is in it, or is named as a conflict', () => {
    check(({ base, mine, shipped }) => {
      const { flows, conflicts } = mergeFlows(base, mine, shipped);
      const [b, m, s, r] = [nodesOf(base), nodesOf(mine), nodesOf(shipped), nodesOf(flows)];
      const named = new Set(conflicts.map(({ id }) => id));
      for (const id of new Set([...b.keys(), ...s.keys()])) {
        if (named.has(id)) continue;
        if (!s.has(id)) assert.ok(!r.has(id), `${id} was given up`);
        else if (!sameContent(b.get(id), s.get(id)))
          assert.ok(sameContent(s.get(id), r.get(id)), `${id} was changed`);
        else if (!samePlace(b.get(id), s.get(id)) && m.has(id))
          assert.ok(samePlace(s.get(id), r.get(id)), `${id} was moved`);
      }
    });
  });

  it('no conflict is named where there is none', () => {
    check(({ base, mine, shipped }) => {
      const { flows, conflicts } = mergeFlows(base, mine, shipped);
      const [b, s, r] = [nodesOf(base), nodesOf(shipped), nodesOf(flows)];
      for (const { id, kind } of conflicts) {
        if (kind === 'order' || kind === 'place') continue;
        assert.ok(!sameContent(b.get(id), s.get(id)) || kind === 'still-used' || kind === 'without', id);
        assert.ok(!isDeepStrictEqual(s.get(id), r.get(id)) || kind === 'without', `${id}: ${kind}`);
      }
    });
  });

  it('tabs are in the order of who has changed it', () => {
    /** The tabs and subflows of the first flows that all the others have as well. */
    const tabs = (flows: Flows, ...others: Flows[]) =>
      ids(flows).filter((id) => others.every((other) => ids(other).includes(id)));
    const ids = ({ nodes }: Flows) => nodes.filter(isOwner).map(({ id }) => id);
    check(({ base, mine, shipped }) => {
      const { flows } = mergeFlows(base, mine, shipped);
      const touched = !isDeepStrictEqual(tabs(base, mine, flows), tabs(mine, base, flows));
      const lead = touched ? mine : shipped;
      assert.deepEqual(tabs(flows, lead), tabs(lead, flows));
    });
  });

  it('once more changes nothing, with the old base or the new one', () => {
    check(({ base, mine, shipped }) => {
      const { flows } = mergeFlows(base, mine, shipped);
      assert.deepEqual(mergeFlows(shipped, flows, shipped), { flows, conflicts: [] });
      assert.deepEqual(mergeFlows(base, flows, shipped).flows, flows);
    });
  });
});
