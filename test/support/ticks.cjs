// For node --require: the clock that never jumps goes TICKS times as fast in this process, or as slow, and what
// is done every few seconds or rarer keeps to it.
const factor = Number(process.env.TICKS);
const { setInterval: every } = globalThis;
globalThis.setInterval = (run, ms, ...rest) => every(run, ms >= 5000 ? ms / factor : ms, ...rest);
const now = performance.now.bind(performance);
performance.now = () => now() * factor;
