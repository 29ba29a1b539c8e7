import type { FlowNode } from './model.js';

/** A rectangle on the canvas, in pixels. */
export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

// As the editor draws (view.js, calculateNodeDimensions): centre at x/y, 30 high, at least 100 wide, in steps
// of 20. Its label is measured in the browser; 7 pixels a letter comes near that.
const LETTER = 7;
const AROUND_LABEL = 57;

/** Where a node or group is drawn; undefined for what the canvas does not show. */
export function boxOf(node: FlowNode): Box | undefined {
  const { x, y, w, h } = node;
  if (typeof x !== 'number' || typeof y !== 'number') return undefined;
  if (node.type === 'group')
    return typeof w === 'number' && typeof h === 'number'
      ? { left: x, right: x + w, top: y, bottom: y + h }
      : undefined;
  const width = widthOf(node) / 2;
  const outputs = Array.isArray(node.wires) ? node.wires.length : 0;
  const height = node.type === 'junction' ? 5 : Math.max(30, outputs * 15) / 2;
  return { left: x - width, right: x + width, top: y - height, bottom: y + height };
}

function widthOf(node: FlowNode): number {
  if (node.type === 'junction') return 10;
  const icon = node.type === 'link in' || node.type === 'link out';
  if (typeof node.l === 'boolean' ? !node.l : icon) return 30;
  const named = typeof node.name === 'string' && node.name !== '';
  const label = named ? String(node.name) : node.type.replace(/^potion-/, '');
  return Math.max(100, 20 * Math.ceil((label.length * LETTER + AROUND_LABEL) / 20));
}

/** Whether two boxes share more than an edge. */
export function overlap(a: Box | undefined, b: Box | undefined): boolean {
  if (!a || !b) return false;
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Whether `inner` lies within `outer`. */
export function within(inner: Box, outer: Box): boolean {
  return (
    inner.left >= outer.left &&
    inner.right <= outer.right &&
    inner.top >= outer.top &&
    inner.bottom <= outer.bottom
  );
}
