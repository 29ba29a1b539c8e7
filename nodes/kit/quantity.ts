const UNITS: Record<string, number> = {
  '': 1,
  '%': 0.01,
  b: 1,
  kb: 2 ** 10,
  mb: 2 ** 20,
  gb: 2 ** 30,
  tb: 2 ** 40,
};

/**
 * A quantity as a person writes it, in SI base units: `0.9`, `90%` → 0.9, `500 MB` → 524288000 (powers of
 * 1024, as everywhere in Potion), `85 °C` → 85. A decimal comma is understood.
 * @returns undefined when it is none
 */
export function parseQuantity(text: string): number | undefined {
  const match = /^(-?\d+(?:[.,]\d+)?)\s*(%|[kmgt]?b|°c)?$/i.exec(text.trim());
  if (!match) return undefined;
  const unit = (match[2] ?? '').toLowerCase();
  const value = Number(match[1]?.replace(',', '.')) * (unit === '°c' ? 1 : (UNITS[unit] ?? 1));
  // 0.57 × 100 percent and back: 57 × 0.01 is 0.5700000000000001.
  return Number(value.toPrecision(15));
}
