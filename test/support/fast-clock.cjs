// For node --require: what the editor's door does once a minute happens twice a second, and its half minutes last
// 150 ms.
const { setInterval: every } = globalThis;
globalThis.setInterval = (run, ms, ...rest) => every(run, ms === 60_000 ? 500 : ms, ...rest);
const now = performance.now.bind(performance);
performance.now = () => now() * 200;
