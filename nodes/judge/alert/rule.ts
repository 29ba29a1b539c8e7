import { PotionError } from '../../kit/errors.js';
import type { Severity } from '../../kit/messages.js';
import { parseQuantity } from '../../kit/quantity.js';
import type { MissingPolicy, Operator, Rule } from './state-machine.js';

/** The node's configuration as the editor saves it: what is typed stays text. Durations in seconds. */
export interface AlertConfig {
  version: number;
  property: string;
  code: string;
  label: string;
  unit: string;
  severity: Severity;
  operator: Operator;
  threshold: string | number;
  clear: string | number;
  values: string;
  for: string | number;
  keepFiring: string | number;
  repeat: string | number;
  missing: MissingPolicy;
  missingAfter: string | number;
}

const CHOICES = {
  severity: ['info', 'warning', 'critical'],
  operator: ['above', 'below', 'oneOf'],
  missing: ['resolve', 'keep', 'fire'],
};

/** @throws PotionError INVALID naming the field */
export function ruleOf(config: AlertConfig): Rule {
  const { operator, missing } = config;
  for (const [field, allowed] of Object.entries(CHOICES)) {
    const chosen = config[field as keyof typeof CHOICES];
    if (!allowed.includes(chosen)) throw invalid(field, chosen);
  }
  const rule = {
    operator,
    missing,
    for: milliseconds(config, 'for'),
    keepFiring: milliseconds(config, 'keepFiring'),
    repeat: milliseconds(config, 'repeat'),
    missingAfter: milliseconds(config, 'missingAfter'),
  };
  if (operator === 'oneOf') return { ...rule, threshold: words(config) };
  const threshold = quantity(config, 'threshold');
  const clear = String(config.clear ?? '').trim() === '' ? undefined : quantity(config, 'clear');
  const isBackwards = clear !== undefined && (operator === 'above' ? clear > threshold : clear < threshold);
  if (isBackwards) throw invalid('clear', config.clear);
  return { ...rule, threshold, clear };
}

/**
 * The rule with another threshold. The clear threshold keeps its distance, so that a threshold that a person
 * sets in the chat brings its hysteresis along.
 */
export function withThreshold(rule: Rule, threshold: number): Rule {
  if (typeof rule.threshold !== 'number' || rule.threshold === threshold) return rule;
  const distance = rule.clear === undefined ? 0 : rule.clear - rule.threshold;
  return { ...rule, threshold, clear: rule.clear === undefined ? undefined : threshold + distance };
}

function quantity(config: AlertConfig, field: 'threshold' | 'clear'): number {
  const value = parseQuantity(String(config[field] ?? ''));
  if (value === undefined) throw invalid(field, config[field]);
  return value;
}

function milliseconds(config: AlertConfig, field: 'for' | 'keepFiring' | 'repeat' | 'missingAfter'): number {
  const seconds = Number(config[field] || 0);
  if (!(seconds >= 0 && Number.isFinite(seconds))) throw invalid(field, config[field]);
  return seconds * 1000;
}

function words(config: AlertConfig): string[] {
  const list = String(config.values ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
  if (list.length === 0) throw invalid('values', config.values);
  return list;
}

function invalid(field: string, value: unknown): PotionError {
  return new PotionError('INVALID', 'errors.alert-field', { field, value: String(value ?? '') });
}
