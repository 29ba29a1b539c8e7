// `npm run chaos`: kills Potion again and again and prints what came of it.
import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { report } from './report.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
if (!(Number.isInteger(kills) && kills > 0 && Number.isInteger(seed))) {
  console.error('use: npm run chaos -- [--kills <how many>] [--seed <whole number>]');
  process.exit(2);
}
console.error(`${kills} kills, seed ${seed}`);
const outcome = await runChaos({
  kills,
  seed,
  onKill: (done) => {
    if (done % 10 === 0) console.error(`${done} of ${kills} kills`);
  },
});
console.log(report(outcome));
process.exitCode =
  outcome.verdict.violations.length + outcome.ownEnds.length + outcome.leftBehind.length > 0 ? 1 : 0;
