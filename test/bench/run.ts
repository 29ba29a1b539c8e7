// `npm run bench`: Potion compared with what it is made of, in one run; prints the README's table.
import { alertEvaluations } from './alert.ts';
import { delivery, enqueues } from './delivery.ts';
import { healLatency } from './heal-latency.ts';
import { sampling } from './metrics.ts';
import { replies } from './replies.ts';
import { startUp } from './start-up.ts';
import { type Row, table } from './table.ts';

const BENCHMARKS: Record<string, () => Promise<Row[]>> = {
  'start-up': startUp,
  sampling,
  heal: healLatency,
  replies,
  delivery,
  alerts: alertEvaluations,
  enqueues,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exit(2);
}
const rows: Row[] = [];
for (const [name, run] of Object.entries(BENCHMARKS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.error(`measuring ${name} …`);
  rows.push(...(await run()));
}
console.log(table(rows));
